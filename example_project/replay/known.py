"""Outages that are known to be in the orders, and what was found of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from example_project.replay.reading import Unreadable

EARLY = timedelta(hours=1)  # an incident that opened so long before the start still belongs to the outage
TIMES = ("start", "last_affected_purchase", "first_release")


@dataclass(frozen=True)
class Outage:
    """From the first order that was stuck to the last one, or to the first that was let go, whichever is later."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start - EARLY <= moment <= self.end


def read_known(path: Path) -> list[Outage]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not text in UTF-8.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unreadable(f"{path} is not JSON: {error}.") from error
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error
    if not isinstance(rows, list) or not rows:
        raise Unreadable(f"{path} should be a JSON list of outages, each with {', '.join(TIMES)}.")
    return sorted((_outage(path, number, row) for number, row in enumerate(rows, 1)), key=lambda outage: outage.start)


def _outage(path: Path, number: int, row: Any) -> Outage:
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in TIMES):
        raise Unreadable(f"{path}: outage {number} should have {', '.join(TIMES)}, as text.")
    try:
        start, last, released = (_moment(row[name]) for name in TIMES)
    except ValueError as error:
        raise Unreadable(f"{path}: outage {number}: {error}. A time looks like 2017-05-02 15:23:09.") from error
    if max(last, released) < start:
        raise Unreadable(f"{path}: outage {number} ends before it starts.")
    return Outage(start, max(last, released))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True)
class Verdict:
    """For each outage the moment it was noticed, or None; and the moments that belong to no outage."""

    found: Sequence[tuple[Outage, datetime | None]]
    false: Sequence[datetime]

    @property
    def delays(self) -> list[timedelta]:
        return [noticed - outage.start for outage, noticed in self.found if noticed]

    @property
    def median_delay(self) -> float | None:
        """In hours."""
        return median(delay / timedelta(hours=1) for delay in self.delays) if self.delays else None


def judge(outages: Sequence[Outage], noticed: Sequence[datetime]) -> Verdict:
    """Each moment counts for one outage at most, and each outage is found by the first; all others are false alarms."""
    left, found = sorted(noticed), []
    for outage in outages:
        first = next((moment for moment in left if outage.holds(moment)), None)
        if first:
            left.remove(first)
        found.append((outage, first))
    return Verdict(found, left)
