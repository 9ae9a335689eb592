"""What is long over is dropped, so that the tables stay as large as a shop's past that anybody asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from statusbreaks.core.queries import RowQuerySet, work_through
from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.incidents.models import AffectedOrder
from statusbreaks.notifications.models import Message

Rows = Mapping[str, RowQuerySet[Any]]


def outdated(before: datetime) -> Rows:
    """What may go, by name: over before then, and of no order that is open or part of an active incident."""
    busy = AffectedOrder.objects.under_way()
    return {
        "status changes": StatusChange.objects.followed_before(before).of_no_order_in(busy),
        "status breaks": StatusBreak.objects.healed_before(before).of_no_order_in(busy),
        "watches": Watch.objects.ended_before(before).of_no_order_in(busy),
        "messages": Message.objects.closed_before(before),
    }


def drop(rows: RowQuerySet[Any], tell: Callable[[int], None]) -> int:
    """In batches, each a transaction, so that nobody waits for long; `tell` hears of each how many it was."""

    def step(batch: list[Any]) -> None:
        rows.model._default_manager.all().drop(batch)
        tell(len(batch))

    return work_through(rows, step)
