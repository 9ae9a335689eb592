"""Rows of the example shop, for the benchmarks to work on."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from example_project.shop.models import Order


def orders(number: int) -> list[Order]:
    return Order.objects.bulk_create(_order(index) for index in range(number))


def _order(index: int) -> Order:
    return Order(
        number=f"BENCH-{index}",
        email=f"kim-{index}@example.com",
        name="Kim Example",
        payment_provider="cards",
        carrier=Order.Carrier.SWIFT,
        total=Decimal("24.50"),
        placed_at=timezone.now(),
    )
