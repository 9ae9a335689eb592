"""Orders of shops in other processes, as they told us of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Protocol, Self, TypeVar

from django.db import connections, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.queries import RowQuerySet
from statusbreaks.shop.port import current_shop
from statusbreaks.shop.values import SHOP, Customer, OrderFacts


class Sourced(Protocol):
    """A row of ours that names the shop its order belongs to."""

    source: str


R = TypeVar("R", bound=Sourced)


class ReportedOrderQuerySet(RowQuerySet["ReportedOrder"]):
    def facts(self, source: str, keys: Iterable[str]) -> Mapping[str, OrderFacts]:
        return {order.order_key: order.facts() for order in self.filter(source=source, order_key__in=list(keys))}

    def with_number(self, number: str) -> tuple[str, str] | None:
        rows = self.filter(Q(order_number=number) | Q(order_number="", order_key=number))
        return rows.values_list("source", "order_key").order_by("-pk").first()

    def of_contacts(self, contacts: Iterable[str]) -> Self:
        same = [Q(email__iexact=contact) | Q(phone=contact) for contact in contacts]
        return self.filter(reduce(or_, same, Q(pk=None)))

    def phones(self) -> set[str]:
        return set(self.exclude(phone="").values_list("phone", flat=True))

    def forget(self) -> int:
        """Whose orders these were; what they were worth stays."""
        return self.update(email="", phone="", name="", language="")

    def put(self, orders: Iterable[ReportedOrder]) -> None:
        """Insert, or overwrite what was told before; what is empty now keeps its earlier value.

        Three statements however many. Of one of which nothing is told there is no row.
        """
        told: dict[tuple[str, str], dict[str, Any]] = {}
        for order in orders:
            told.setdefault((order.source, order.order_key), {}).update(order.told())
        told = {key: values for key, values in sorted(told.items()) if values}
        if not told:
            return
        # First there, then locked: of two that tell of one order at once neither overwrites what it has not read.
        self.bulk_create([self.model(source=source, order_key=key) for source, key in told], ignore_conflicts=True)
        held = [row for row in self._held(told) if (row.source, row.order_key) in told]
        merged = {(row.source, row.order_key): row.told() | told[row.source, row.order_key] for row in held}
        rows = [self.model(source=source, order_key=key, **values) for (source, key), values in merged.items()]
        self.bulk_create(rows, update_conflicts=True, update_fields=REPORTED, **self._conflict_target())

    def _held(self, keys: Iterable[tuple[str, str]]) -> Self:
        sources, orders = {source for source, _ in keys}, {key for _, key in keys}
        return self.filter(source__in=sources, order_key__in=orders).order_by("pk").select_for_update()

    def _conflict_target(self) -> dict[str, Any]:
        """What an upsert names as its conflict, where the database lets it."""
        can = connections[self.db].features.supports_update_conflicts_with_target
        return {"unique_fields": ["source", "order_key"]} if can else {}


REPORTED = ("order_number", "email", "phone", "name", "language", "value", "currency", "placed_at", "promised_at")


class ReportedOrder(models.Model):
    """What a shop in another process told of an order along with its status. The only contacts that we keep."""

    source = models.CharField(_("source"), max_length=40)
    order_key = models.CharField(_("order key"), max_length=64)
    order_number = models.CharField(_("order number"), max_length=64, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=3, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    placed_at = models.DateTimeField(_("placed at"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised at"), null=True, blank=True)

    objects = ReportedOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("reported order")
        verbose_name_plural = _("reported orders")
        constraints = [models.UniqueConstraint(fields=["source", "order_key"], name="sb_reported_order")]

    def __str__(self) -> str:
        return self.order_number or self.order_key

    def told(self) -> dict[str, Any]:
        """What is known of it, by name."""
        return {name: value for name in REPORTED if (value := getattr(self, name)) not in ("", None)}

    def facts(self) -> OrderFacts:
        contact = Customer(email=self.email, phone=self.phone, name=self.name, language=self.language)
        return OrderFacts(
            key=self.order_key,
            number=self.order_number,
            statuses={},
            placed_at=self.placed_at,
            promised_at=self.promised_at,
            value=self.value,
            currency=self.currency,
            customer=contact,
        )


class BookmarkQuerySet(RowQuerySet["Bookmark"]):
    def by_name(self) -> dict[str, Bookmark]:
        return {bookmark.name: bookmark for bookmark in self.all()}

    def put(self, name: str, at: datetime, place: str, until: str = "") -> None:
        row = self.model(name=name, place=place, until=until, noted_at=at)
        target = ["name"] if connections[self.db].features.supports_update_conflicts_with_target else None
        fields = ["place", "until", "noted_at"]
        self.bulk_create([row], update_conflicts=True, update_fields=fields, unique_fields=target)

    def remove(self, name: str) -> None:
        self.filter(name=name).delete()


class Bookmark(models.Model):
    """How far a sweep over orders has come, for the next one to go on there."""

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    until = models.CharField(_("until"), max_length=200, blank=True)
    noted_at = models.DateTimeField(_("noted at"))

    objects = BookmarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("bookmark")
        verbose_name_plural = _("bookmarks")

    def __str__(self) -> str:
        return self.name


def find_order(number: str) -> tuple[str, str] | None:
    """The (source, key) of the order with this number, of the shop itself or as it was reported."""
    key = current_shop().key_of(number)
    return (SHOP, key) if key is not None else ReportedOrder.objects.with_number(number)


def by_source(rows: Iterable[R]) -> dict[str, list[R]]:
    """Rows of orders, sorted by the shop that each belongs to: a shop is asked for many at once."""
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.source].append(row)
    return found


def facts_of(source: str, keys: Iterable[str]) -> Mapping[str, OrderFacts]:
    """What is known of these orders, from the shop itself or from what was reported."""
    if source == SHOP:
        return current_shop().facts(list(keys))
    return ReportedOrder.objects.facts(source, keys)
