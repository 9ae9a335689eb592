"""The shop's state as one immutable value, and the decision on a visit. Pure: no clock, no setting, no table.

A closing is a lease: it begins and ends on time by itself, since its times lie in the snapshot. The shop is closed as
long as one lease runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property

from statusbreaks.maintenance.paths import Segments, folded, is_in, is_surely_in, segments
from statusbreaks.maintenance.scopes import BESIDE_THE_STOREFRONT, SITE, STOREFRONT, WRITES

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
PREFLIGHT = "OPTIONS"
_NEVER = datetime.max.replace(tzinfo=UTC)
_BY_WIDTH = {SITE: 2, STOREFRONT: 1}


@dataclass(frozen=True)
class Page:
    """What one closing says in one language: prepared when it was published, only sent when it is asked for.

    `notice` takes the place of NOTICE_MARK in `html` for a shopper whose form was not accepted.
    """

    html: str
    csp: str
    notice: str
    headline: str
    detail: str
    edition: str


@dataclass(frozen=True)
class Edition:
    """The pages from this moment on: a promised time that passes makes another page true, with nobody publishing."""

    shown_from: datetime
    pages: Mapping[str, Page]


@dataclass(frozen=True)
class Lease:
    """One closing as the doors need it."""

    id: int
    scope: str
    begins_at: datetime
    ends_at: datetime
    expected_open_at: datetime | None
    editions: tuple[Edition, ...]
    reference: str = ""

    def runs(self, now: datetime) -> bool:
        return self.begins_at <= now < self.ends_at

    def pages(self, now: datetime) -> Mapping[str, Page]:
        shown = [edition for edition in self.editions if edition.shown_from <= now]
        return (shown[-1] if shown else self.editions[0]).pages


@dataclass(frozen=True)
class Map:
    """Which paths belong to what, and which stay reachable whatever is closed."""

    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    always_open: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    prefix_languages: tuple[str, ...] = ()

    @cached_property
    def _closed(self) -> Mapping[str, tuple[Segments, ...]]:
        return {scope: tuple(folded(segments(path)) for path in paths) for scope, paths in self.scopes.items()}

    @cached_property
    def _open(self) -> tuple[Segments, ...]:
        return tuple(segments(path) for path in self.always_open)

    @cached_property
    def _writable(self) -> tuple[Segments, ...]:
        return tuple(segments(path) for path in self.writable)

    def is_always_open(self, path: str) -> bool:
        return is_surely_in(path, self._open, self.prefix_languages)

    def is_writable(self, path: str) -> bool:
        return is_surely_in(path, self._writable, self.prefix_languages)

    def has(self, scope: str, path: str) -> bool:
        """Whether the path belongs to the scope. A name without paths closes nothing."""
        if scope == SITE:
            return True
        if scope == STOREFRONT:
            return not any(self._surely_has(other, path) for other in BESIDE_THE_STOREFRONT)
        return is_in(path, self._closed.get(scope, ()), self.prefix_languages)

    def _surely_has(self, scope: str, path: str) -> bool:
        return is_surely_in(path, [segments(each) for each in self.scopes.get(scope, ())], self.prefix_languages)


@dataclass(frozen=True)
class Snapshot:
    """Everything that a door needs to know, as it was published."""

    version: int
    published_at: datetime
    fingerprint: str
    leases: tuple[Lease, ...] = ()
    map: Map = field(default_factory=Map)
    languages: tuple[str, ...] = ("en",)

    def running(self, now: datetime) -> list[Lease]:
        return [lease for lease in self.leases if lease.runs(now)]

    def is_open(self, scope: str, now: datetime) -> bool:
        """Whether a named part of the shop is open, for a template or a view that asks beforehand."""
        return not any(_covers(lease.scope, scope) for lease in self.running(now))


OPEN = Snapshot(version=0, published_at=datetime.fromtimestamp(0, UTC), fingerprint="")


class Outcome(Enum):
    THROUGH = "through"
    CLOSED = "closed"
    READ_ONLY = "read-only"


@dataclass(frozen=True)
class Visit:
    """What a door knows of a request. The path is decoded once, as servers hand it over, without the script name."""

    method: str
    path: str

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE_METHODS


@dataclass(frozen=True)
class Decision:
    outcome: Outcome
    lease: Lease | None = None


THROUGH = Decision(Outcome.THROUGH)


def decide(snapshot: Snapshot, visit: Visit, now: datetime) -> Decision:
    """Whether this visit goes through, and by which lease not: the widest, and of those the one that lasts longest."""
    running = snapshot.running(now) if snapshot.leases else []
    if not running or visit.method == PREFLIGHT or snapshot.map.is_always_open(visit.path):
        return THROUGH
    stopped_by = [lease for lease in running if _stops(lease, visit, snapshot.map)]
    if not stopped_by:
        return THROUGH
    lease = max(stopped_by, key=_weight)
    return Decision(Outcome.READ_ONLY if lease.scope == WRITES else Outcome.CLOSED, lease)


def _stops(lease: Lease, visit: Visit, where: Map) -> bool:
    if lease.scope == WRITES:
        return not visit.is_safe and not where.is_writable(visit.path)
    return where.has(lease.scope, visit.path)


def _weight(lease: Lease) -> tuple[int, bool, datetime, datetime]:
    width = _BY_WIDTH.get(lease.scope, 0)
    return width, lease.scope != WRITES, lease.expected_open_at or _NEVER, lease.ends_at


def _covers(closed: str, asked: str) -> bool:
    return closed in (SITE, asked) or (closed == STOREFRONT and asked not in BESIDE_THE_STOREFRONT)
