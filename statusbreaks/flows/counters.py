"""How long steps took, counted while the ledger is followed. Two statements a batch, however many steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, models, router

from statusbreaks.flows.judge import Step
from statusbreaks.flows.models import FlowCounter, FlowGauge, Watch
from statusbreaks.flows.statistics import bucket

Place = tuple[str, str, str]  # flow, segment, status
PLACE = ("flow", "segment", "status")


def count_steps(steps: Iterable[Step], now: datetime) -> None:
    """These left their statuses: let the counters and the gauges know. Within the caller's transaction."""
    known = [step for step in steps if step.before]
    lengths = Counter((_place(step), bucket((step.left_at - step.entered_at).total_seconds())) for step in known)
    # Gauges before counters, always: `measure` locks in this order too.
    _add(_gauges(now), {place: (count,) for place, count in Counter(_place(step) for step in known).items()})
    _add(COUNTERS, {(*place, length): (count, 0) for (place, length), count in lengths.items()})


def count_given_up(watches: Iterable[Watch], now: datetime) -> None:
    """Nothing more will come of these, though they never went on."""
    ages = Counter(
        (watch.flow, watch.segment, watch.status, bucket((now - watch.changed_at).total_seconds()))
        for watch in watches
        if watch.status
    )
    _add(COUNTERS, {key: (0, count) for key, count in ages.items()})


def _place(step: Step) -> Place:
    return step.flow, step.segment, step.before


@dataclass(frozen=True)
class _Table:
    """Rows named by `key`, in which `counts` are added up; `rest` is what a new row starts with."""

    model: type[models.Model]
    key: Sequence[str]
    counts: Sequence[str]
    rest: Mapping[str, Any]


COUNTERS = _Table(FlowCounter, (*PLACE, "bucket"), ("went_on", "gave_up"), {})


def _gauges(now: datetime) -> _Table:
    fresh = {"next_at": now, "hazard": [], "steps": 0.0, "due": 0.0, "came": 0, "score": 0.0}
    return _Table(FlowGauge, PLACE, ("unread",), fresh)


def _add(table: _Table, rows: Mapping[tuple[Any, ...], tuple[int, ...]]) -> None:
    """Insert these rows, or add to those that are there. No two workers can count past each other."""
    if not rows:
        return
    using = router.db_for_write(table.model)
    connection = connections[using]
    known = {field.name: field for field in table.model._meta.concrete_fields}
    fields = [known[name] for name in (*table.key, *table.counts, *table.rest)]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    line = f"({', '.join(['%s'] * len(fields))})"
    values = [
        field.get_db_prep_save(value, connection)
        for key, counts in sorted(rows.items())
        for field, value in zip(fields, (*key, *counts, *table.rest.values()), strict=True)
    ]
    into = quote(table.model._meta.db_table)
    sql = f"INSERT INTO {into} ({columns}) VALUES {', '.join([line] * len(rows))} {_on_conflict(table, using)}"  # noqa: S608 - names are ours
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _on_conflict(table: _Table, using: str) -> str:
    quote = connections[using].ops.quote_name
    into, names = quote(table.model._meta.db_table), [quote(name) for name in table.counts]
    if connections[using].vendor == "mysql":
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = {name} + VALUES({name})" for name in names)
    key = ", ".join(quote(name) for name in table.key)
    sums = ", ".join(f"{name} = {into}.{name} + excluded.{name}" for name in names)
    return f"ON CONFLICT ({key}) DO UPDATE SET {sums}"
