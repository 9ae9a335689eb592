"""Statements of the paths that many orders take: the hook, the sweep over all that is open, the take-over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple, cast

from django.db import DatabaseError, connections, router, transaction
from django.db.models.constants import OnConflict
from django.utils import timezone

from statusbreaks.flows.models import StatusChange, Watch
from statusbreaks.shop.values import SHOP, StatusEvent

COLUMNS = ("source", "order_key", "order_number", "flow", "status", "segment", "via", "occurred_at", "recorded_at")
ROW = f"({', '.join(['%s'] * len(COLUMNS))})"

IN_ERROR = 3  # PQTRANS_INERROR of libpq, in every driver

OrderFlow = tuple[str, str]  # order_key, flow


def insert_changes(events: Sequence[StatusEvent]) -> None:
    """Append these to the ledger by one plain INSERT, which costs a third of a save through the ORM.

    Those with an `event_id` go the slower way that knows them again. Our failure never spoils the sale's transaction.
    """
    using = router.db_for_write(StatusChange)
    if any(event.event_id for event in events):
        with transaction.atomic(using=using):
            StatusChange.objects.using(using).append(events)
        return
    rows, now = ", ".join([ROW] * len(events)), timezone.now()
    sql = f"INSERT INTO {StatusChange._meta.db_table} ({', '.join(COLUMNS)}) VALUES {rows}"  # noqa: S608 - names are ours
    values = [value for event in events for value in _values(using, event, now)]
    if connections[using].vendor == "postgresql" and connections[using].in_atomic_block:
        _execute_aside(using, sql, values)
        return
    # SQLite and MariaDB undo a statement that fails by itself, and nothing else.
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)


def _execute_aside(using: str, sql: str, values: Sequence[Any]) -> None:
    """In a savepoint, for PostgreSQL gives up the whole transaction; in one round trip where values travel as text."""
    connection = connections[using]
    options = connection.settings_dict["OPTIONS"]
    with connection.cursor() as cursor:
        if options.get("server_side_binding") or options.get("prepare_threshold"):
            with transaction.atomic(using=using):
                cursor.execute(sql, values)
            return
        try:
            cursor.execute(f"SAVEPOINT statusbreaks; {sql}; RELEASE SAVEPOINT statusbreaks", values)
        except DatabaseError:
            # What failed before it was sent, such as a NUL in a text, left no savepoint to go back to.
            if connection.connection.info.transaction_status == IN_ERROR:
                cursor.execute("ROLLBACK TO SAVEPOINT statusbreaks; RELEASE SAVEPOINT statusbreaks")
            raise


def _values(using: str, event: StatusEvent, now: datetime) -> list[Any]:
    texts = (event.source, event.order_key, event.order_number, event.flow, event.status, event.segment, event.via)
    adapt = connections[using].ops.adapt_datetimefield_value
    return [*texts, adapt(event.occurred_at), adapt(now)]


def open_orders_after(pk: int, limit: int) -> list[tuple[int, str]]:
    """The shop's next open watches after this one, as (pk, order key). Reads no others, by an index of their own."""
    rows = Watch.objects.open().filter(source=SHOP, pk__gt=pk).order_by("pk")
    return list(rows.values_list("pk", "order_key")[:limit])


def standing_of(keys: Sequence[str]) -> dict[OrderFlow, tuple[str, datetime]]:
    """Where we know the flows of these orders of the shop to be, and since when."""
    rows = Watch.objects.of_orders(SHOP, keys).values_list("order_key", "flow", "status", "changed_at")
    return {(key, flow): (status, changed_at) for key, flow, status, changed_at in rows}


def unfollowed_of(keys: Sequence[str]) -> set[OrderFlow]:
    """Of which of these the ledger holds something that is not followed yet."""
    rows = StatusChange.objects.unfollowed().filter(source=SHOP, order_key__in=keys)
    return set(rows.values_list("order_key", "flow"))


IN_ONE_STATEMENT = 5_000  # rows
ARRAYS = ", ".join([*["%s::text[]"] * 6, *["%s::timestamptz[]"] * 2, "%s::bigint[]", "%s::timestamptz[]"])


class OpenFlow(NamedTuple):
    """A watch in the making: its columns, in the order in which they are written."""

    source: str
    order_key: str
    order_number: str
    flow: str
    status: str
    segment: str
    changed_at: datetime
    due_at: datetime | None
    expectation_id: int | None
    breached_at: datetime | None


def insert_watches(rows: Sequence[OpenFlow]) -> int:
    """Add these without the detour over the ORM; one that is there stays as it is. Returns how many were added."""
    connection = connections[router.db_for_write(Watch)]
    into = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE)
    head = f"{into} {Watch._meta.db_table} ({', '.join(OpenFlow._fields)})"
    tail = connection.ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])
    line = f"({', '.join(['%s'] * len(OpenFlow._fields))})"
    adapt = _writer_of_moments(connection)
    values = [(*row[:6], adapt(row[6]), adapt(row[7]), row[8], adapt(row[9])) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(f"{head} VALUES {line} {tail}", values)
            return int(cursor.rowcount)
        added = 0
        for index in range(0, len(values), IN_ONE_STATEMENT):
            part = values[index : index + IN_ONE_STATEMENT]
            if connection.vendor == "postgresql":  # a column a parameter: the driver is slow where they are many
                columns = [list(column) for column in zip(*part, strict=True)]
                sql = f"{head} SELECT * FROM UNNEST({ARRAYS}) {tail}"  # noqa: S608 - names are ours
                cursor.execute(sql, columns)
            else:
                lines = ", ".join([line] * len(part))
                cursor.execute(f"{head} VALUES {lines} {tail}", list(chain.from_iterable(part)))
            added += cursor.rowcount
        return added


def _writer_of_moments(connection: Any) -> Callable[[datetime | None], Any]:
    """What Django does with each by itself, without asking the settings each time."""
    if connection.vendor != "sqlite" or connection.timezone is not UTC:
        return cast(Callable[[datetime | None], Any], connection.ops.adapt_datetimefield_value)
    return lambda moment: str(moment.astimezone(UTC).replace(tzinfo=None)) if moment else None
