"""How something is measured, and what a row of the table says."""

from __future__ import annotations

import gc
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Literal

Step = Callable[[], object]
Sense = Literal["at most", "at least"]


class Missing(Exception):
    """A service or a package that a benchmark needs is not here; the text says which."""

    STATUS = 3  # with which the process of one benchmark says so


@dataclass(frozen=True)
class Measure:
    """Medians in seconds, and the median of the ratios of neighbours in time."""

    ours: float
    peer: float
    ratio: float


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    ours: float
    peer: float
    ratio: float
    bound: float
    sense: Sense

    @property
    def kept(self) -> bool:
        return self.ratio <= self.bound if self.sense == "at most" else self.ratio >= self.bound

    def as_json(self) -> str:
        values = {"name": self.name, "ratio": round(self.ratio, 4), "bound": self.bound, "sense": self.sense}
        return json.dumps({**values, "kept": self.kept})

    def dump(self) -> str:
        return json.dumps(asdict(self))


def row(name: str, what: str, measure: Measure, *, bound: float, sense: Sense = "at most") -> Row:
    return Row(name, what, measure.ours, measure.peer, measure.ratio, bound, sense)


def interleaved(ours: Step, peer: Step, *, rounds: int, prepare: Step = lambda: None) -> Measure:
    """Time both in turns, each first every other round. `prepare` runs untimed before each of them."""
    for step in (peer, ours, peer, ours):  # caches, plans and lazy imports
        prepare()
        step()
    pairs = [_pair(ours, peer, prepare, ours_first=bool(index % 2)) for index in range(rounds)]
    return Measure(
        ours=statistics.median(own for own, _ in pairs),
        peer=statistics.median(other for _, other in pairs),
        ratio=statistics.median(own / other for own, other in pairs),
    )


def _pair(ours: Step, peer: Step, prepare: Step, *, ours_first: bool) -> tuple[float, float]:
    if ours_first:
        own = _seconds(ours, prepare)
        return own, _seconds(peer, prepare)
    other = _seconds(peer, prepare)
    return _seconds(ours, prepare), other


def _seconds(step: Step, prepare: Step) -> float:
    prepare()
    gc.collect(0)
    gc.disable()
    try:
        begin = perf_counter()
        step()
        return perf_counter() - begin
    finally:
        gc.enable()
