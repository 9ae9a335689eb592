"""Whether a flow stands still. Pure: no clock, no query, no setting.

From the past we know how long a step takes, as the chance that an order which has waited so long goes on now (its
hazard). Over the orders that wait, that adds up to the number of steps which were due. Far fewer having come than were
due is a stop. Real steps are neither independent nor steady, so three things are allowed for before we call it one:

- a flow may run at half its pace without standing still (`SLOWER`);
- of a flow that stands still, a trickle may come through (`TRICKLE`): the score is the log likelihood ratio of
  "a tenth comes" against "all come", never below zero (a one-sided Poisson CUSUM; Page 1954, Lucas 1985);
- steps come in clumps, so a calm flow is judged by turns that are long against its pace (`Pace.turn`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

SLOWER = 2.0
TRICKLE = 0.1
LIMIT = math.log(10_000)  # so rare, one in 10,000, must it be even at the slower pace
CALM = LIMIT / 3
TURN = 3.0  # times the usual time of a step
ENOUGH = 30.0  # steps, before anything is said at all
HALF_LIFE = 90.0  # days: what happened so long ago counts half

# Seconds, from one to 137 days, each longer than the one before by the square root of two; nothing is due later.
EDGES = (0.0, *(2 ** (power / 2) for power in range(48)))
LONGEST = EDGES[-1]
NEVER = 1e300


def bucket(seconds: float) -> int:
    """The number of the bucket that a step of this length falls into."""
    return max(0, bisect_right(EDGES, seconds) - 1)


@dataclass(frozen=True)
class Pace:
    """How a flow leaves a status: the hazard, added up to each of EDGES, and how many steps that rests on."""

    hazard: tuple[float, ...] = ()
    steps: float = 0.0

    @classmethod
    def learned(cls, went_on: Mapping[int, float], unfinished: Mapping[int, float]) -> Pace:
        """From steps by bucket, and from orders that left the count at that age: given up, or waiting still.

        The actuarial estimate: leaving the waiting ones out would make a flow look faster than it is.
        """
        at_risk = sum(went_on.values()) + sum(unfinished.values())
        hazard = [0.0]
        for number in range(len(EDGES) - 1):
            gone = went_on.get(number, 0.0)
            left = gone + unfinished.get(number, 0.0)
            hazard.append(hazard[-1] + gone / (at_risk - left / 2 + 1))
            at_risk -= left
        return cls(tuple(hazard), sum(went_on.values()))

    @property
    def is_known(self) -> bool:
        return self.steps >= ENOUGH

    def due(self, before: float, age: float) -> float:
        """How many steps to expect of one order while its age goes from `before` to `age`, in seconds."""
        return self._upto(age) - self._upto(before)

    def due_slowly(self, before: float, age: float) -> float:
        """The same, were the flow slower than usual."""
        return self.due(before / SLOWER, age / SLOWER)

    @property
    def usual(self) -> float:
        """The seconds in which half the orders go on."""
        for number, (low, high) in enumerate(pairwise(self.hazard)):
            if high >= math.log(2):
                share = (math.log(2) - low) / (high - low)
                return EDGES[number] + share * (EDGES[number + 1] - EDGES[number])
        return LONGEST

    @property
    def turn(self) -> float:
        """Seconds to wait before a calm flow is judged again; one that is not calm is looked at five times as often."""
        return TURN * self.usual

    def _upto(self, age: float) -> float:
        if age <= 0 or not self.hazard:
            return 0.0
        number = bucket(age)
        if number >= len(EDGES) - 1:
            return self.hazard[-1]
        low, high = self.hazard[number : number + 2]
        return low + (high - low) * (age - EDGES[number]) / (EDGES[number + 1] - EDGES[number])


@dataclass(frozen=True)
class Turn:
    """What one turn brought: steps due at the usual and at the slower pace, and steps that came."""

    due: float
    due_slowly: float
    came: int


@dataclass(frozen=True)
class Reading:
    """What speaks for a stop, added up over turns since it last was nothing."""

    due: float = 0.0
    came: int = 0
    score: float = 0.0

    def after(self, turn: Turn) -> Reading:
        score = self.score + (1 - TRICKLE) * turn.due_slowly + math.log(TRICKLE) * turn.came
        if score <= 0:
            return Reading()
        # Not higher than this: a flow that runs again should not have to make up for days.
        return Reading(self.due + turn.due, self.came + turn.came, min(score, 2 * LIMIT))

    @property
    def is_calm(self) -> bool:
        return self.score <= CALM

    @property
    def is_over(self) -> bool:
        return self.score == 0

    @property
    def is_alarming(self) -> bool:
        # At the usual pace too: of orders that waited long already, more may be due at the slower one.
        return self.score >= LIMIT and math.log(self.odds) >= LIMIT

    @property
    def odds(self) -> float:
        """One in how many times so few would come by chance, were the steps independent."""
        return one_in(self.came, self.due)


def one_in(came: int, due: float) -> float:
    """1 / P(X <= came) for X of Poisson's distribution with the mean `due`; NEVER where that is beyond a float."""
    if due <= 0:
        return 1.0
    term = total = 1.0
    for number in range(came, 0, -1):
        term *= number / due
        total += term
        if term < 1e-17 * total:
            break
    logarithm = due - came * math.log(due) + math.lgamma(came + 1) - math.log(total)
    return max(1.0, math.exp(logarithm)) if logarithm < math.log(NEVER) else NEVER
