"""The shop's state over REST: for everybody to read, for staff to change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from statusbreaks.maintenance.models import Closing
from statusbreaks.maintenance.services import publish
from statusbreaks.maintenance.store import reader
from tests.factories import NOW, IncidentFactory

pytestmark = pytest.mark.django_db

API = "/statusbreaks/api/shop/"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, settings, clock):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": tmp_path / "state"}


def close(**facts):
    closing = Closing.objects.create(**{"begins_at": NOW, "ends_at": NOW + timedelta(hours=1), **facts})
    publish(NOW)
    return closing


def test_a_shop_that_never_closed_is_open_and_nothing_is_asked_of_the_database(anyone, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = anyone.get(API)

    assert (answer.status_code, answer.json()) == (200, {"state": "open", "closed": []})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("scope", "state"),
    [("checkout", "partly_closed"), ("site", "closed"), ("writes", "read_only"), ("api", "partly_closed")],
)
def test_what_is_closed_is_said_with_when_it_is_expected_to_open(anyone, scope, state):
    incident = IncidentFactory(published_at=NOW)
    close(scope=scope, incident=incident, expected_open_at=NOW + timedelta(minutes=30))

    assert anyone.get(API).json() == {
        "state": state,
        "closed": [
            {
                "scope": scope,
                "since": "2026-03-02T12:00:00Z",
                "expected_open_at": "2026-03-02T12:30:00Z",
                "incident": incident.reference,
            }
        ],
    }


def test_a_closing_that_has_not_begun_or_is_over_is_not_told(anyone):
    close(begins_at=NOW + timedelta(minutes=1))
    close(ended_at=NOW)

    assert anyone.get(API).json() == {"state": "open", "closed": []}


def test_staff_close_the_checkout_and_open_it_again(staff, anyone, django_capture_on_commit_callbacks):
    incident = IncidentFactory()
    client = staff("add_closing", "change_closing")
    told = {
        "scope": "checkout",
        "reason": "cards down",
        "incident": incident.pk,
        "expected_open_at": "2026-03-02T13:00:00Z",
        "at_most": "02:00:00",
    }

    with django_capture_on_commit_callbacks(execute=True):
        closed = client.post(f"{API}closings/", told, format="json")

    closing = Closing.objects.get()
    assert closed.status_code == 201
    assert closed.json() == {
        "id": closing.pk,
        "scope": "checkout",
        "incident": incident.pk,
        "reason": "cards down",
        "begins_at": "2026-03-02T12:00:00Z",
        "expected_open_at": "2026-03-02T13:00:00Z",
        "ends_at": "2026-03-02T14:00:00Z",
        "ended_at": None,
    }
    assert anyone.get(API).json()["state"] == "partly_closed"

    with django_capture_on_commit_callbacks(execute=True):
        opened = client.post(f"{API}closings/{closing.pk}/open/")

    assert (opened.status_code, opened.json()["ended_at"]) == (200, "2026-03-02T12:00:00Z")
    assert anyone.get(API).json()["state"] == "open"
    assert client.post(f"{API}closings/{closing.pk}/open/").status_code == 409
    assert Closing.objects.get().opened_by == Closing.objects.get().ended_by


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scope": "chekout"}, "scope"),
        ({"at_most": "00:00:00"}, "at_most"),
        ({"at_most": "-1 00:00:00"}, "at_most"),
        ({"at_most": "31 00:00:00"}, "at_most"),
        ({"at_most": "a day"}, "at_most"),
        ({"expected_open_at": "2026-03-02T13:00:00"}, "expected_open_at"),
        ({"begins_at": "9999-01-01T00:00:00Z"}, "begins_at"),
        ({"incident": 1}, "incident"),
        ({"until": "2026-03-02T13:00:00Z"}, "until"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_closed(staff, change, field):
    answer = staff("add_closing").post(f"{API}closings/", {"scope": "checkout", **change}, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Closing.objects.exists()


def test_a_closing_that_is_not_there_cannot_be_opened(staff):
    assert staff("change_closing").post(f"{API}closings/1/open/").status_code == 404
    assert reader.current().leases == ()
