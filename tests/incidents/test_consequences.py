"""One disruption is one incident, though several flows stand still because of it."""

from datetime import timedelta

import pytest

from statusbreaks.flows.models import Alarm
from statusbreaks.incidents.grouping import group
from statusbreaks.incidents.models import Incident
from tests.factories import NOW, AlarmFactory, WatchFactory

pytestmark = pytest.mark.django_db

SINCE = NOW - timedelta(hours=1)


def stuck(*keys, flow="payment", status="authorised", segment="card"):
    for key in keys:
        WatchFactory(order_key=key, flow=flow, status=status, segment=segment, changed_at=SINCE)


def payments_alarm():
    return AlarmFactory(flow="payment", status="authorised", segment="card", since=SINCE)


def orders_alarm():
    return AlarmFactory(flow="order", status="new", segment="", since=SINCE)


@pytest.fixture
def unpaid_orders():
    stuck("o-1", "o-2", "o-3")
    stuck("o-1", "o-2", "o-3", "o-4", flow="order", status="new", segment="")


def test_an_alarm_that_follows_from_an_open_incident_joins_it(unpaid_orders):
    payments_alarm()
    group(NOW)
    consequence = orders_alarm()

    group(NOW + timedelta(minutes=5))

    incident = Incident.objects.get()
    assert consequence in incident.alarms.all()
    assert sorted(incident.affected_orders()) == ["o-1", "o-2", "o-3"]


def test_causes_come_before_effects_in_the_same_tick(unpaid_orders):
    orders_alarm()
    payments_alarm()

    group(NOW)

    assert Incident.objects.get().flow == "payment"


def test_an_incident_that_turns_out_to_follow_from_another_is_merged_into_it(unpaid_orders):
    consequence = orders_alarm()
    group(NOW)
    earlier = Incident.objects.get()
    payments_alarm()

    group(NOW + timedelta(minutes=5))

    earlier.refresh_from_db()
    incident = Incident.objects.active().get()
    assert (earlier.status, earlier.open_key, earlier.flow) == ("merged", None, "order")
    assert incident.flow == "payment"
    assert consequence in incident.alarms.all()
    assert earlier.events.last().detail == incident.reference


def test_an_incident_that_staff_handle_is_never_merged(unpaid_orders):
    orders_alarm()
    group(NOW)
    Incident.objects.update(status="investigating")
    payments_alarm()

    group(NOW + timedelta(minutes=5))

    assert sorted(incident.flow for incident in Incident.objects.active()) == ["order", "payment"]


def test_an_alarm_about_other_orders_opens_an_incident_of_its_own():
    stuck("o-1", "o-2")
    stuck("o-1", "o-3", flow="order", status="new", segment="")
    payments_alarm()
    group(NOW)
    orders_alarm()

    group(NOW + timedelta(minutes=5))

    assert sorted(incident.flow for incident in Incident.objects.active()) == ["order", "payment"]


def test_the_incident_lasts_until_the_flow_that_follows_runs_again_too(unpaid_orders):
    cause, consequence = payments_alarm(), orders_alarm()
    group(NOW)
    Alarm.objects.end(cause.pk, NOW)

    group(NOW + timedelta(minutes=5))
    while_it_stands_still = Incident.objects.get().status
    Alarm.objects.end(consequence.pk, NOW)
    group(NOW + timedelta(minutes=10))

    assert (while_it_stands_still, Incident.objects.get().status) == ("suspected", "monitoring")
