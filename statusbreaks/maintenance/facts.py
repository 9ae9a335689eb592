"""What a closed page says, as a value: made from the tables once, then rendered for each language and moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from statusbreaks.maintenance.channels import is_open


@dataclass(frozen=True)
class News:
    """One entry of the timeline."""

    at: datetime
    headline: str
    body: str = ""
    language: str = ""


@dataclass(frozen=True)
class Way:
    """An alternative channel as it is shown."""

    kind: str
    label: str
    target: str
    href: str
    note: str = ""
    hours: str = ""
    reply_time: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Told:
    """What shoppers are told in one language. Empty texts are filled with general ones.

    `why_language` and that of news name another language, where nothing is written in this one.
    """

    language: str
    headline: str = ""
    why: str = ""
    why_language: str = ""
    news: tuple[News, ...] = ()
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True)
class Facts:
    """One closing with all that its pages need."""

    id: int
    scope: str
    begins_at: datetime
    ends_at: datetime
    expected_open_at: datetime | None = None
    next_news_at: datetime | None = None
    reference: str = ""
    told: tuple[Told, ...] = ()

    def moments(self, now: datetime) -> list[datetime]:
        """When another page becomes true: at once, and as each promised time passes."""
        first = max(now, self.begins_at)
        promised = {self.expected_open_at, self.next_news_at} - {None}
        return [first, *sorted(at for at in promised if at and first < at < self.ends_at)]

    def as_of(self, at: datetime) -> Facts:
        """Without the promises that have passed by then. The page says that it takes longer instead."""
        upcoming = self.next_news_at if self.next_news_at and self.next_news_at > at else None
        return replace(self, next_news_at=upcoming)

    def is_late(self, at: datetime) -> bool:
        return self.expected_open_at is not None and self.expected_open_at <= at


def sorted_ways(ways: list[Way], local_now: datetime) -> tuple[Way, ...]:
    """Where somebody is there now comes first; else in the order of the staff."""
    marked = [replace(way, is_open=is_open(way.hours, local_now)) for way in ways]
    return tuple(sorted(marked, key=lambda way: not way.is_open))
