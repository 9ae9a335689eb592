"""What follows from a status. Pure: no clock, no query, no setting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar


class Rule(Protocol):
    """An expectation, as far as it is judged here."""

    flow: str
    after: str
    segment: str


R = TypeVar("R", bound=Rule)


@dataclass(frozen=True)
class Step:
    """An order's flow left one status for another. `before` is empty for an order that was not known."""

    flow: str
    segment: str
    before: str
    after: str
    entered_at: datetime
    left_at: datetime


def expectation_for(flow: str, status: str, segment: str, rules: Iterable[R]) -> R | None:
    """The rule for this segment, else the one for every segment, else None."""
    fitting = [rule for rule in rules if rule.flow == flow and rule.after == status and rule.segment in ("", segment)]
    return max(fitting, key=lambda rule: bool(rule.segment), default=None)
