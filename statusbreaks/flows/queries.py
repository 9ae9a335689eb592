"""The one statement that runs inside the shop's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connections, router, transaction
from django.utils import timezone

from statusbreaks.flows.models import StatusChange
from statusbreaks.shop.values import StatusEvent

COLUMNS = ("source", "order_key", "order_number", "flow", "status", "segment", "via", "occurred_at", "recorded_at")


def insert_change(event: StatusEvent) -> None:
    """Append one row to the ledger by a plain INSERT, which costs a third of a save through the ORM."""
    using = router.db_for_write(StatusChange)
    connection = connections[using]
    moments = (event.occurred_at, timezone.now())
    texts = (event.source, event.order_key, event.order_number, event.flow, event.status, event.segment, event.via)
    values = [*texts, *(connection.ops.adapt_datetimefield_value(moment) for moment in moments)]
    table, columns = StatusChange._meta.db_table, ", ".join(COLUMNS)
    sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608 - names are ours
    if not connection.in_atomic_block:
        _execute(using, sql, values)
        return
    with transaction.atomic(using=using):  # a savepoint: our failure must not spoil the sale
        _execute(using, sql, values)


def _execute(using: str, sql: str, values: Sequence[str | None]) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
