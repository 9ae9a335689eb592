"""The take-over of orders from before. The peer is one INSERT … SELECT that makes the same rows inside the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from benchmarks.frame import Row, interleaved, row
from benchmarks.shop import orders
from example_project.shop.models import Order
from statusbreaks.flows.backfill import TakeOver, take_over
from statusbreaks.flows.models import Expectation, Watch
from statusbreaks.flows.queries import OpenFlow

DATABASES = ("sqlite", "postgresql")
ORDERS = 50_000
ROUNDS = 5


def rows(database: str) -> Iterator[Row]:
    orders(ORDERS)
    # One open flow an order, as where customers wait for their payment.
    Order.objects.update(status="completed", delivery_status="delivered")
    rule = Expectation.objects.create(flow="payment", after="pending", within=timedelta(days=400))
    now = timezone.now()

    def ours() -> None:
        assert sum(taken.watches for taken in take_over(TakeOver(), now)) == ORDERS

    def peer() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_insert_select(rule))
            assert cursor.rowcount == ORDERS

    measure = interleaved(ours, peer, rounds=ROUNDS, prepare=Watch.objects.all().delete)
    yield row(f"backfill.{database}", f"{ORDERS:,} orders : one INSERT … SELECT of the same rows", measure, bound=3)


def _insert_select(rule: Expectation) -> str:
    due_at = (
        "strftime('%Y-%m-%d %H:%M:%f', placed_at, '+400 days')"
        if connection.vendor == "sqlite"
        else "placed_at + interval '400 days'"
    )
    return (
        f"INSERT INTO {Watch._meta.db_table} ({', '.join(OpenFlow._fields)}) "
        f"SELECT 'shop', CAST(id AS varchar(64)), number, 'payment', payment_status, payment_provider, "
        f"placed_at, {due_at}, {rule.pk}, NULL FROM {Order._meta.db_table} ORDER BY id"
    )
