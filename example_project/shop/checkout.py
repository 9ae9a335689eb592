"""From a basket to an order, in one transaction. The only place that knows of coupons."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from example_project.shop import values
from example_project.shop.letters import confirm_by_letter
from example_project.shop.models import Basket, BasketLine, Order, OrderLine, Product
from example_project.shop.orders import new_number
from statusbreaks.coupons import services as coupons
from statusbreaks.exceptions import CouponRefused
from statusbreaks.shop.values import Customer


class CheckoutRefused(Exception):
    """The order was not placed and nothing has changed; the text is for the customer.

    `field` names what in the form to mend; None where it is not the form.
    """

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Buyer:
    """Who orders, where to, and how it is paid and sent."""

    email: str
    name: str
    phone: str
    language: str
    street: str
    postcode: str
    city: str
    country: str
    payment_method: str
    carrier: str
    accepts_marketing: bool = False
    user: Any = None


@dataclass(frozen=True)
class Sum:
    """What it comes to, in EUR."""

    subtotal: Decimal
    shipping: Decimal
    discount: Decimal = Decimal(0)
    coupon_code: str = ""

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.shipping - self.discount


def sum_of(lines: Sequence[BasketLine], carrier: str) -> Sum:
    return Sum(sum((line.total for line in lines), Decimal(0)), values.CARRIERS[carrier].fee)


def place_order(basket: Basket, buyer: Buyer, at: datetime, coupon: str = "", shown: Decimal | None = None) -> Order:
    """The order, its goods taken from stock, its coupon redeemed and the basket empty; or CheckoutRefused.

    `shown` is what the goods cost when the customer agreed; where prices have changed since, nothing is bought.
    """
    with transaction.atomic():
        # Held, so that the form sent twice finds an empty basket the second time.
        lines = Basket.objects.select_for_update().get(pk=basket.pk).contents()
        if not lines:
            raise CheckoutRefused(_("Your basket is empty."))
        if shown not in (None, sum_of(lines, buyer.carrier).subtotal):
            raise CheckoutRefused(_("A price or your basket has changed meanwhile. Please look at the new total."))
        _take_from_stock(lines)
        order = _write(lines, buyer, coupon, at)
        basket.lines.all().delete()
        transaction.on_commit(lambda: confirm_by_letter(order), robust=True)
    return order


def _take_from_stock(lines: Sequence[BasketLine]) -> None:
    # Always in the same order, so that two checkouts never wait for each other.
    for line in sorted(lines, key=lambda line: line.product_id):
        if not Product.objects.take(line.product_id, line.quantity):
            text = _("%(product)s: there is not enough left in stock. Please change the quantity in your basket.")
            raise CheckoutRefused(text % {"product": line.product.name})


def _write(lines: Sequence[BasketLine], buyer: Buyer, coupon: str, at: datetime) -> Order:
    due = discounted(sum_of(lines, buyer.carrier), buyer, coupon, at)
    order = Order.objects.create(**_columns(buyer, due, at))
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name,
            price=line.product.price,
            quantity=line.quantity,
        )
        for line in lines
    )
    if coupon:
        _redeem(coupon, order, due, buyer, at)
    return order


def _columns(buyer: Buyer, due: Sum, at: datetime) -> dict[str, Any]:
    # A card is authorised while the customer waits; a bank transfer is only announced.
    card = buyer.payment_method == Order.Method.CARD
    return {
        **{field.name: getattr(buyer, field.name) for field in fields(buyer)},
        **{name: getattr(due, name) for name in ("subtotal", "shipping", "discount", "total", "coupon_code")},
        "number": _free_number(),
        "payment_provider": values.PAYMENT_PROVIDERS[buyer.payment_method],
        "payment_status": Order.PaymentStatus.AUTHORISED if card else Order.PaymentStatus.PENDING,
        "currency": values.CURRENCY,
        "placed_at": at,
        "promised_on": values.promised_on(timezone.localtime(at).date(), buyer.carrier),
    }


def _free_number() -> str:
    number = new_number()
    while Order.objects.filter(number=number).exists():
        number = new_number()
    return number


def discounted(due: Sum, buyer: Buyer, coupon: str, at: datetime) -> Sum:
    """The sum with the coupon taken off. Raises CheckoutRefused with the reason where the coupon is not good."""
    if not coupon:
        return due
    try:
        offer = coupons.validate(coupon, _purchase(due, buyer), at=at)
    except CouponRefused as refused:
        raise CheckoutRefused(str(refused), "coupon") from refused
    return replace(due, discount=offer.discount, coupon_code=offer.coupon.shown)


def _redeem(coupon: str, order: Order, due: Sum, buyer: Buyer, at: datetime) -> None:
    try:
        coupons.redeem(coupon, replace(_purchase(due, buyer), order_key=str(order.pk)), at=at)
    except CouponRefused as refused:
        raise CheckoutRefused(str(refused), "coupon") from refused


def _purchase(due: Sum, buyer: Buyer) -> coupons.Purchase:
    user_id = str(buyer.user.pk) if buyer.user else ""
    customer = Customer(user_id=user_id, email=buyer.email, phone=buyer.phone, name=buyer.name)
    return coupons.Purchase(replace(due, discount=Decimal(0)).total, values.CURRENCY, customer)


def return_coupon(order: Order) -> None:
    """The order came to nothing: its coupon is good again."""
    if order.coupon_code:
        coupons.release(str(order.pk))
