"""Alternative channels as pure values: where a link leads, and when somebody is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import quote, urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ALWAYS = "24/7"
_RULE = re.compile(r"^(?P<days>[A-Za-z,\- ]*?)\s*(?P<begins>\d{1,2}:\d{2})\s*-\s*(?P<ends>\d{1,2}:\d{2})$")
_MIDNIGHT = "24:00"


@dataclass(frozen=True)
class Span:
    """Open on these days (0 is Monday) from `begins` until `ends`, minutes after midnight, end not included."""

    days: tuple[int, ...]
    begins: int
    ends: int

    def holds(self, at: datetime) -> bool:
        return at.weekday() in self.days and self.begins <= at.hour * 60 + at.minute < self.ends


def parse_hours(text: str) -> tuple[Span, ...]:
    """`Mo-Fr 08:00-20:00; Sa 09:00-14:00`, no days meaning all, or `24/7`. ValueError names what cannot be read."""
    if text.strip() == ALWAYS:
        return (Span(tuple(range(7)), 0, 24 * 60),)
    return tuple(_span(rule.strip()) for rule in text.split(";") if rule.strip())


def _span(rule: str) -> Span:
    match = _RULE.match(rule)
    if not match:
        raise ValueError(rule)
    span = Span(_days(match["days"]), _minutes(match["begins"]), _minutes(match["ends"]))
    if span.begins >= span.ends:
        raise ValueError(rule)
    return span


def _days(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.replace(" ", "").split(",") if text.strip() else ["Mo-Su"]:
        first, _dash, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        found += range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
    return tuple(sorted(set(found)))


def _day(name: str) -> int:
    return DAYS.index(name[:2].capitalize())


def _minutes(text: str) -> int:
    if text == _MIDNIGHT:
        return 24 * 60
    moment = time.fromisoformat(text.zfill(5))
    return moment.hour * 60 + moment.minute


def is_open(hours: str, at: datetime) -> bool:
    """Whether somebody is there at the local time `at`. Without stated hours: no, so that nothing is promised."""
    return any(span.holds(at) for span in parse_hours(hours))


def href(kind: str, target: str) -> str:
    """Where the link leads; empty where there is nothing to open, as for a street address."""
    return _LINKS.get(kind, _web)(target.strip())


def _web(target: str) -> str:
    return target if urlsplit(target).scheme in ("http", "https") else ""


def _telephone(target: str) -> str:
    return "tel:" + _digits(target) if len(_digits(target)) >= 3 and not _web(target) else ""


def _whatsapp(target: str) -> str:
    return _web(target) or ("https://wa.me/" + _digits(target).lstrip("+") if _telephone(target) else "")


def _mail(target: str) -> str:
    return "mailto:" + quote(target, safe="@+") if re.fullmatch(r"[^@\s]+@[^@\s]+", target) else ""


def _digits(target: str) -> str:
    return re.sub(r"[^\d+]", "", target)


_LINKS = {"phone": _telephone, "whatsapp": _whatsapp, "email": _mail}
_WANTED: Mapping[str, str | Promise] = {
    "phone": _("This is no phone number."),
    "whatsapp": _("This is no phone number."),
    "email": _("This is no e-mail address."),
    "shop": "",
}


def target_problem(kind: str, target: str) -> str | Promise:
    """What is wrong with it, in a sentence; empty if nothing is."""
    if href(kind, target):
        return ""
    return _WANTED.get(kind, _("A web address is needed, beginning with https://."))


def hours_problem(hours: str) -> str | Promise:
    try:
        parse_hours(hours)
    except ValueError:
        return _("Write opening hours like this: Mo-Fr 08:00-20:00; Sa 09:00-14:00")
    return ""


def openings(hours: str, local_now: datetime, days: int = 2) -> list[tuple[datetime, datetime]]:
    """From when until when somebody is there, from this day on; times in the zone of `local_now`."""
    dates = [(local_now + timedelta(days=n)).date() for n in range(days)]
    spans = parse_hours(hours)
    return [
        (_moment(date, span.begins, local_now), _moment(date, span.ends, local_now))
        for date in dates
        for span in spans
        if date.weekday() in span.days
    ]


def _moment(day: date, minutes: int, like: datetime) -> datetime:
    # By the clock on the wall, also on the days when that jumps.
    day, minutes = day + timedelta(days=minutes // 1440), minutes % 1440
    return datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=like.tzinfo)
