"""What a closed shop answers, from bytes prepared beforehand: no template, no table, no cache."""

from __future__ import annotations

import gzip
import html
import json
import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation.trans_real import parse_accept_lang_header

from statusbreaks.maintenance.state import Lease, Page, Snapshot, Visit, decide

# Stands in prepared pages where the notice goes, and in the notice where the way back goes.
NOTICE_MARK = "<!--statusbreaks:notice-->"
RETURN_MARK = "statusbreaks:return"
LANGUAGE_PARAMETER = "shop-language"
_CHOSEN = re.compile(rf"(?:^|&){LANGUAGE_PARAMETER}=([A-Za-z-]{{2,12}})(?:&|$)")

HTML, PROBLEM, TEXT = "text/html", "application/problem+json", "text/plain"
_OFFERED = [HTML, PROBLEM, "application/json", TEXT]

# Seconds. The spread keeps all who waited from coming back at one moment.
SOONEST, LATEST, SPREAD = 60, 3600, 120


def answer(request: HttpRequest, snapshot: Snapshot, lease: Lease, now: datetime) -> HttpResponse:
    """503 with the page of this closing in the visitor's language and in the form that the client can use."""
    pages = lease.pages(now)
    language = choose_language(request, snapshot, pages)
    page, kind = pages[language], choose_kind(request, snapshot, lease)
    response = HttpResponse(_body(request, page, kind, lease), status=503, content_type=f"{kind}; charset=utf-8")
    if kind == HTML:
        _finish_html(request, response, page)
    _set_headers(response, language, retry_after(lease, now))
    if request.headers.get("HX-Request") == "true":
        response["HX-Redirect"] = _where_htmx_finds_the_page(request, snapshot, now)
    return _without_body(response) if request.method == "HEAD" else response


def _body(request: HttpRequest, page: Page, kind: str, lease: Lease) -> bytes:
    if kind == PROBLEM:
        return _problem(page, lease)
    if kind == TEXT:
        return f"{page.headline}\n\n{page.detail}\n".encode()
    if _was_interrupted(request):
        way_back = html.escape(return_path(request))
        return page.html.replace(NOTICE_MARK, page.notice.replace(RETURN_MARK, way_back)).encode()
    return prepared(page.html)[0]


def _was_interrupted(request: HttpRequest) -> bool:
    return request.method not in ("GET", "HEAD")


@lru_cache(maxsize=256)
def prepared(text: str) -> tuple[bytes, bytes]:
    """The page as bytes, plain and compressed; made once a process and page."""
    plain = text.encode()
    return plain, gzip.compress(plain, mtime=0)


def _finish_html(request: HttpRequest, response: HttpResponse, page: Page) -> None:
    response["Content-Security-Policy"] = page.csp
    response["Shop-Edition"] = page.edition  # the page asks for this to learn whether there is news
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    if "gzip" in request.headers.get("Accept-Encoding", "") and not _was_interrupted(request):
        response.content = prepared(page.html)[1]
        response["Content-Encoding"] = "gzip"


def _set_headers(response: HttpResponse, language: str, wait: int) -> None:
    response["Retry-After"] = str(wait)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Accept-Encoding, Accept-Language, Cookie"
    response["Content-Language"] = language
    response["Content-Length"] = str(len(response.content))
    # A closed shop is no error: else Django logs one, and mails it to ADMINS, for every visitor.
    response._has_been_logged = True  # type: ignore[attr-defined]


def _without_body(response: HttpResponse) -> HttpResponse:
    length = response["Content-Length"]
    response.content = b""
    response["Content-Length"] = length
    return response


def _problem(page: Page, lease: Lease) -> bytes:
    """RFC 9457."""
    said = {
        "type": "about:blank",
        "title": page.headline,
        "status": 503,
        "detail": page.detail,
        "scope": lease.scope,
        "expected_open_at": lease.expected_open_at.isoformat() if lease.expected_open_at else None,
        "incident": lease.reference or None,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def retry_after(lease: Lease, now: datetime) -> int:
    """Seconds until it is worth trying again, different for each visitor."""
    opens = min(lease.expected_open_at or lease.ends_at, lease.ends_at)
    promised = (opens - now).total_seconds() if lease.expected_open_at else 0
    return int(min(max(promised, SOONEST), LATEST) + random.uniform(0, SPREAD))  # noqa: S311 - no secret


def choose_language(request: HttpRequest, snapshot: Snapshot, pages: Mapping[str, Page]) -> str:
    """By the page's own links, the address, the cookie, then the browser; always one of `pages`."""
    # Not request.GET, which refuses a query with too many fields.
    chosen = _CHOSEN.search(request.META.get("QUERY_STRING", ""))
    wanted = [chosen[1] if chosen else ""]
    if snapshot.map.prefix_languages:
        wanted.append(request.path_info.lstrip("/").split("/")[0])
    wanted.append(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    wanted += [code for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    found = (match_language(code, list(pages)) for code in wanted)
    return next((code for code in found if code), _default_language(snapshot, pages))


def _default_language(snapshot: Snapshot, pages: Mapping[str, Page]) -> str:
    return next((code for code in snapshot.languages if code in pages), next(iter(pages)))


def match_language(wanted: str, known: Sequence[str]) -> str | None:
    """`de-AT` is served by `de`, and `pt` by `pt-br`."""
    wanted = wanted.lower()
    base = wanted.split("-")[0]
    candidates = [code for code in known if code.lower() in (wanted, base)]
    candidates.sort(key=len, reverse=True)
    related = [code for code in known if base and code.lower().split("-")[0] == base]
    return next(iter([*candidates, *related]), None)


def choose_kind(request: HttpRequest, snapshot: Snapshot, lease: Lease) -> str:
    accepted = request.headers.get("Accept")
    if accepted is None or "text/html" in accepted:
        return PROBLEM if accepted is None and _speaks_json(request, snapshot) else HTML
    preferred = request.get_preferred_type(_OFFERED)
    if "*/*" in accepted and preferred == HTML:
        return _kind_for_anything(request, snapshot)
    return PROBLEM if preferred in (PROBLEM, "application/json") else TEXT


def _kind_for_anything(request: HttpRequest, snapshot: Snapshot) -> str:
    if _speaks_json(request, snapshot):
        return PROBLEM
    return HTML if "Mozilla" in request.headers.get("User-Agent", "") else TEXT


def _speaks_json(request: HttpRequest, snapshot: Snapshot) -> bool:
    return request.content_type == "application/json" or snapshot.map.has("api", request.path_info)


def return_path(request: HttpRequest) -> str:
    """Where the shopper came from, if that was here, as a path; else the front page."""
    came_from = request.headers.get("Referer", "")
    host = request.META.get("HTTP_HOST", "")
    if not host or not url_has_allowed_host_and_scheme(came_from, {host}):
        return "/"
    found = urlsplit(came_from)
    return _local(found.path) + (f"?{found.query}" if found.query else "")


def _where_htmx_finds_the_page(request: HttpRequest, snapshot: Snapshot, now: datetime) -> str:
    """htmx drops a 503 but follows this: to the page that the shopper is on if that is closed too, else to this one."""
    current = _path_of(request.headers.get("HX-Current-URL", ""))
    is_closed = current and decide(snapshot, Visit("GET", current), now).lease
    return _local(current if is_closed else request.path)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # a header may say anything, such as http://[
        return ""


def _local(path: str) -> str:
    return quote("/" + path.lstrip("/\\"), safe="/%:@!$&'()*+,;=~")  # two slashes in front would be another host
