"""Orders of shops in other processes, as they told us of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.queries import RowQuerySet
from statusbreaks.shop.port import current_shop
from statusbreaks.shop.values import SHOP, Customer, OrderFacts


class ReportedOrderQuerySet(RowQuerySet["ReportedOrder"]):
    def facts(self, source: str, keys: Iterable[str]) -> Mapping[str, OrderFacts]:
        return {order.order_key: order.facts() for order in self.filter(source=source, order_key__in=list(keys))}

    def put(self, order: ReportedOrder) -> None:
        """Insert, or overwrite what was told before; what is empty now keeps its earlier value."""
        told = {name: value for name in REPORTED if (value := getattr(order, name)) not in ("", None)}
        self.update_or_create(source=order.source, order_key=order.order_key, defaults=told)


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


def facts_of(source: str, keys: Iterable[str]) -> Mapping[str, OrderFacts]:
    """What is known of these orders, from the shop itself or from what was reported."""
    if source == SHOP:
        return current_shop().facts(list(keys))
    return ReportedOrder.objects.facts(source, keys)
