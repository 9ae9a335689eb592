"""Prepared pages: rendered when something changed, checked then, and replaced then by a plain one if they fail."""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from typing import Any

from django.conf.locale import LANG_INFO
from django.template.loader import get_template, render_to_string
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from statusbreaks.exceptions import PageRefused
from statusbreaks.maintenance import words
from statusbreaks.maintenance.answer import LANGUAGE_PARAMETER, NOTICE_MARK, RETURN_MARK
from statusbreaks.maintenance.channels import ALWAYS, openings
from statusbreaks.maintenance.facts import Facts, News, Told, Way
from statusbreaks.maintenance.state import Edition, Page

logger = logging.getLogger("statusbreaks")

TEMPLATE = "statusbreaks/closed/page.html"
NOTICE_TEMPLATE = "statusbreaks/closed/notice.html"
_PARTS = ("style.css", "script.js", "icons.html")
# What fits into the first ten packets of a connection, and so comes in one round trip.
LIMIT = 14_000
_ELSEWHERE = re.compile(
    r"""<(?:link|img|script|iframe|object|embed|video|audio|source)\b[^>]*\s(?:src|href|srcset|data)\s*="""
    r"""|@import|url\(\s*['"]?(?!data:)|http-equiv\s*=\s*['"]?refresh""",
    re.IGNORECASE,
)
_POLICY = (
    "default-src 'none'; style-src {styles}; script-src {scripts}; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Site:
    """What all pages share."""

    shop_name: str
    languages: tuple[str, ...]
    zone: tzinfo


def editions(facts: Facts, site: Site, now: datetime) -> tuple[Edition, ...]:
    """The pages of one closing, for each moment at which they change by themselves."""
    return tuple(_edition(facts, site, now, at) for at in facts.moments(now))


def design() -> str:
    """The source of the templates as they are now: a deployment that changes them has the pages rendered anew."""
    names = (TEMPLATE, NOTICE_TEMPLATE, *(f"statusbreaks/closed/{part}" for part in _PARTS))
    try:
        return "".join(getattr(getattr(get_template(name), "template", None), "source", "") for name in names)
    except Exception:
        return ""  # what is wrong with them is told when they are rendered


def _edition(facts: Facts, site: Site, now: datetime, at: datetime) -> Edition:
    told = {each.language: each for each in facts.told}
    pages = {language: page(facts, told[language], site, at, now) for language in site.languages}
    return Edition(at, pages)


def page(facts: Facts, told: Told, site: Site, at: datetime, updated_at: datetime) -> Page:
    """One page as it is true at `at`. Never raises: for one that fails its checks, a plain one stands in."""
    with translation.override(told.language), timezone.override(site.zone):
        context = _context(facts, told, site, at, updated_at)
        try:
            prepared = _page(context, render_to_string)
            check(prepared.html, context)
        except Exception:
            logger.exception("the closed page (%s) was refused; a plain one is shown", told.language)
            return _page(context, _plainly)
        return prepared


Render = Callable[[str, dict[str, Any]], str]


def _page(context: dict[str, Any], render: Render) -> Page:
    text = render(TEMPLATE, context)
    return Page(
        html=text,
        csp=policy(text),
        notice=render(NOTICE_TEMPLATE, context),
        headline=context["headline"],
        detail=_detail(context),
        edition=context["edition"],
    )


def check(text: str, context: dict[str, Any]) -> None:
    """Raises PageRefused, with the reason, for a page that would not help a shopper."""
    if escape(context["headline"]) not in text:
        raise PageRefused("the headline is missing")
    if not re.search(r"<html[^>]*\slang=", text):
        raise PageRefused("<html> has no lang attribute")
    if NOTICE_MARK not in text:
        raise PageRefused(f"{NOTICE_MARK} is missing: a shopper whose order was not sent would not be told")
    if found := _ELSEWHERE.search(text):
        raise PageRefused(f"it needs something from elsewhere, or reloads by itself: {found[0]}")
    if (size := len(gzip.compress(text.encode()))) > LIMIT:
        raise PageRefused(f"it has {size} bytes compressed, over {LIMIT}")


def policy(text: str) -> str:
    """The Content-Security-Policy that lets run and look just what the page itself holds."""
    return _POLICY.format(styles=_hashes("style", text), scripts=_hashes("script", text))


def _hashes(tag: str, text: str) -> str:
    bodies = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _context(facts: Facts, told: Told, site: Site, at: datetime, updated_at: datetime) -> dict[str, Any]:
    facts, is_late = facts.as_of(at), facts.is_late(at)
    return {
        "shop_name": site.shop_name,
        "language": told.language,
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "languages": [_language(code, told.language) for code in site.languages],
        "headline": told.headline or words.headline(facts),
        "why": told.why or words.why(facts),
        "why_language": told.why_language,
        "scope": facts.scope,
        "is_whole_shop": facts.scope in words.WHOLE_SHOP,
        "takes_orders": facts.scope not in ("account", "api"),
        "is_late": is_late,
        "opens": None if is_late else _moment(facts.expected_open_at, at),
        "opens_sentence": words.opens(facts, at, _local(facts.expected_open_at)),
        "next_news": _moment(facts.next_news_at, at),
        "zone": words.zone(timezone.localtime(at)),
        "zone_name": str(site.zone),
        "ways": [_way(way, at) for way in told.ways],
        "kinds": sorted({way.kind for way in told.ways}),
        "news": [_news(news, told.why, at) for news in _timeline(facts, told)],
        "reference": facts.reference,
        "updated": _moment(updated_at, at),
        "notice_mark": mark_safe(NOTICE_MARK),
        "return_mark": RETURN_MARK,
        "edition": hashlib.sha256(repr((facts, told, site, at)).encode()).hexdigest()[:16],
    }


def _language(code: str, current: str) -> dict[str, Any]:
    known = LANG_INFO.get(code.lower(), LANG_INFO.get(code.split("-")[0], {}))
    name = known.get("name_local", code)
    link = f"?{LANGUAGE_PARAMETER}={code}"
    return {"code": code, "name": name[:1].upper() + name[1:], "link": link, "is_current": code == current}


def _local(moment: datetime | None) -> datetime | None:
    return timezone.localtime(moment) if moment else None


def _moment(moment: datetime | None, now: datetime) -> dict[str, str] | None:
    local = _local(moment)
    if local is None:
        return None
    local_now = timezone.localtime(now)
    return {
        "iso": local.isoformat(timespec="minutes"),
        "date": local.date().isoformat(),
        "day": words.day(local, local_now),
        "time": words.clock(local),
    }


def _timeline(facts: Facts, told: Told) -> list[News]:
    """Latest first, with the closing itself among the news."""
    return sorted([*told.news, News(facts.begins_at, words.closed(facts))], key=lambda news: news.at, reverse=True)


def _news(news: News, why: str, now: datetime) -> dict[str, Any]:
    # What stands at the top of the page is not said twice.
    body = "" if news.body == why else news.body
    return {"at": _moment(news.at, now), "headline": news.headline, "body": body, "language": news.language}


def _way(way: Way, at: datetime) -> dict[str, Any]:
    is_always_open = way.hours.strip() == ALWAYS
    times = [] if is_always_open else openings(way.hours, timezone.localtime(at))
    return {
        **vars(way),
        "hours": words.hours(way.hours),
        "is_always_open": is_always_open,
        "shows_target": way.kind in ("phone", "shop"),
        "open_until": [
            {"from": int(begins.timestamp()), "to": int(ends.timestamp()), "text": _until(ends)}
            for begins, ends in times
        ],
    }


def _until(ends: datetime) -> str:
    return _("Open now, until %(time)s") % {"time": words.clock(ends)}


def _detail(context: dict[str, Any]) -> str:
    """The page in plain sentences, for programs and terminals."""
    said = [context["why"], context["opens_sentence"]]
    if news := context["next_news"]:
        said.append(_("Next news by %(day)s, %(time)s.") % {"day": news["day"], "time": news["time"]})
    return " ".join(said)


def _plainly(template: str, context: dict[str, Any]) -> str:
    """The same without templates: the shop must close also where the page is broken."""
    if template == NOTICE_TEMPLATE:
        back = f'<a href="{RETURN_MARK}">{escape(_("Back to where you were"))}</a>'
        return f"<p><strong>{escape(_('Your order was not sent.'))}</strong> {back}</p>"
    ways = "".join(f"<li>{_plain_way(way)}</li>" for way in context["ways"])
    return (
        f'<!doctype html><html lang="{context["language"]}" dir="{context["direction"]}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(context["headline"])}</title></head>'
        f"<body><main>{NOTICE_MARK}<h1>{escape(context['headline'])}</h1><p>{escape(_detail(context))}</p>"
        f'<ul>{ways}</ul><p><a href="">{escape(_("Try the shop again"))}</a></p></main></body></html>'
    )


def _plain_way(way: dict[str, Any]) -> str:
    text = escape(f"{way['label']}: {way['target']}")
    return f'<a href="{escape(way["href"])}">{text}</a>' if way["href"] else text
