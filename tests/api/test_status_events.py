"""The door for shops in other processes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient

from statusbreaks.api.base import Json, TooLarge
from statusbreaks.api.events import AT_ONCE
from statusbreaks.flows.models import StatusChange, Watch
from statusbreaks.flows.services import follow
from statusbreaks.shop.models import ReportedOrder
from tests.factories import NOW

pytestmark = pytest.mark.django_db

URL = "/statusbreaks/api/status-events/"
EVENT = {"order_key": "o-1", "flow": "payment", "status": "authorised", "occurred_at": "2026-03-02T11:00:00Z"}


@pytest.fixture
def door(clock: Any) -> Any:
    """Posts with the token of the source "warehouse"."""
    client = APIClient(headers={"authorization": "Bearer warehouse-token"})
    return lambda body: client.post(URL, body, format="json")


def counts() -> tuple[int, int]:
    return StatusChange.objects.count(), ReportedOrder.objects.count()


def test_an_event_goes_into_the_ledger_and_what_it_tells_of_the_order_beside_it(door):
    told = {
        **EVENT,
        "segment": "paywell",
        "order_number": "1001",
        "customer": {"email": "ada@example.com", "phone": "+48 1", "name": "Ada", "language": "pl"},
        "value": "40.00",
        "currency": "EUR",
        "placed_at": "2026-03-02T11:30:00+01:00",
        "promised_at": "2026-03-05T12:00:00Z",
    }

    answer = door(told)

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "known": 0})
    change = StatusChange.objects.get()
    assert (change.source, change.order_key, change.order_number) == ("warehouse", "o-1", "1001")
    assert (change.flow, change.status, change.segment, change.via) == ("payment", "authorised", "paywell", "api")
    assert change.occurred_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    order = ReportedOrder.objects.get()
    assert (order.source, order.order_key, order.order_number) == ("warehouse", "o-1", "1001")
    assert (order.email, order.phone, order.name, order.language) == ("ada@example.com", "+48 1", "Ada", "pl")
    assert (order.value, order.currency) == (Decimal(40), "EUR")
    assert order.placed_at == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    assert order.promised_at == datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_an_event_without_a_time_happened_now(door):
    door({"order_key": "o-1", "flow": "payment", "status": "paid"})

    assert StatusChange.objects.get().occurred_at == NOW


def test_a_list_of_events_is_taken_at_once(door):
    answer = door([EVENT, {**EVENT, "order_key": "o-2"}, {**EVENT, "status": "paid"}])

    assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "known": 0})


@pytest.mark.parametrize("extra", [{}, {"event_id": "e-1"}])
def test_twice_the_same_event_changes_nothing(door, extra):
    event = {**EVENT, **extra, "customer": {"email": "ada@example.com"}}
    door(event)
    door({**EVENT, "status": "paid", "event_id": "e-2", "customer": {"email": "new@example.com"}})

    answer = door(event)

    assert answer.json() == {"accepted": 0, "known": 1}
    assert counts() == (2, 1)
    assert ReportedOrder.objects.get().email == "new@example.com"


def test_twice_the_same_event_in_one_list_is_one(door):
    answer = door([EVENT, EVENT, {**EVENT, "status": "paid"}])

    assert answer.json() == {"accepted": 2, "known": 1}
    assert StatusChange.objects.count() == 2


def test_the_same_event_id_of_another_source_is_another_event(door, settings):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "API_TOKENS": {"warehouse": "warehouse-token", "till": "t"}}
    door({**EVENT, "event_id": "e-1"})

    answer = APIClient(headers={"authorization": "bearer t"}).post(URL, {**EVENT, "event_id": "e-1"}, format="json")

    assert answer.json() == {"accepted": 1, "known": 0}
    assert sorted(StatusChange.objects.values_list("source", flat=True)) == ["till", "warehouse"]


def test_what_is_not_told_again_keeps_its_value(door):
    door({**EVENT, "customer": {"email": "ada@example.com", "name": "Ada"}, "value": "40"})
    door({**EVENT, "status": "paid", "customer": {"email": "", "phone": "+48 1"}})

    order = ReportedOrder.objects.get()
    assert (order.email, order.phone, order.name, order.value) == ("ada@example.com", "+48 1", "Ada", Decimal(40))


def test_what_is_told_of_an_order_in_one_list_comes_together(door):
    door([{**EVENT, "customer": {"name": "Ada"}}, {**EVENT, "status": "paid", "customer": {"email": "a@example.com"}}])

    order = ReportedOrder.objects.get()
    assert (order.name, order.email) == ("Ada", "a@example.com")


def test_an_event_that_tells_nothing_of_the_order_leaves_no_row_of_it(door):
    door(EVENT)

    assert counts() == (1, 0)


def test_an_older_event_goes_into_the_ledger_and_moves_no_watch_backwards(door):
    door({**EVENT, "status": "paid"})
    door({**EVENT, "status": "authorised", "occurred_at": "2026-03-02T10:00:00Z"})

    follow(NOW)

    assert StatusChange.objects.count() == 2
    assert Watch.objects.get().status == "paid"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Bearer ", "Token warehouse-token", "Bearer wärme"])
def test_without_a_known_token_nothing_is_taken(anyone, header):
    answer = anyone.post(URL, EVENT, format="json", headers={"authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="status-events"'
    assert counts() == (0, 0)


def test_an_empty_token_in_the_settings_opens_nothing(anyone, settings):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "API_TOKENS": {"warehouse": ""}}

    assert anyone.post(URL, EVENT, format="json", headers={"authorization": "Bearer "}).status_code == 401


def test_a_session_does_not_open_this_door(staff):
    assert staff().post(URL, EVENT, format="json").status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"flow": "returns"}, "flow"),
        ({"flow": ["payment"]}, "flow"),
        ({"order_key": ""}, "order_key"),
        ({"order_key": None}, "order_key"),
        ({"order_key": "x" * 65}, "order_key"),
        ({"order_key": "a\x00b"}, "order_key"),
        ({"order_key": {}}, "order_key"),
        ({"status": ""}, "status"),
        ({"status": "x" * 65}, "status"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-03-02T11:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-03-02"}, "occurred_at"),
        ({"occurred_at": "2026-03-02T12:16:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:00-14:00"}, "occurred_at"),
        ({"occurred_at": 1772449200}, "occurred_at"),
        ({"event_id": "x" * 201}, "event_id"),
        ({"segment": "x" * 65}, "segment"),
        ({"value": "NaN"}, "value"),
        ({"value": "-1"}, "value"),
        ({"value": "1.2345"}, "value"),
        ({"currency": "euro"}, "currency"),
        ({"placed_at": "2026-03-02T11:00:00"}, "placed_at"),
        ({"promised_at": "soon"}, "promised_at"),
        ({"customer": {"email": "ada"}}, "customer"),
        ({"customer": {"mail": "ada@example.com"}}, "customer"),
        ({"customer": "ada@example.com"}, "customer"),
        ({"occured_at": "2026-03-02T11:00:00Z"}, "occured_at"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_taken(door, change, field):
    answer = door({**EVENT, **change})

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert counts() == (0, 0)


@pytest.mark.parametrize("missing", ["order_key", "flow", "status"])
def test_what_is_missing_is_named(door, missing):
    answer = door({name: value for name, value in EVENT.items() if name != missing})

    assert (answer.status_code, list(answer.json())) == (400, [missing])


def test_one_wrong_event_of_a_list_stops_all_of_it_and_is_found_by_its_place(door):
    answer = door([EVENT, {**EVENT, "flow": "returns"}])

    assert (answer.status_code, list(answer.json()), list(answer.json()["1"])) == (400, ["1"], ["flow"])
    assert counts() == (0, 0)


@pytest.mark.parametrize("body", [[], [EVENT] * (AT_ONCE + 1), [[EVENT]], 5, "text", None, True, [None]])
def test_what_is_no_event_and_no_list_of_some_is_refused(door, body):
    assert door(body).status_code == 400
    assert counts() == (0, 0)


def test_half_a_character_is_no_text():
    client = APIClient(headers={"authorization": "Bearer warehouse-token"})
    body = json.dumps({**EVENT, "status": "\ud800"})

    answer = client.post(URL, body, content_type="application/json")

    assert (answer.status_code, list(answer.json())) == (400, ["status"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"value": NaN}', b"[" * 100_000, b'{"order_key": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_is_refused(body):
    client = APIClient(headers={"authorization": "Bearer warehouse-token"})

    answer = client.post(URL, body, content_type="application/json; charset=rot13")

    assert answer.status_code == 400
    assert counts() == (0, 0)


def test_a_body_that_is_too_large_is_not_read(door):
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100):
        answer = door([EVENT] * 3)

    assert answer.status_code == 413
    assert counts() == (0, 0)


def test_a_body_of_no_told_length_is_measured_before_it_is_understood():
    chunked = SimpleNamespace(body=b"[" * 101)

    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100), pytest.raises(TooLarge):
        Json().parse(chunked)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=None), pytest.raises(ParseError):
        Json().parse(chunked)


def test_a_form_is_no_json():
    client = APIClient(headers={"authorization": "Bearer warehouse-token"})

    assert client.post(URL, "order_key=o-1", content_type="application/x-www-form-urlencoded").status_code == 415


def test_a_clock_that_is_a_little_fast_is_forgiven(door):
    assert door({**EVENT, "occurred_at": (NOW + timedelta(minutes=15)).isoformat()}).status_code == 202


def test_a_source_that_posts_all_the_time_is_told_to_wait(door, monkeypatch):
    monkeypatch.setattr("statusbreaks.api.events.PerSource.rate", "2/min")

    answers = [door({**EVENT, "event_id": f"e-{number}"}) for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert StatusChange.objects.count() == 2


@pytest.mark.parametrize("many", [1, 80])
def test_any_number_of_events_costs_the_same_few_statements(door, many, django_assert_num_queries):
    events = [{**EVENT, "order_key": f"o-{number}", "customer": {"name": "Ada"}} for number in range(many)]

    # A savepoint and its release; what is known; the ledger; the orders: made, locked, written.
    with django_assert_num_queries(7):
        door(events)

    with django_assert_num_queries(3):
        assert door(events).json() == {"accepted": 0, "known": many}
    assert counts() == (many, many)


def test_the_shops_own_rest_settings_change_nothing_here(anyone, clock):
    theirs = {
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
        "EXCEPTION_HANDLER": "nowhere.to.be.found",
        "DATETIME_INPUT_FORMATS": ["%d.%m.%Y"],
    }

    with override_settings(REST_FRAMEWORK=theirs):
        answer = anyone.post(
            URL,
            json.dumps({**EVENT, "flow": "returns"}),
            content_type="application/json",
            headers={"authorization": "Bearer warehouse-token"},
        )

    assert (answer.status_code, list(answer.json())) == (400, ["flow"])


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["email", "flow"]), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*EVENT, "value", "customer", "placed_at", "event_id", "segment"]), anything))
def test_no_body_at_all_is_too_much_for_the_door(door, change):
    assert door({**EVENT, **change}).status_code in (202, 400)
