"""The signal door: `status_changed`."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from statusbreaks.flows.services import record
from statusbreaks.shop.values import StatusEvent

FIELDS = ("order_number", "segment", "source", "event_id")


def status_was_changed(
    sender: Any, *, order_key: Any, flow: str, status: str, occurred_at: Any = None, **said: Any
) -> None:
    """Record what a shop's own code says. `sender` is not looked at: shops send instances, classes and None."""
    extra = {name: said[name] for name in FIELDS if name in said}
    record(StatusEvent(str(order_key), flow, str(status), occurred_at or timezone.now(), **extra))
