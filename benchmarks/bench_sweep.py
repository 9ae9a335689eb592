"""The search for orders that are overdue, among many that are not. The peer is the bare indexed read of those rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from benchmarks.frame import Row, interleaved, row
from benchmarks.shop import orders
from statusbreaks.flows.models import StatusBreak, Watch
from statusbreaks.flows.services import detect

DATABASES = ("sqlite", "postgresql")
OPEN, DUE = 100_000, 100
ROUNDS = 30


def rows(database: str) -> Iterator[Row]:
    now = timezone.now()
    _watch_many(now)
    due = [watch.pk for watch in Watch.objects.overdue(now)]
    assert len(due) == DUE

    def forget() -> None:
        StatusBreak.objects.all().delete()
        Watch.objects.filter(pk__in=due).update(breached_at=None)

    def find() -> None:
        assert detect(now) == DUE

    measure = interleaved(find, lambda: list(Watch.objects.overdue(now)), rounds=ROUNDS, prepare=forget)
    yield row(f"sweep.due.{database}", f"{DUE} newly due of {OPEN:,} open : reading those {DUE} rows", measure, bound=3)

    find()
    measure = interleaved(lambda: detect(now), lambda: list(Watch.objects.overdue(now)), rounds=300)
    yield row(
        f"sweep.idle.{database}", f"none newly due of {OPEN:,} open : the bare read that finds none", measure, bound=3
    )


def _watch_many(now: datetime) -> None:
    """`DUE` orders of the shop that are late, and a crowd that is in time."""
    late = [(str(order.pk), now - timedelta(minutes=1)) for order in orders(DUE)]
    in_time = [(f"far-{index}", now + timedelta(minutes=1 + index % 5_000)) for index in range(OPEN - DUE)]
    Watch.objects.bulk_create(
        (
            Watch(order_key=key, flow="payment", status="pending", changed_at=now - timedelta(hours=3), due_at=due_at)
            for key, due_at in late + in_time
        ),
        batch_size=5_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
