"""Whom somebody means who names a customer."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from statusbreaks.exceptions import AmbiguousCustomer
from statusbreaks.shop.model import _pk
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.shop.values import Customer, Person


def find_person(said: str) -> Person:
    """By a user's key, user name or e-mail address, or a guest's address or phone number.

    Raises AmbiguousCustomer where that could be people of several addresses.
    """
    said = said.strip()
    users = _users(said)
    address = get_user_model().get_email_field_name()
    addresses = {str(getattr(user, address, "") or "").lower() for user in users}
    if len(addresses) > 1:
        raise AmbiguousCustomer(f"{said!r} fits {len(users)} users with different addresses: name one by the address.")
    contacts = (addresses | {said.lower()} if _is_contact(said) else addresses) - {""}
    keys = {str(user.pk) for user in users} or ({said} if not _is_contact(said) else set())
    identities = {Customer(user_id=key).identity for key in keys}
    identities |= {Customer(email=contact).identity for contact in contacts}
    phones = ReportedOrder.objects.of_contacts(contacts).phones()
    return Person(tuple(user.pk for user in users), frozenset(contacts), frozenset(identities), frozenset(phones))


def _users(said: str) -> list[Any]:
    model = get_user_model()
    names = {f"{model.get_email_field_name()}__iexact", model.USERNAME_FIELD}
    wanted = [Q(**{name: said}) for name in names if _has(model, name.partition("__")[0])]
    if (pk := _pk(model, said)) is not None:
        wanted.append(Q(pk=pk))
    return list(model._base_manager.filter(reduce(or_, wanted)).order_by("pk"))


def _has(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)


def _is_contact(said: str) -> bool:
    return "@" in said or said.startswith("+")
