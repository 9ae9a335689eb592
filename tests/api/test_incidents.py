"""Incidents, breaks and alarms over REST."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from statusbreaks.incidents.models import Incident, IncidentUpdate
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    AlarmFactory,
    ComponentFactory,
    IncidentFactory,
    IncidentUpdateFactory,
    PlaybookFactory,
    PlaybookTextFactory,
    StatusBreakFactory,
    UpdateTextFactory,
)

pytestmark = pytest.mark.django_db

API = "/statusbreaks/api"
SAID = {"texts": [{"language": "en", "headline": "Found", "body": "We know why."}]}


def test_the_incidents_are_listed_latest_first_a_page_at_a_time(staff):
    first, second, third = IncidentFactory.create_batch(3)
    client = staff("view_incident")

    page = client.get(f"{API}/incidents/?page_size=2").json()
    rest = client.get(page["next"]).json()

    assert [row["id"] for row in page["results"]] == [third.pk, second.pk]
    assert [row["id"] for row in rest["results"]] == [first.pk]
    assert rest["next"] is None


def test_only_incidents_that_last_are_listed_on_demand(staff):
    IncidentFactory(status="resolved")
    open_one = IncidentFactory()

    answer = staff("view_incident").get(f"{API}/incidents/?open=true")

    assert [row["reference"] for row in answer.json()["results"]] == [open_one.reference]


def test_a_question_that_is_not_understood_is_named(staff):
    answer = staff("view_incident").get(f"{API}/incidents/?open=perhaps")

    assert (answer.status_code, list(answer.json())) == (400, ["open"])


@pytest.mark.parametrize("many", [1, 6])
def test_a_page_of_incidents_costs_two_statements_and_the_person_three(staff, many, django_assert_num_queries):
    for incident in IncidentFactory.create_batch(many):
        incident.components.add(ComponentFactory())
    client = staff("view_incident")

    # Session, user, two kinds of permissions; the incidents and their components.
    with django_assert_num_queries(6):
        assert len(client.get(f"{API}/incidents/").json()["results"]) == many


def test_an_incident_tells_its_story(staff, django_assert_num_queries):
    incident = IncidentFactory(resolved_at=NOW)
    incident.components.add(ComponentFactory(slug="cards"))
    UpdateTextFactory(update__incident=incident)
    IncidentUpdateFactory(incident=incident, published_at=None)
    AffectedOrderFactory(incident=incident)
    AffectedOrderFactory(incident=incident, recovered_at=NOW)
    AffectedOrderFactory(incident=incident, removed_at=NOW)
    client = staff("view_incident")

    with django_assert_num_queries(10):
        answer = client.get(f"{API}/incidents/{incident.pk}/").json()

    assert (answer["reference"], answer["components"]) == (incident.reference, ["cards"])
    assert (answer["affected_orders"], answer["waiting_orders"]) == (2, 1)
    assert answer["resolved_at"] == "2026-03-02T12:00:00Z"
    assert [update["texts"] for update in answer["updates"]] == [
        [{"language": "en", "headline": "Looking into it", "body": "Some card payments are not being confirmed."}]
    ]


def test_staff_open_an_incident(staff):
    client = staff("add_incident")
    playbook = PlaybookFactory(publishes=False)
    told = {"kind": "payment", "title": "Cards", "impact": "major", "flow": "payment", "playbook": playbook.pk}

    answer = client.post(f"{API}/incidents/", told, format="json")

    incident = Incident.objects.get()
    assert (answer.status_code, answer.json()["reference"]) == (201, incident.reference)
    assert (incident.title, incident.impact, incident.flow) == ("Cards", "major", "payment")
    assert (incident.status, incident.playbook) == ("investigating", playbook)
    assert incident.opened_by.has_perm("statusbreaks.add_incident")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "weather"}, "kind"),
        ({"title": ""}, "title"),
        ({"title": "x" * 161}, "title"),
        ({"status": "resolved"}, "status"),
        ({"status": "merged"}, "status"),
        ({"impact": "huge"}, "impact"),
        ({"playbook": 10**30}, "playbook"),
        ({"impact_started_at": "2026-03-02T12:00:00"}, "impact_started_at"),
        ({"severety": 1}, "severety"),
    ],
)
def test_what_is_wrong_with_a_new_incident_is_named(staff, change, field):
    answer = staff("add_incident").post(f"{API}/incidents/", {"kind": "order", "title": "x", **change}, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Incident.objects.exists()


def test_an_update_speaks_to_the_public_and_moves_the_incident(staff):
    incident = IncidentFactory()
    told = {**SAID, "status": "identified", "notifies": False, "eta_at": "2026-03-02T15:00:00+01:00"}

    answer = staff("publish_incident").post(f"{API}/incidents/{incident.pk}/updates/", told, format="json")

    update = IncidentUpdate.objects.get()
    assert (answer.status_code, answer.json()["id"], answer.json()["texts"]) == (201, update.pk, SAID["texts"])
    incident.refresh_from_db()
    assert (incident.status, incident.published_at) == ("identified", update.published_at)
    assert (update.notifies, update.eta_at) == (False, NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"texts": []}, "texts"),
        ({"texts": SAID["texts"] * 2}, "texts"),
        ({"texts": [{"language": "en", "headline": "", "body": "x"}]}, "texts"),
        ({"status": "well"}, "status"),
        ({"eta_at": "soon"}, "eta_at"),
        ({"headline": "x"}, "headline"),
    ],
)
def test_what_is_wrong_with_an_update_is_named_and_nothing_is_said(staff, change, field):
    incident = IncidentFactory()

    answer = staff("publish_incident").post(
        f"{API}/incidents/{incident.pk}/updates/", {**SAID, **change}, format="json"
    )

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not IncidentUpdate.objects.exists()


def test_a_step_that_is_not_possible_is_a_conflict_and_says_nothing(staff):
    incident = IncidentFactory(status="resolved")

    answer = staff("publish_incident").post(
        f"{API}/incidents/{incident.pk}/updates/", {**SAID, "status": "monitoring"}, format="json"
    )

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "detail": f"{incident.reference} is “resolved” and cannot become “watching”. "
            "Possible: looking into it, post-mortem."
        },
    )
    assert not IncidentUpdate.objects.exists()


def test_resolving_says_what_the_playbook_holds_ready(staff):
    playbook = PlaybookFactory()
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved")
    incident = IncidentFactory(playbook=playbook, published_at=NOW)

    answer = staff("change_incident").post(f"{API}/incidents/{incident.pk}/resolve/")

    assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
    assert [update["texts"][0]["headline"] for update in answer.json()["updates"]] == ["Solved"]


def test_dismissing_is_possible_once(staff):
    incident, client = IncidentFactory(status="suspected"), staff("change_incident")

    answers = [client.post(f"{API}/incidents/{incident.pk}/dismiss/") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].json()["status"] == "dismissed"


@pytest.mark.parametrize("url", ["incidents/1/", "breaks/1/", f"incidents/{10**30}/"])
def test_what_is_not_there_is_not_found(staff, url):
    assert staff("view_incident", "view_statusbreak").get(f"{API}/{url}").status_code == 404


@pytest.mark.parametrize("verb", ["resolve", "dismiss"])
def test_a_verb_on_what_is_not_there_is_not_found(staff, verb):
    assert staff("change_incident").post(f"{API}/incidents/1/{verb}/").status_code == 404


def test_breaks_are_listed_and_shown(staff):
    healed, open_one = StatusBreakFactory(healed_at=NOW), StatusBreakFactory()
    client = staff("view_statusbreak")

    listed = client.get(f"{API}/breaks/").json()["results"]
    lasting = client.get(f"{API}/breaks/?open=1").json()["results"]
    shown = client.get(f"{API}/breaks/{healed.pk}/").json()

    assert [row["id"] for row in listed] == [open_one.pk, healed.pk]
    assert [row["id"] for row in lasting] == [open_one.pk]
    assert (shown["order_key"], shown["healed_at"]) == (healed.order_key, "2026-03-02T12:00:00Z")


def test_alarms_are_listed(staff):
    ended, open_one = AlarmFactory(ended_at=NOW), AlarmFactory()
    client = staff("view_alarm")

    assert [row["id"] for row in client.get(f"{API}/alarms/").json()["results"]] == [open_one.pk, ended.pk]
    lasting = client.get(f"{API}/alarms/?open=true").json()["results"]
    assert [(row["id"], row["sentence"]) for row in lasting] == [(open_one.pk, open_one.sentence)]


PROTECTED = [
    ("get", "incidents/", "view_incident"),
    ("post", "incidents/", "add_incident"),
    ("get", "incidents/{}/", "view_incident"),
    ("post", "incidents/{}/updates/", "publish_incident"),
    ("post", "incidents/{}/resolve/", "change_incident"),
    ("post", "incidents/{}/dismiss/", "change_incident"),
    ("get", "breaks/", "view_statusbreak"),
    ("get", "breaks/1/", "view_statusbreak"),
    ("get", "alarms/", "view_alarm"),
    ("post", "shop/closings/", "add_closing"),
    ("post", "shop/closings/1/open/", "change_closing"),
]


@pytest.mark.parametrize(("method", "url", "needed"), PROTECTED)
def test_nobody_and_somebody_without_the_permission_are_refused(staff, anyone, method, url, needed):
    incident = IncidentFactory()
    others = {permission for _, _, permission in PROTECTED} - {needed}

    answers = [getattr(client, method)(f"{API}/{url.format(incident.pk)}") for client in (anyone, staff(*others))]

    assert [answer.status_code for answer in answers] == [403, 403]
    incident.refresh_from_db()
    assert (incident.status, Incident.objects.count(), IncidentUpdate.objects.count()) == ("investigating", 1, 0)


def test_the_token_of_a_shop_opens_no_other_door():
    client = APIClient(headers={"authorization": "Bearer warehouse-token"})

    assert client.get(f"{API}/incidents/").status_code == 403


def test_a_page_of_somebody_else_cannot_make_staff_resolve_anything(staff):
    incident = IncidentFactory()
    client = staff("change_incident")
    client.handler.enforce_csrf_checks = True

    answer = client.post(f"{API}/incidents/{incident.pk}/resolve/")

    assert (answer.status_code, answer.json()["detail"]) == (403, "CSRF Failed: CSRF cookie not set.")
    incident.refresh_from_db()
    assert incident.status == "investigating"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_a_method_that_is_not_there_is_said_to_be_not_there(staff, method):
    assert getattr(staff(), method)(f"{API}/incidents/").status_code == 405


def test_a_head_needs_what_a_get_needs(staff):
    assert staff("view_alarm").head(f"{API}/alarms/").status_code == 200
    assert staff().head(f"{API}/alarms/").status_code == 403


def test_without_sessions_nobody_is_known_and_nothing_breaks(anyone):
    only_common = ["django.middleware.common.CommonMiddleware"]

    with override_settings(MIDDLEWARE=only_common):
        answer = anyone.get(f"{API}/incidents/")

    assert answer.status_code == 403
