"""What is said of an incident, and what saying it does: updates, prepared texts, components, the audit."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from statusbreaks.exceptions import InvalidTransition
from statusbreaks.incidents import services
from statusbreaks.incidents.models import Component, Incident, IncidentUpdate, UpdateText
from statusbreaks.incidents.services import (
    Draft,
    NewIncident,
    change_status,
    dismiss,
    open_incident,
    post_update,
    resolve,
)
from statusbreaks.signals import incident_opened, incident_updated
from tests.concurrency import at_once, needs_threads
from tests.example_project.factories import UserFactory
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    ComponentFactory,
    IncidentFactory,
    IncidentUpdateFactory,
    PlaybookFactory,
    PlaybookTextFactory,
    UpdateTextFactory,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NEWS = Draft({"en": ("Found it", "A cable."), "de": ("Gefunden", "Ein Kabel.")})


def audit(incident):
    return [(event.what, event.detail) for event in incident.events.all()]


@pytest.fixture
def heard():
    calls = []

    def opened(incident, **_):
        calls.append(("opened", incident.pk))

    def updated(incident, update, **_):
        calls.append(("updated", update.pk))

    incident_opened.connect(opened)
    incident_updated.connect(updated)
    yield calls
    incident_opened.disconnect(opened)
    incident_updated.disconnect(updated)


def test_an_incident_is_opened_with_what_is_known(clock, heard, django_capture_on_commit_callbacks):
    ada = UserFactory()
    with django_capture_on_commit_callbacks(execute=True):
        incident = open_incident(NewIncident("outage", "Checkout is slow", impact="major"), by=ada)

    incident.refresh_from_db()
    assert (incident.kind, incident.title, incident.status, incident.impact) == (
        "outage",
        "Checkout is slow",
        "investigating",
        "major",
    )
    assert (incident.opened_by, incident.detected_at, incident.began_at, incident.is_automatic) == (
        ada,
        NOW,
        NOW,
        False,
    )
    assert (incident.published_at, incident.current_update) == (None, None)
    assert str(incident) == f"KT-{incident.pk} Checkout is slow"
    assert audit(incident) == [("opened", "Checkout is slow")]
    assert str(incident.events.get()) == "opened Checkout is slow"
    assert heard == [("opened", incident.pk)]


def test_an_incident_began_when_its_impact_did():
    assert IncidentFactory(impact_started_at=NOW - HOUR).began_at == NOW - HOUR


def test_a_playbook_that_publishes_says_its_first_words_and_colours_its_components():
    playbook = PlaybookFactory()
    PlaybookTextFactory(playbook=playbook, language="en", headline="Slow", body="Wait.")
    PlaybookTextFactory(playbook=playbook, language="de", headline="Langsam", body="Warten.")
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved")
    card = ComponentFactory()
    playbook.components.add(card)

    incident = open_incident(NewIncident("payment", "x", impact="critical", playbook=playbook), at=NOW + HOUR)

    update = IncidentUpdate.objects.get()
    assert incident.current_update == update
    assert (update.published_at, incident.published_at) == (NOW + HOUR, NOW + HOUR)
    assert {(text.language, text.headline, text.body) for text in update.texts.all()} == {
        ("en", "Slow", "Wait."),
        ("de", "Langsam", "Warten."),
    }
    card.refresh_from_db()
    assert card.status == "major_outage"


@pytest.mark.parametrize("publishes", [True, False])
def test_a_playbook_that_is_silent_or_has_no_words_says_nothing(publishes):
    playbook = PlaybookFactory(publishes=publishes)
    if not publishes:
        PlaybookTextFactory(playbook=playbook)

    incident = open_incident(NewIncident("payment", "x", playbook=playbook))

    assert not IncidentUpdate.objects.exists()
    assert incident.published_at is None


def test_an_update_is_public_with_its_texts(heard, django_capture_on_commit_callbacks):
    incident, ada = IncidentFactory(announced_at=NOW), UserFactory()

    with django_capture_on_commit_callbacks(execute=True):
        draft = Draft(NEWS.texts, "identified", eta_at=NOW + 3 * HOUR, next_update_at=NOW + 2 * HOUR)
        update = post_update(incident, draft, by=ada, at=NOW + HOUR)

    update.refresh_from_db()
    assert (update.status, update.author, update.notifies) == ("identified", ada, True)
    assert (update.eta_at, update.next_update_at, update.published_at) == (NOW + 3 * HOUR, NOW + 2 * HOUR, NOW + HOUR)
    incident.refresh_from_db()
    assert (incident.status, incident.current_update, incident.published_at) == ("identified", update, NOW + HOUR)
    assert (incident.announced_at, incident.version) == (None, 1)
    assert audit(incident) == [("identified", ""), ("update", "cause found")]
    assert heard == [("updated", update.pk)]
    assert list(IncidentUpdate.objects.published()) == [update]


def test_the_first_update_is_when_it_became_public():
    incident = IncidentFactory()
    post_update(incident, NEWS, at=NOW)
    post_update(incident, NEWS, at=NOW + HOUR)

    incident.refresh_from_db()
    assert incident.published_at == NOW


def test_an_update_that_notifies_nobody_leaves_the_current_one():
    incident = IncidentFactory()
    first = post_update(incident, NEWS)
    post_update(incident, Draft(NEWS.texts, notifies=False))

    incident.refresh_from_db()
    assert incident.current_update == first


def test_an_update_with_an_impossible_step_says_nothing():
    incident = IncidentFactory(status="monitoring")

    with pytest.raises(InvalidTransition):
        post_update(incident, Draft(NEWS.texts, "dismissed"))

    assert not IncidentUpdate.objects.exists()
    assert not UpdateText.objects.exists()
    assert Incident.objects.get().published_at is None
    assert audit(incident) == []


@pytest.mark.parametrize("status", ["", "investigating", "identified"])
def test_an_update_that_was_overtaken_says_nothing(status):
    incident = IncidentFactory()
    resolve(Incident.objects.get())

    with pytest.raises(InvalidTransition, match="Somebody else changed"):
        post_update(incident, Draft(NEWS.texts, status))

    assert not IncidentUpdate.objects.exists()


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_of_two_updates_at_once_the_current_one_is_the_last():
    pk = IncidentFactory().pk

    done = at_once(*[lambda: post_update(Incident.objects.get(pk=pk), NEWS).pk] * 4)

    incident = Incident.objects.get()
    assert incident.current_update_id in done
    assert (incident.version, incident.updates.count()) == (4, 4)


def test_resolved_with_words_of_ones_own():
    incident = IncidentFactory()

    resolve(incident, draft=NEWS, at=NOW)

    assert incident.status == "resolved"
    assert incident.current_update.status == "resolved"
    assert incident.current_update.text_in("en").headline == "Found it"


def test_resolved_in_the_words_of_the_playbook_where_the_public_had_heard_of_it():
    playbook = PlaybookFactory()
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved")
    heard_of, unheard = IncidentFactory(playbook=playbook, published_at=NOW), IncidentFactory(playbook=playbook)

    resolve(heard_of)
    resolve(unheard)

    assert heard_of.current_update.text_in("en").headline == "Solved"
    assert unheard.current_update is None
    assert unheard.published_at is None


def test_a_component_is_as_bad_as_the_worst_public_incident_on_it():
    card = ComponentFactory()
    minor, major = IncidentFactory(impact="minor"), IncidentFactory(impact="major")
    for incident in (minor, major):
        incident.components.add(card)

    def colour():
        card.refresh_from_db()
        return card.status

    assert colour() == "operational"
    post_update(major, NEWS)
    assert colour() == "partial_outage"
    post_update(minor, NEWS)
    assert colour() == "partial_outage"
    resolve(major)
    assert colour() == "degraded_performance"
    dismiss(minor)
    assert colour() == "operational"
    change_status(minor, "investigating")
    assert colour() == "degraded_performance"


def test_a_component_under_maintenance_stays_so():
    card = ComponentFactory(status=Component.Status.MAINTENANCE)
    incident = IncidentFactory(impact="critical")
    incident.components.add(card)

    post_update(incident, NEWS)

    card.refresh_from_db()
    assert card.status == "under_maintenance"
    assert str(card) == "Card payments"


@pytest.mark.parametrize(
    ("asked", "languages", "answer"),
    [
        ("de", ["en", "de"], "de"),
        ("de-at", ["en", "de"], "de"),
        ("fr", ["de", "en"], "en"),
        ("fr", ["pl"], "pl"),
        ("", ["de", "en"], "en"),
        ("en", [], None),
    ],
)
def test_a_text_is_in_the_readers_language_or_in_the_next_best(asked, languages, answer):
    update = IncidentUpdateFactory()
    for language in languages:
        UpdateTextFactory(update=update, language=language)

    text = update.text_in(asked)

    assert (text.language if text else None) == answer


def test_the_affected_orders_are_those_that_were_kept():
    incident = IncidentFactory()
    AffectedOrderFactory(incident=incident, order_key="o-1")
    AffectedOrderFactory(incident=incident, order_key="o-2", removed_at=NOW)

    assert incident.affected_orders() == ["o-1"]


def test_rows_say_what_they_are():
    text = UpdateTextFactory(language="en", headline="Looking into it")
    text.update.created = NOW

    assert str(text) == "en: Looking into it"
    assert str(text.update) == "looking into it (2026-03-02 12:00)"
    assert str(PlaybookFactory(name="Card down")) == "Card down"


def test_an_update_that_fails_halfway_was_never_said(monkeypatch):
    incident = IncidentFactory()

    def full(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(services, "note", full)
    with pytest.raises(DatabaseError):
        post_update(incident, NEWS)

    assert not IncidentUpdate.objects.exists()
    assert Incident.objects.get().published_at is None
