"""Tell the world after the commit, and let nobody's receiver break it."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

logger = logging.getLogger("statusbreaks")


def emit(signal: Signal, sender: Any, **payload: Any) -> None:
    """Send `signal` once the current transaction has committed; a receiver that fails is logged, never raised."""
    if signal.has_listeners(sender):
        transaction.on_commit(partial(_send, signal, sender, payload), robust=True)


def _send(signal: Signal, sender: Any, payload: dict[str, Any]) -> None:
    for receiver, result in signal.send_robust(sender=sender, **payload):
        if isinstance(result, Exception):
            logger.error("receiver %r of %s failed: %s", receiver, sender, type(result).__name__, exc_info=result)
