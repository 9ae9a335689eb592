import asyncio
import gzip
import json
import logging
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.template import Template
from django.test import AsyncClient, Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statusbreaks.maintenance.middleware import MaintenanceMiddleware
from statusbreaks.maintenance.store import reader
from tests.maintenance.build import HOUR, MAP, NOW, lease, page, snapshot

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8", "HTTP_USER_AGENT": "Mozilla/5.0"}

pytestmark = pytest.mark.usefixtures("clock")


def answer(method="get", path="/", **headers):
    """What the door says, with a view behind it that says "through"."""
    door = MaintenanceMiddleware(lambda request: HttpResponse("through"))
    return door(getattr(RequestFactory(), method)(path, **{**BROWSER, **headers}))


def test_an_open_shop_is_not_disturbed(state_dir):
    assert answer().content == b"through"


def test_a_closed_shop_answers_503_with_the_prepared_page(closed):
    closed(lease())

    response = answer()

    assert response.status_code == 503
    assert response.content.decode() == page("en").html
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Length"] == str(len(response.content))
    assert response["Content-Security-Policy"] == "default-src 'none'"
    assert response["Vary"] == "Accept, Accept-Encoding, Accept-Language, Cookie"
    assert response["Shop-Edition"] == "edition-en"
    assert not response.cookies


def test_a_part_that_is_closed_leaves_the_rest_open(closed):
    closed(lease("checkout"))

    assert answer(path="/checkout/").status_code == 503
    assert answer(path="/").content == b"through"


def test_a_read_only_shop_refuses_what_writes(closed):
    closed(lease("writes"))

    assert answer("post", "/basket/").status_code == 503
    assert answer("get", "/basket/").content == b"through"


def test_head_is_answered_like_get_without_a_body(closed):
    closed(lease())

    head, get = answer("head"), answer("get")

    assert head.content == b""
    assert head["Content-Length"] == get["Content-Length"]
    assert head.status_code == 503


def test_a_browser_that_takes_gzip_gets_the_same_page_compressed(closed):
    closed(lease())

    response = answer(HTTP_ACCEPT_ENCODING="br, gzip")

    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content).decode() == page("en").html
    assert response["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize(
    ("path", "headers", "language"),
    [
        ("/", {}, "en"),
        ("/", {"HTTP_ACCEPT_LANGUAGE": "pl,en;q=0.5"}, "pl"),
        ("/", {"HTTP_ACCEPT_LANGUAGE": "fr, de-AT;q=0.9, pl;q=0.5"}, "de"),
        ("/", {"HTTP_ACCEPT_LANGUAGE": "xx"}, "en"),
        ("/", {"HTTP_ACCEPT_LANGUAGE": "de", "HTTP_COOKIE": "django_language=pl"}, "pl"),
        ("/", {"HTTP_COOKIE": "django_language=<script>"}, "en"),
        ("/pl/offers/", {"HTTP_ACCEPT_LANGUAGE": "de"}, "pl"),
        ("/pl/offers/?shop-language=de", {}, "de"),
        ("/?a=1&shop-language=de&b=2", {"HTTP_COOKIE": "django_language=pl"}, "de"),
        ("/?" + "&".join("a=1" for _ in range(2000)), {}, "en"),
    ],
)
def test_the_language_is_the_visitors(closed, path, headers, language):
    closed(lease(), map=replace(MAP, prefix_languages=("en", "de", "pl")))

    response = answer(path=path, **headers)

    assert response["Content-Language"] == language
    assert response.content.decode() == page(language).html


def test_a_language_that_was_not_published_is_served_in_another(closed):
    closed(lease(), languages=("fr", "pl"))

    assert answer()["Content-Language"] == "pl"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"HTTP_ACCEPT": "application/json"}, "application/problem+json"),
        ({"HTTP_ACCEPT": "application/problem+json, application/json;q=0.9"}, "application/problem+json"),
        ({"HTTP_ACCEPT": "*/*", "HTTP_USER_AGENT": "curl/8.1"}, "text/plain"),
        ({"HTTP_ACCEPT": "*/*"}, "text/html"),
        ({"HTTP_ACCEPT": "image/avif,image/webp"}, "text/plain"),
        ({"HTTP_ACCEPT": "*/*", "CONTENT_TYPE": "application/json"}, "application/problem+json"),
        ({"HTTP_ACCEPT": "text/plain"}, "text/plain"),
    ],
)
def test_each_client_is_answered_in_a_form_that_it_can_use(closed, headers, kind):
    closed(lease())

    assert answer(**headers)["Content-Type"] == f"{kind}; charset=utf-8"


def test_a_client_that_names_no_form_gets_a_page_and_the_api_a_problem(closed):
    closed(lease())
    door = MaintenanceMiddleware(lambda request: HttpResponse("through"))

    assert door(RequestFactory().get("/"))["Content-Type"] == "text/html; charset=utf-8"
    assert door(RequestFactory().get("/api/orders/"))["Content-Type"] == "application/problem+json; charset=utf-8"


def test_a_program_is_told_what_is_closed_and_until_when(closed):
    closed(lease("api", expected_open_at=NOW + HOUR, reference="KT-7"))

    response = answer("post", "/api/orders/", HTTP_ACCEPT="application/json", HTTP_ACCEPT_LANGUAGE="de")

    assert json.loads(response.content) == {
        "type": "about:blank",
        "title": "Closed (de)",
        "status": 503,
        "detail": "We are at it.",
        "scope": "api",
        "expected_open_at": "2026-03-02T13:00:00+00:00",
        "incident": "KT-7",
    }


def test_a_terminal_gets_plain_sentences(closed):
    closed(lease())

    response = answer(HTTP_ACCEPT="*/*", HTTP_USER_AGENT="curl/8.1")

    assert response.content.decode() == "Closed (en)\n\nWe are at it.\n"


@pytest.mark.parametrize(
    ("expected", "least", "most"),
    [
        (NOW + HOUR / 2, 1800, 1920),
        (NOW - HOUR, 60, 180),
        (None, 60, 180),
        (NOW + 12 * HOUR, 3600, 3720),
    ],
)
def test_visitors_are_asked_back_when_it_opens_but_not_all_at_once(closed, expected, least, most):
    closed(lease(expected_open_at=expected))

    waits = {int(answer()["Retry-After"]) for _ in range(50)}

    assert least <= min(waits)
    assert max(waits) <= most
    assert len(waits) > 10


@pytest.mark.parametrize(
    ("referer", "leads_to"),
    [
        ("http://testserver/checkout/?step=2", "/checkout/?step=2"),
        ("http://testserver/a%20b/", "/a%20b/"),
        ("https://evil.example/checkout/", "/"),
        ("http://testserver//evil.example/", "/evil.example/"),
        ("javascript:alert(1)", "/"),
        ('http://testserver/"><script>', "/%22%3E%3Cscript%3E"),
        ('http://testserver/?"><script>', "/?&quot;&gt;&lt;script&gt;"),
        ("", "/"),
    ],
)
def test_a_form_that_was_not_accepted_is_said_not_to_be_sent_and_leads_back_here_only(closed, referer, leads_to):
    closed(lease("checkout"))

    html = answer("post", "/checkout/", HTTP_REFERER=referer, HTTP_HOST="testserver").content.decode()

    assert f'Your order was not sent. <a href="{leads_to}">' in html


def test_a_page_that_was_only_looked_at_does_not_speak_of_an_order(closed):
    closed(lease())

    assert "not sent" not in answer().content.decode()


@pytest.mark.parametrize(
    ("current", "leads_to"),
    [
        ("http://testserver/checkout/", "/checkout/"),
        ("http://testserver/", "/checkout/pay/"),
        ("http://testserver//checkout/x", "/checkout/x"),
        ("", "/checkout/pay/"),
    ],
)
def test_htmx_which_drops_a_503_is_sent_to_a_page_that_is_closed(closed, current, leads_to):
    closed(lease("checkout"))

    response = answer("post", "/checkout/pay/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=current)

    assert response["HX-Redirect"] == leads_to


def test_the_door_works_in_an_asynchronous_stack(closed):
    async def view(request):
        return HttpResponse("through")

    door = MaintenanceMiddleware(view)
    request = RequestFactory().get("/checkout/", **BROWSER)
    before = asyncio.run(door(request))

    closed(lease("checkout"))
    after = asyncio.run(door(request))

    assert before.content == b"through"
    assert (after.status_code, after.content.decode()) == (503, page("en").html)


def test_a_request_can_be_asked_what_is_open(closed):
    closed(lease("checkout"))
    request = RequestFactory().get("/")

    MaintenanceMiddleware(lambda request: HttpResponse("through"))(request)

    assert request.shop_status.closed == ["checkout"]
    assert not request.shop_status.is_open("checkout")
    assert request.shop_status.is_open("account")


@pytest.fixture
def everything_is_down(monkeypatch):
    """No database, no cache, no template: who asks one of them fails."""

    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)
    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)
    monkeypatch.setattr(type(cache._connections["default"]), "get", refuse)
    monkeypatch.setattr(Template, "render", refuse)


def test_the_closed_page_stands_when_everything_else_lies_down(closed, everything_is_down):
    closed(lease())
    client = Client(HTTP_COOKIE="sessionid=abcdefghijklmnopqrstuvwxyz012345", **BROWSER)

    response = client.get("/")

    assert (response.status_code, response.content.decode()) == (503, page("en").html)


def test_the_same_holds_for_an_asynchronous_server(closed, everything_is_down):
    closed(lease())

    response = asyncio.run(AsyncClient().get("/", headers={"cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}))

    assert (response.status_code, response.content.decode()) == (503, page("en").html)


@pytest.mark.django_db
def test_a_closed_shop_asks_the_database_nothing(closed, django_assert_num_queries):
    closed(lease())

    with django_assert_num_queries(0):
        response = Client(HTTP_COOKIE="sessionid=abcdefghijklmnopqrstuvwxyz012345").get("/")

    assert response.status_code == 503


def test_a_closed_shop_is_no_error_in_the_log(closed, caplog, mailoutbox, settings):
    settings.ADMINS = [("Ada", "ada@example.com")]
    closed(lease())

    with caplog.at_level(logging.INFO, "django.request"):
        Client(**BROWSER).get("/")

    assert [record for record in caplog.records if record.name == "django.request"] == []
    assert mailoutbox == []


def test_what_always_stays_open_stays_open(closed):
    closed(lease())

    assert answer("post", "/webhooks/pay/").content == b"through"
    assert answer("options", "/api/orders/").content == b"through"


headers = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
urls = st.one_of(
    headers, st.sampled_from(["http://[", "http://testserver:port/", "//", "http://testserver//x", "\\\\x"])
)


@given(accept=headers, language=headers, agent=headers, cookie=headers, referer=urls, current=urls, query=headers)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_client_sends_it_is_answered(closed, accept, language, agent, cookie, referer, current, query):
    if not reader.current().leases:
        closed(lease())

    response = answer(
        "post",
        "/checkout/",
        QUERY_STRING=query,
        HTTP_ACCEPT=accept,
        HTTP_ACCEPT_LANGUAGE=language,
        HTTP_USER_AGENT=agent,
        HTTP_COOKIE=cookie,
        HTTP_REFERER=referer,
        HTTP_HX_REQUEST="true",
        HTTP_HX_CURRENT_URL=current,
    )

    assert response.status_code == 503
    assert not response["HX-Redirect"].startswith(("//", "/\\"))


def test_snapshot_is_immutable():
    with pytest.raises(AttributeError):
        snapshot().version = 2
