"""The verb of the door for shops in other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from statusbreaks.flows.models import StatusChange
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.shop.values import StatusEvent


@dataclass(frozen=True)
class Report:
    """An event, which has an `event_id`, and what was told of its order along with it."""

    event: StatusEvent
    order: ReportedOrder


@transaction.atomic
def take_in(reports: Sequence[Report]) -> int:
    """Put these events into the ledger, and what they tell of their orders beside it; all or none.

    An event that is known changes nothing. Returns how many were new. Many cost as many statements as one, up to
    the database's limit of parameters in one statement.
    """
    unique: dict[str | None, Report] = {}
    for report in reports:
        unique.setdefault(report.event.event_id, report)
    known = StatusChange.objects.known_ids(unique)
    new = [report for event_id, report in unique.items() if event_id not in known]
    if new:
        StatusChange.objects.append([report.event for report in new])
        ReportedOrder.objects.put([report.order for report in new])
    return len(new)
