"""The sentences of the closed page that stand in no table, in the language that is active."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from statusbreaks.maintenance.channels import ALWAYS, parse_hours
from statusbreaks.maintenance.facts import Facts

HEADLINES = {
    "site": gettext_lazy("Sorry, the shop is closed for a short while"),
    "storefront": gettext_lazy("Sorry, the shop is closed for a short while"),
    "checkout": gettext_lazy("Sorry, the checkout is closed for a short while"),
    "account": gettext_lazy("Sorry, customer accounts are closed for a short while"),
    "writes": gettext_lazy("Sorry, for a short while you can look around but not order"),
    "api": gettext_lazy("The API is closed for a short while"),
}
OTHER_HEADLINE = gettext_lazy("Sorry, this part of the shop is closed for a short while")

CLOSED = {
    "site": gettext_lazy("Shop closed"),
    "storefront": gettext_lazy("Shop closed"),
    "checkout": gettext_lazy("Checkout closed"),
    "account": gettext_lazy("Customer accounts closed"),
    "writes": gettext_lazy("Orders stopped"),
    "api": gettext_lazy("API closed"),
}
OTHER_CLOSED = gettext_lazy("Closed")

WHY = {
    "site": gettext_lazy("We are putting something right, and closed the shop so that nothing goes wrong with orders."),
    "checkout": gettext_lazy("We are putting something right, and stopped taking orders so that nobody pays in vain."),
}
OTHER_WHY = gettext_lazy("We are putting something right, and closed it so that nothing gets lost.")

# Django writes the days of these languages as at the beginning of a sentence; here they stand within one.
LOWER_CASE_DAYS = ("cs", "pl", "pt", "pt-br", "ru", "sk", "uk")

# A shop that is closed as a whole has nothing to go back to.
WHOLE_SHOP = ("site", "storefront")


def headline(facts: Facts) -> str:
    return str(HEADLINES.get(facts.scope, OTHER_HEADLINE))


def closed(facts: Facts) -> str:
    return str(CLOSED.get(facts.scope, OTHER_CLOSED))


def why(facts: Facts) -> str:
    return str(WHY.get("site" if facts.scope in WHOLE_SHOP else facts.scope, OTHER_WHY))


def day(local: datetime, now: datetime) -> str:
    """A weekday says enough for six days; after that it would be another one."""
    name = date_format(local, "l")
    if get_language() in LOWER_CASE_DAYS:
        name = name.lower()
    near = abs((local.date() - now.date()).days) < 7
    return name if near else f"{name}, {date_format(local, 'DATE_FORMAT')}"


def clock(local: datetime) -> str:
    return date_format(local, "H:i")


def zone(local: datetime) -> str:
    """`Warsaw (CET)`; the abbreviation alone where the zone is no place."""
    name, short = str(local.tzinfo), local.tzname() or ""
    place = name.rpartition("/")[2].replace("_", " ") if "/" in name else ""
    return f"{place} ({short})" if place else short


def opens(facts: Facts, at: datetime, local: datetime | None) -> str:
    """One plain sentence about the opening, for clients that read no HTML."""
    if local is None or facts.is_late(at):
        return _("It takes longer than we said.") if local else _("We do not know yet when it opens.")
    said = {"day": day(local, at), "time": clock(local), "zone": zone(local)}
    return _("We expect to open on %(day)s at %(time)s, %(zone)s.") % said


def hours(text: str) -> str:
    """`Mo-Fr 08:00-20:00` in the reader's words. It names times, not “now”, so that it stays true."""
    if text.strip() == ALWAYS:
        return _("Always open")
    return "; ".join(_span(span.days, span.begins, span.ends) for span in parse_hours(text))


def _span(days: tuple[int, ...], begins: int, ends: int) -> str:
    times = f"{begins // 60:02}:{begins % 60:02}–{ends // 60:02}:{ends % 60:02}"
    which = _("Daily") if len(days) == 7 else ", ".join(_runs(days))
    return f"{which} {times}"


def _runs(days: tuple[int, ...]) -> Iterator[str]:
    """0,1,2,4 → Mon–Wed, Fri"""
    for _offset, group in groupby(enumerate(days), key=lambda pair: pair[1] - pair[0]):
        run = [number for _index, number in group]
        first, last = str(WEEKDAYS_ABBR[run[0]]), str(WEEKDAYS_ABBR[run[-1]])
        yield first if first == last else f"{first}–{last}"
