"""States and pages with as little said as possible."""

from datetime import UTC, datetime, timedelta
from typing import Any

from statusbreaks.maintenance.answer import NOTICE_MARK, RETURN_MARK
from statusbreaks.maintenance.state import Edition, Lease, Map, Page, Snapshot

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

MAP = Map(
    scopes={"checkout": ("/checkout/",), "account": ("/account/",), "api": ("/api/",), "gifts": ("/gifts/", "/wrap/")},
    always_open=("/webhooks/", "/static/", "/robots.txt"),
    writable=("/login/",),
)


def page(language: str = "en", headline: str = "Closed") -> Page:
    html = f'<html lang="{language}"><body>{NOTICE_MARK}<h1>{headline} ({language})</h1></body></html>'
    notice = f'<p>Your order was not sent. <a href="{RETURN_MARK}">Back</a></p>'
    return Page(html, "default-src 'none'", notice, f"{headline} ({language})", "We are at it.", f"edition-{language}")


def pages(*languages: str, headline: str = "Closed") -> dict[str, Page]:
    return {language: page(language, headline) for language in languages or ("en", "de", "pl")}


def lease(scope: str = "site", **facts: Any) -> Lease:
    values = {
        "id": 1,
        "scope": scope,
        "begins_at": NOW - HOUR,
        "ends_at": NOW + 24 * HOUR,
        "expected_open_at": None,
        "editions": (Edition(NOW - HOUR, pages()),),
        **facts,
    }
    return Lease(**values)


def snapshot(*leases: Lease, **facts: Any) -> Snapshot:
    values = {
        "version": 1,
        "published_at": NOW,
        "fingerprint": "f",
        "map": MAP,
        "languages": ("en", "de", "pl"),
        **facts,
    }
    return Snapshot(leases=leases, **values)
