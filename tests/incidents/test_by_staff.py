"""What staff do with an incident by hand: publish drafts, add orders by their numbers, remove and amend."""

import pytest

from statusbreaks.exceptions import InvalidTransition
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentUpdate
from statusbreaks.incidents.services import add_orders_by_number, amend, publish, remove_orders, resolve
from tests.concurrency import at_once, needs_threads
from tests.example_project.factories import OrderFactory, UserFactory
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    ComponentFactory,
    IncidentFactory,
    IncidentUpdateFactory,
    ReportedOrderFactory,
    UpdateTextFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db


def draft(**values):
    update = IncidentUpdateFactory(published_at=None, **values)
    UpdateTextFactory(update=update, headline="Found it")
    return update


def audit(incident):
    return [(event.what, event.detail) for event in incident.events.all()]


def test_a_draft_that_is_published_is_the_newest_word():
    written = draft(status="identified")
    ada = UserFactory()

    posted = publish(IncidentUpdate.objects.get(pk=written.pk), by=ada, at=NOW)

    incident = Incident.objects.get()
    assert IncidentUpdate.objects.get() == posted
    assert (posted.author, posted.published_at, posted.text_in("en").headline) == (ada, NOW, "Found it")
    assert (incident.status, incident.current_update) == ("identified", posted)


def test_a_draft_whose_step_is_not_possible_any_more_stays_a_draft():
    written = draft(status="dismissed")
    resolve(Incident.objects.get())

    with pytest.raises(InvalidTransition):
        publish(IncidentUpdate.objects.get(pk=written.pk))

    assert IncidentUpdate.objects.get().published_at is None
    assert written.texts.count() == 1


def test_a_draft_is_published_once():
    first, second = [IncidentUpdate.objects.get(pk=draft().pk)] * 2
    publish(first)

    with pytest.raises(InvalidTransition, match="public already"):
        publish(second)
    assert IncidentUpdate.objects.count() == 1


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_of_several_who_publish_a_draft_at_once_one_does():
    written = draft()
    rows = [IncidentUpdate.objects.select_related("incident").get(pk=written.pk) for _ in range(4)]

    done = at_once(*(lambda row=row: publish(row) for row in rows))

    assert [type(each) for each in done].count(InvalidTransition) == 3
    assert IncidentUpdate.objects.count() == 1


def test_orders_join_by_their_numbers_watched_or_not():
    incident = IncidentFactory(flow="payment", announced_at=NOW)
    watch = WatchFactory(order_key="w-1", status="authorised")
    ReportedOrderFactory(order_key="w-1", order_number="W1")
    ReportedOrderFactory(order_key="w-2", order_number="W2")
    order = OrderFactory(number="KT-1")

    assert add_orders_by_number(incident, ["W1", "W2", "KT-1", "KT-2"], reason="they called", by=None) == ["KT-2"]

    joined = {row.order_key: (row.source, row.reason) for row in AffectedOrder.objects.all()}
    assert joined == {
        "w-1": ("warehouse", "they called"),
        "w-2": ("warehouse", "they called"),
        str(order.pk): ("shop", "they called"),
    }
    assert AffectedOrder.objects.get(order_key="w-1").stuck_since == watch.changed_at
    incident.refresh_from_db()
    assert incident.announced_at is None
    assert audit(incident) == [("orders added", "3: they called")]


def test_numbers_that_nobody_knows_add_nothing():
    incident = IncidentFactory()

    assert add_orders_by_number(incident, ["KT-404"], reason="?") == ["KT-404"]
    assert audit(incident) == []


def test_orders_that_were_removed_are_out_and_can_join_anew():
    incident = IncidentFactory()
    ReportedOrderFactory(order_key="w-1", order_number="W1")
    AffectedOrderFactory(incident=incident, order_key="w-1")

    assert remove_orders(AffectedOrder.objects.all(), at=NOW) == 1
    assert remove_orders(AffectedOrder.objects.all(), at=NOW) == 0
    assert incident.affected_orders() == []
    add_orders_by_number(incident, ["W1"], reason="after all")

    assert incident.affected_orders() == ["w-1"]
    assert sorted(what for what, _ in audit(incident)) == ["orders added", "orders removed"]


def test_what_is_amended_is_written_down_and_colours_what_it_touched_before_and_touches_now():
    before, now = ComponentFactory(status="partial_outage"), ComponentFactory()
    incident = IncidentFactory(impact="critical", published_at=NOW)
    incident.components.add(now)

    amend(incident, ["impact", "components"], before=[before])

    for component in (before, now):
        component.refresh_from_db()
    assert (before.status, now.status) == ("operational", "major_outage")
    assert audit(incident) == [("amended", "impact, components")]
