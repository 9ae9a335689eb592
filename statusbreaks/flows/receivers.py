"""The signal door: `status_changed`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from statusbreaks.flows.models import StatusChange
from statusbreaks.flows.services import record
from statusbreaks.shop.values import StatusEvent

logger = logging.getLogger("statusbreaks")

FIELDS = ("order_number", "segment", "source", "event_id")


def status_was_changed(sender: Any, **said: Any) -> None:
    """Record what a shop's own code says. `sender` is not looked at: shops send instances, classes and None.

    Nor is `send()` always robust, so what cannot be understood is logged, and the shop goes on.
    """
    try:
        event = _event(said)
        StatusChange.of(event).refuse_nonsense()
    except Exception as error:
        told = sorted(set(said) - {"signal"})
        logger.error("status_changed came with %s and is not recorded: %s %s", told, type(error).__name__, error)
        return
    record(event)


def _event(said: Mapping[str, Any]) -> StatusEvent:
    extra = {name: str(said[name]) for name in FIELDS if said.get(name) is not None}
    return StatusEvent(
        _text(said["order_key"]), said["flow"], _text(said["status"]), _moment(said.get("occurred_at")), **extra
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _moment(said: datetime | None) -> datetime:
    """Aware, and never in the future: else all that really happens until then would count as older news."""
    now = timezone.now()
    if said is None:
        return now
    return min(now, said if timezone.is_aware(said) else timezone.make_aware(said))
