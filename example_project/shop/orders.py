"""Orders. Their statuses change through the methods of `Order` and in no other way."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import signing
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from example_project.shop.catalogue import Product

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise as _StrPromise

COUNTRIES = {
    "PL": _("Poland"),
    "DE": _("Germany"),
    "AT": _("Austria"),
    "CZ": _("Czechia"),
    "NL": _("Netherlands"),
    "FR": _("France"),
}
LINK_SALT = "shop.order"


class WrongMove(Exception):
    """The order's statuses do not allow this step; nothing was changed."""


def new_number() -> str:
    """Random, so that nobody can tell from a number how much the shop sells, or guess the next one."""
    return f"KT-{secrets.randbelow(900_000) + 100_000}"


class OrderQuerySet(models.QuerySet["Order"]):
    def with_number(self, number: str) -> Order | None:
        return self.filter(number=number).first()

    def locked(self, pk: int) -> Order:
        """The order as it is now, kept from other writers until the transaction ends."""
        return self.select_for_update().get(pk=pk)

    def awaiting_payment(self, provider: str) -> OrderQuerySet:
        waiting = [Order.PaymentStatus.PENDING, Order.PaymentStatus.AUTHORISED]
        return self.filter(payment_provider=provider, payment_status__in=waiting).order_by("placed_at", "pk")

    def to_pack(self) -> OrderQuerySet:
        return self.filter(status=Order.Status.PROCESSING, delivery_status=Order.DeliveryStatus.WAITING)

    def on_the_way(self, carrier: str) -> OrderQuerySet:
        moving = [Order.DeliveryStatus.HANDED_OVER, Order.DeliveryStatus.IN_TRANSIT]
        return self.filter(carrier=carrier, delivery_status__in=moving).order_by("shipped_at", "pk")

    def ordered_by(self, user: Any) -> OrderQuerySet:
        return self.filter(user=user)

    def known_to(self, number: str, email: str) -> OrderQuerySet:
        return self.filter(number__iexact=number.strip(), email__iexact=email.strip())

    def matching(self, *, status: str = "", payment: str = "", delivery: str = "", text: str = "") -> OrderQuerySet:
        wanted = {"status": status, "payment_status": payment, "delivery_status": delivery}
        found = self.filter(**{field: value for field, value in wanted.items() if value})
        if not text:
            return found
        return found.filter(Q(number__icontains=text) | Q(email__icontains=text) | Q(name__icontains=text))


class Order(models.Model):
    class Status(models.TextChoices):
        NEW = "new", _("new")
        PROCESSING = "processing", _("processing")
        SHIPPED = "shipped", _("shipped")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")

    class PaymentStatus(models.TextChoices):
        PENDING = "pending", _("awaiting payment")
        AUTHORISED = "authorised", _("authorised")
        PAID = "paid", _("paid")
        FAILED = "failed", _("failed")
        REFUNDED = "refunded", _("refunded")

    class DeliveryStatus(models.TextChoices):
        WAITING = "waiting", _("not yet sent")
        HANDED_OVER = "handed_over", _("handed over")
        IN_TRANSIT = "in_transit", _("on the way")
        DELIVERED = "delivered", _("delivered")
        RETURNED = "returned", _("returned")

    class Method(models.TextChoices):
        CARD = "card", _("Card")
        TRANSFER = "transfer", _("Bank transfer")

    class Carrier(models.TextChoices):
        SWIFT = "swift", _("Swift Post")
        HARBOUR = "harbour", _("Harbour Parcels")

    number = models.CharField(_("number"), max_length=40, unique=True, default=new_number)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="orders",
    )
    email = models.EmailField(_("email"))
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    accepts_marketing = models.BooleanField(_("accepts news and offers"), default=False)
    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street and house number"), max_length=120, blank=True)
    postcode = models.CharField(_("postcode"), max_length=12, blank=True)
    city = models.CharField(_("town"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, default="PL")

    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.NEW)
    payment_status = models.CharField(_("payment"), max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING)
    delivery_status = models.CharField(
        _("delivery"), max_length=20, choices=DeliveryStatus, default=DeliveryStatus.WAITING
    )
    payment_method = models.CharField(_("payment method"), max_length=20, choices=Method, default=Method.CARD)
    payment_provider = models.CharField(_("payment provider"), max_length=20)
    carrier = models.CharField(_("carrier"), max_length=20)
    promised_on = models.DateField(_("promised for"), null=True, blank=True)

    subtotal = models.DecimalField(_("goods"), max_digits=10, decimal_places=2, default=Decimal(0))
    shipping = models.DecimalField(_("shipping"), max_digits=8, decimal_places=2, default=Decimal(0))
    discount = models.DecimalField(_("discount"), max_digits=8, decimal_places=2, default=Decimal(0))
    total = models.DecimalField(_("total"), max_digits=10, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    coupon_code = models.CharField(_("coupon"), max_length=40, blank=True)

    placed_at = models.DateTimeField(_("placed"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="shop_order_latest"),
            models.Index(fields=["payment_provider", "payment_status"], name="shop_order_payment"),
            models.Index(fields=["carrier", "delivery_status"], name="shop_order_delivery"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.number])

    @property
    def carrier_name(self) -> str:
        return str(dict(self.Carrier.choices).get(self.carrier, self.carrier))

    @property
    def country_name(self) -> str:
        return str(COUNTRIES.get(self.country, self.country))

    def signed_path(self) -> str:
        """A way to this order for whoever holds it: what the shop's own letters link to."""
        return reverse("order_link", args=[signing.dumps(self.pk, salt=LINK_SALT)])

    def payment_authorised(self, at: datetime) -> None:
        self.take("payment_authorised", at)

    def payment_confirmed(self, at: datetime) -> None:
        self.take("payment_confirmed", at)

    def payment_failed(self, at: datetime) -> None:
        self.take("payment_failed", at)

    def handed_over(self, at: datetime) -> None:
        self.take("handed_over", at)

    def moved_on(self, at: datetime) -> None:
        self.take("moved_on", at)

    def delivered(self, at: datetime) -> None:
        self.take("delivered", at)

    def returned(self, at: datetime) -> None:
        self.take("returned", at)

    def cancelled(self, at: datetime) -> None:
        """Money that was taken goes back. What has left the warehouse can only be returned."""
        self.take("cancelled_and_refunded" if self.paid_at else "cancelled", at)

    def take(self, name: str, at: datetime) -> None:
        step = STEPS[name]
        if not step.fits(self):
            now = f"{self.status}, {self.payment_status}, {self.delivery_status}"
            raise WrongMove(f"{self.number} is {now}: {name} is not possible.")
        values = {**step.sets, **({step.stamps: at} if step.stamps else {})}
        for field, value in values.items():
            setattr(self, field, value)
        self.save(update_fields=list(values))

    def next_steps(self) -> dict[str, Step]:
        return {name: step for name, step in STEPS.items() if step.fits(self)}


@dataclass(frozen=True)
class Step:
    """One way in which an order goes on: from which statuses, to which, and the time that it notes."""

    label: _StrPromise
    needs: Mapping[str, frozenset[str]]
    sets: Mapping[str, str]
    stamps: str = ""

    def fits(self, order: Order) -> bool:
        return all(getattr(order, field) in values for field, values in self.needs.items())


_UNPAID = frozenset({Order.PaymentStatus.PENDING, Order.PaymentStatus.AUTHORISED})
_MOVING = frozenset({Order.DeliveryStatus.HANDED_OVER, Order.DeliveryStatus.IN_TRANSIT})
_FRESH = frozenset({Order.Status.NEW})

STEPS: dict[str, Step] = {
    "payment_authorised": Step(
        _("Payment authorised"),
        {"status": _FRESH, "payment_status": frozenset({Order.PaymentStatus.PENDING})},
        {"payment_status": Order.PaymentStatus.AUTHORISED},
    ),
    "payment_confirmed": Step(
        _("Payment received"),
        {"status": _FRESH, "payment_status": _UNPAID},
        {"payment_status": Order.PaymentStatus.PAID, "status": Order.Status.PROCESSING},
        "paid_at",
    ),
    "payment_failed": Step(
        _("Payment failed"),
        {"status": _FRESH, "payment_status": _UNPAID},
        {"payment_status": Order.PaymentStatus.FAILED, "status": Order.Status.CANCELLED},
        "cancelled_at",
    ),
    "handed_over": Step(
        _("Hand over to the carrier"),
        {"status": frozenset({Order.Status.PROCESSING})},
        {"status": Order.Status.SHIPPED, "delivery_status": Order.DeliveryStatus.HANDED_OVER},
        "shipped_at",
    ),
    "moved_on": Step(
        _("On the way"),
        {"delivery_status": frozenset({Order.DeliveryStatus.HANDED_OVER})},
        {"delivery_status": Order.DeliveryStatus.IN_TRANSIT},
    ),
    "delivered": Step(
        _("Delivered"),
        {"delivery_status": _MOVING},
        {"delivery_status": Order.DeliveryStatus.DELIVERED, "status": Order.Status.COMPLETED},
        "delivered_at",
    ),
    "returned": Step(
        _("Returned"),
        {"delivery_status": _MOVING},
        {"delivery_status": Order.DeliveryStatus.RETURNED},
    ),
    "refunded": Step(
        _("Refund"),
        {
            "delivery_status": frozenset({Order.DeliveryStatus.RETURNED}),
            "payment_status": frozenset({Order.PaymentStatus.PAID}),
        },
        {"payment_status": Order.PaymentStatus.REFUNDED, "status": Order.Status.COMPLETED},
    ),
    "cancelled": Step(
        _("Cancel"),
        {"status": _FRESH, "payment_status": _UNPAID},
        {"status": Order.Status.CANCELLED, "payment_status": Order.PaymentStatus.FAILED},
        "cancelled_at",
    ),
    "cancelled_and_refunded": Step(
        _("Cancel and refund"),
        {"status": frozenset({Order.Status.PROCESSING}), "payment_status": frozenset({Order.PaymentStatus.PAID})},
        {"status": Order.Status.CANCELLED, "payment_status": Order.PaymentStatus.REFUNDED},
        "cancelled_at",
    ),
}


class OrderLine(models.Model):
    """Name and price as they were when the order was placed."""

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(_("name"), max_length=80)
    price = models.DecimalField(_("price"), max_digits=8, decimal_places=2)
    quantity = models.PositiveSmallIntegerField(_("quantity"))

    class Meta:
        ordering = ["pk"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity
