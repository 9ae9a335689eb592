"""An order goes on: each step holds the order, so that staff and providers cannot both take it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from example_project.shop.checkout import return_coupon
from example_project.shop.models import Order, Product

CALLED_OFF = {"payment_failed", "cancelled", "cancelled_and_refunded"}


def go_on(pk: int, step: str, at: datetime) -> Order:
    """Take one of the steps in `orders.STEPS`. Raises WrongMove, and changes nothing, where it does not fit."""
    with _held(pk) as order:
        order.take(step, at)
        if step in CALLED_OFF:
            _put_back(order)
    return order


def cancel(pk: int, at: datetime) -> Order:
    """Call the order off; its goods go back into stock and its coupon is good again."""
    with _held(pk) as order:
        order.cancelled(at)
        _put_back(order)
    return order


@contextmanager
def _held(pk: int) -> Iterator[Order]:
    with transaction.atomic():
        yield Order.objects.locked(pk)


def _put_back(order: Order) -> None:
    for line in order.lines.order_by("product_id"):
        if line.product_id:
            Product.objects.give_back(line.product_id, line.quantity)
    return_coupon(order)
