"""Rows of the example shop, for the benchmarks to work on."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from example_project.shop.models import Order


def an_order() -> Order:
    return Order.objects.create(
        email="kim@example.com",
        name="Kim Example",
        payment_provider="cards",
        carrier=Order.Carrier.SWIFT,
        total=Decimal("24.50"),
        placed_at=timezone.now(),
    )
