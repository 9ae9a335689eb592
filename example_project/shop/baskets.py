"""Whose basket it is, and what goes into it."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest

from example_project.shop.models import Basket, BasketLine, Product
from example_project.shop.values import MOST_OF_ONE

SESSION_KEY = "basket"


def basket_of(request: HttpRequest) -> Basket | None:
    if isinstance(request.user, AnonymousUser):
        return _of_guest(request.session.get(SESSION_KEY, 0))
    return Basket.objects.filter(user_id=request.user.pk).first()


def _of_guest(pk: int) -> Basket | None:
    return Basket.objects.filter(pk=pk, user=None).first()


def open_basket(request: HttpRequest) -> Basket:
    """The basket of this visitor, made where there is none yet."""
    found = basket_of(request)
    if found:
        return found
    if not isinstance(request.user, AnonymousUser):
        return Basket.objects.get_or_create(user=request.user)[0]
    basket = Basket.objects.create()
    request.session[SESSION_KEY] = basket.pk
    return basket


def pieces_in(request: HttpRequest) -> int:
    """How many pieces lie in the basket; costs nothing for a visitor who never had one."""
    if isinstance(request.user, AnonymousUser) and SESSION_KEY not in request.session:
        return 0
    found = basket_of(request)
    pieces: int | None = found.lines.aggregate(pieces=Sum("quantity"))["pieces"] if found else 0
    return pieces or 0


def add(basket: Basket, product: Product, quantity: int) -> None:
    with transaction.atomic():
        line, made = BasketLine.objects.select_for_update().get_or_create(
            basket=basket, product=product, defaults={"quantity": quantity}
        )
        if not made:
            line.quantity = min(line.quantity + quantity, MOST_OF_ONE)
            line.save(update_fields=["quantity"])


def change(basket: Basket, product: Product, quantity: int) -> None:
    """Set how many; 0 takes the product out."""
    line = basket.lines.of(product)
    if quantity:
        line.update(quantity=quantity)
    else:
        line.delete()


def adopt(request: HttpRequest, user: User, **_: Any) -> None:
    """What a visitor chose before signing in joins what lies in their own basket."""
    guest = _of_guest(request.session.pop(SESSION_KEY, 0))
    if guest is None:
        return
    with transaction.atomic():
        own, _made = Basket.objects.get_or_create(user=user)
        for line in guest.contents():
            add(own, line.product, line.quantity)
        guest.delete()
