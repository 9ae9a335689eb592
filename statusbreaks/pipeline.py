"""The stages, and the tick that runs them all once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.utils import timezone

from statusbreaks.coupons.services import compensate
from statusbreaks.feedback.services import ask
from statusbreaks.flows.measure import measure
from statusbreaks.flows.reconcile import reconcile
from statusbreaks.flows.services import detect, follow
from statusbreaks.incidents.grouping import group
from statusbreaks.maintenance.services import shield
from statusbreaks.notifications.services import announce, deliver

logger = logging.getLogger("statusbreaks")

Stage = Callable[[datetime], int]

STAGES: Mapping[str, Stage] = {
    stage.__name__: stage
    for stage in (reconcile, follow, detect, measure, group, shield, announce, compensate, ask, deliver)
}


def tick(now: datetime | None = None) -> dict[str, int | None]:
    """Run every stage once: how many rows each worked on, or None for one that failed and was logged.

    Any number of ticks may run at once, and a tick may be killed anywhere: what is open stays open for the next.
    """
    return {name: _run(name, stage, now or timezone.now()) for name, stage in STAGES.items()}


def _run(name: str, stage: Stage, now: datetime) -> int | None:
    try:
        return stage(now)
    except Exception:
        logger.exception("the stage %s stopped; the next tick goes on with it", name)
        return None
