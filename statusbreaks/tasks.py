"""Celery as a clock: one task that ticks, and the entry that a beat schedule needs.

    app.conf.beat_schedule = beat_schedule()

The database is the truth: a task that is lost, doubled or late loses, doubles and delays nothing but a tick.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task

from statusbreaks import pipeline

EVERY = 30.0  # seconds


@shared_task(name="statusbreaks.tick", ignore_result=True)  # type: ignore[untyped-decorator]
def tick() -> None:
    pipeline.tick()


def beat_schedule(every: float = EVERY) -> dict[str, dict[str, Any]]:
    """The schedule that ticks every so many seconds; ticks that piled up expire instead of running in a row."""
    return {"statusbreaks-tick": {"task": tick.name, "schedule": every, "options": {"expires": every}}}
