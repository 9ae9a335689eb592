"""An incident's life: which steps there are, that two people cannot take two at once, and what each step leaves."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from statusbreaks.exceptions import InvalidTransition
from statusbreaks.incidents import services
from statusbreaks.incidents.models import Incident
from statusbreaks.incidents.services import OVER, STEPS, change_status, dismiss, resolve
from statusbreaks.signals import incident_resolved
from tests.concurrency import at_once, needs_threads
from tests.example_project.factories import UserFactory
from tests.factories import NOW, IncidentFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LIFE = {
    "suspected": {"investigating", "identified", "monitoring", "resolved", "dismissed"},
    "investigating": {"identified", "monitoring", "resolved", "dismissed"},
    "identified": {"investigating", "monitoring", "resolved", "dismissed"},
    "monitoring": {"investigating", "identified", "resolved"},
    "resolved": {"investigating", "postmortem"},
    "postmortem": {"investigating"},
    "dismissed": {"investigating"},
    "merged": set(),
}
LEGAL = [(before, to) for before, steps in LIFE.items() for to in sorted(steps)]
ILLEGAL = [(before, to) for before, steps in LIFE.items() for to in LIFE if to not in steps]


def events(incident):
    return [(event.what, event.detail, event.actor, event.at) for event in incident.events.all()]


@pytest.mark.parametrize(("before", "to"), LEGAL)
def test_a_legal_step_is_taken_and_written_down(before, to):
    incident = IncidentFactory(status=before)
    ada = UserFactory()

    change_status(incident, to, by=ada, at=NOW + HOUR)

    incident.refresh_from_db()
    assert incident.status == to
    assert events(incident) == [(to, "", ada, NOW + HOUR)]


@pytest.mark.parametrize(("before", "to"), ILLEGAL)
def test_an_illegal_step_is_refused_with_those_that_are_possible_and_changes_nothing(before, to):
    incident = IncidentFactory(status=before)

    with pytest.raises(InvalidTransition) as refusal:
        change_status(incident, to)

    said = str(refusal.value)
    assert incident.reference in said
    assert all(str(Incident.Status(step).label) in said for step in LIFE[before])
    assert LIFE[before] or "none" in said
    incident.refresh_from_db()
    assert incident.status == before
    assert events(incident) == []


def test_a_resolved_incident_has_an_end_and_absorbs_no_more():
    incident = IncidentFactory(open_key="payment:")

    resolve(incident, at=NOW + HOUR)

    incident.refresh_from_db()
    assert (incident.resolved_at, incident.open_key, incident.is_active) == (NOW + HOUR, None, False)


def test_a_dismissed_incident_has_no_end():
    incident = IncidentFactory(open_key="payment:")

    dismiss(incident, at=NOW + HOUR)

    incident.refresh_from_db()
    assert (incident.dismissed_at, incident.resolved_at, incident.open_key) == (NOW + HOUR, None, None)


def test_a_reopened_incident_is_the_same_and_forgets_its_end():
    incident = IncidentFactory(
        status="resolved", resolved_at=NOW, compensated_at=NOW, asked_at=NOW, quiet_at=NOW, is_automatic=True
    )
    incident.flow, incident.segment = "payment", "paywell"

    change_status(incident, "investigating")

    incident.refresh_from_db()
    assert incident.is_active
    assert (incident.resolved_at, incident.compensated_at, incident.asked_at, incident.quiet_at) == (None,) * 4
    assert incident.open_key == "payment:paywell"


def test_a_reopened_incident_leaves_what_comes_to_the_one_that_was_opened_since():
    old = IncidentFactory(status="resolved", is_automatic=True, flow="payment")
    IncidentFactory(open_key="payment:", flow="payment", is_automatic=True)

    change_status(old, "investigating")

    assert old.open_key is None


def test_an_incident_of_the_staffs_own_never_absorbs():
    incident = IncidentFactory(status="dismissed", dismissed_at=NOW, flow="payment")

    change_status(incident, "investigating")

    assert (incident.open_key, incident.dismissed_at) == (None, None)


def test_of_two_people_the_second_is_told_and_nothing_changes():
    first = IncidentFactory()
    second = Incident.objects.get()
    resolve(first, at=NOW)

    with pytest.raises(InvalidTransition, match=f"Somebody else changed {first.reference} meanwhile"):
        dismiss(second)

    assert Incident.objects.get().status == "resolved"
    assert [what for what, *_ in events(first)] == ["resolved"]
    assert second.status == "investigating"


def test_only_a_resolution_is_told_to_the_shop(django_capture_on_commit_callbacks):
    heard = []
    incident_resolved.connect(on_resolved := lambda incident, **_: heard.append(incident.pk))
    incident = IncidentFactory()

    with django_capture_on_commit_callbacks(execute=True):
        change_status(incident, "identified")
        assert heard == []
        change_status(incident, "resolved")
    incident_resolved.disconnect(on_resolved)

    assert heard == [incident.pk]


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_takes_the_step():
    pk = IncidentFactory().pk

    def step(to):
        return lambda: change_status(Incident.objects.get(pk=pk), to) or to

    done = at_once(*(step(to) for to in ("resolved", "dismissed", "resolved", "dismissed")))

    taken = [each for each in done if isinstance(each, str)]
    incident = Incident.objects.get()
    assert len(taken) == 1
    assert incident.status == taken[0]
    assert [type(each) for each in done].count(InvalidTransition) == 3
    assert [what for what, *_ in events(incident)] == taken


class Life(RuleBasedStateMachine):
    """Whatever staff try, in whatever order: the incident is where the table says, and its stamps fit."""

    @initialize()
    def open(self):
        self.incident = IncidentFactory(status="suspected")
        self.status, self.steps = "suspected", 0

    @rule(to=st.sampled_from(sorted(LIFE)), stale=st.booleans())
    def step(self, to, stale):
        row = Incident.objects.get(pk=self.incident.pk)
        if stale:
            row.status = "monitoring"  # what a form showed a while ago
        if to in LIFE[row.status] and row.status == self.status:
            change_status(row, to, at=NOW)
            self.status, self.steps = to, self.steps + 1
        else:
            with pytest.raises(InvalidTransition):
                change_status(row, to, at=NOW)

    @invariant()
    def fits(self):
        row = Incident.objects.get(pk=self.incident.pk)
        assert row.status == self.status
        assert row.is_active == (self.status not in OVER)
        assert (row.resolved_at is not None) == (self.status in ("resolved", "postmortem"))
        assert (row.dismissed_at is not None) == (self.status == "dismissed")
        assert row.events.count() == self.steps


def test_whatever_is_tried_the_life_keeps_to_its_steps():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_the_table_of_steps_is_the_one_tested_here():
    assert {before: set(steps) for before, steps in STEPS.items()} == LIFE
    assert services.Status is Incident.Status
