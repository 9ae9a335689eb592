"""The stage `group`: from breaks and alarms to incidents, who joins them, and how they end by themselves."""

from datetime import timedelta

import pytest

from statusbreaks.flows.models import Alarm, StatusBreak, Watch
from statusbreaks.incidents import grouping
from statusbreaks.incidents.grouping import group
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.incidents.services import change_status
from tests.concurrency import at_once, needs_threads
from tests.factories import (
    NOW,
    AlarmFactory,
    PlaybookFactory,
    PlaybookTextFactory,
    ReportedOrderFactory,
    StatusBreakFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def broken(number, **watch):
    watches = WatchFactory.create_batch(number, **{"segment": "paywell", **watch})
    return [StatusBreakFactory(watch=watch) for watch in watches]


def waiting(number, **values):
    return WatchFactory.create_batch(number, **{"segment": "card", "changed_at": NOW - HOUR, **values})


def test_nothing_to_do_takes_three_queries(django_assert_num_queries):
    with django_assert_num_queries(3):
        assert group(NOW) == 0


def test_single_breaks_are_no_incident():
    broken(2)

    assert group(NOW) == 0
    assert not Incident.objects.exists()


def test_three_breaks_of_a_flow_and_segment_are_an_incident():
    breaks = broken(3)
    ReportedOrderFactory(order_key=breaks[0].order_key)

    assert group(NOW + HOUR) == 3

    incident = Incident.objects.get()
    assert (incident.kind, incident.title, incident.status, incident.impact) == (
        "payment",
        "Payments are not confirmed (paywell)",
        "suspected",
        "minor",
    )
    assert (incident.flow, incident.segment, incident.is_automatic) == ("payment", "paywell", True)
    assert (incident.impact_started_at, incident.detected_at) == (NOW, NOW + HOUR)
    assert incident.published_at is None
    assert incident.affected_orders() == [one.order_key for one in breaks]
    assert not StatusBreak.objects.ungrouped().exists()
    first = AffectedOrder.objects.order_by("pk").first()
    assert (first.status_break, first.reason, first.stuck_since) == (breaks[0], "waits in “authorised”", NOW)
    assert (first.value, first.currency) == (40, "EUR")


def test_each_order_is_told_by_its_own_status():
    broken(2)
    broken(1, status="pending")

    group(NOW)

    reasons = AffectedOrder.objects.order_by("reason").values_list("reason", flat=True)
    assert list(reasons) == ["waits in “authorised”"] * 2 + ["waits in “pending”"]


@pytest.mark.parametrize(
    ("flow", "segment", "title"),
    [
        ("order", "", "Orders are not processed"),
        ("payment", "", "Payments are not confirmed"),
        ("delivery", "swift", "Parcels are late (swift)"),
    ],
)
def test_an_incident_is_named_after_its_flow(flow, segment, title):
    broken(3, flow=flow, segment=segment)

    group(NOW)

    incident = Incident.objects.get()
    assert (incident.kind, incident.title) == (flow, title)


def test_breaks_of_another_segment_are_another_incident():
    broken(3)
    broken(3, segment="transfer")
    broken(2, segment="third")

    assert group(NOW) == 6
    assert {incident.segment for incident in Incident.objects.all()} == {"paywell", "transfer"}


def test_healed_breaks_do_not_count():
    broken(2)
    StatusBreak.objects.update(healed_at=NOW)
    broken(2)

    assert group(NOW) == 0


def test_the_playbook_of_the_segment_says_how_many_it_takes_and_what_to_say():
    PlaybookFactory(opens_from=5)
    playbook = PlaybookFactory(opens_from=1, segment="paywell", impact="critical")
    PlaybookTextFactory(playbook=playbook)
    PlaybookFactory(opens_from=1, segment="third", is_active=False)
    broken(1)
    broken(4, segment="third")

    assert group(NOW) == 1

    incident = Incident.objects.get()
    assert (incident.playbook, incident.impact, incident.published_at) == (playbook, "critical", NOW)


def test_later_breaks_join_the_open_incident_one_by_one():
    broken(3)
    group(NOW)
    [late] = broken(1)

    assert group(NOW) == 1

    incident = Incident.objects.get()
    assert late.order_key in incident.affected_orders()
    assert incident.version == 2


def test_breaks_after_the_end_need_an_incident_of_their_own():
    broken(3)
    group(NOW)
    change_status(Incident.objects.get(), "resolved")
    broken(2)
    assert group(NOW) == 0

    broken(1)
    assert group(NOW) == 3
    assert Incident.objects.count() == 2


def test_an_order_that_staff_removed_stays_removed():
    [first, *_] = broken(3)
    group(NOW)
    AffectedOrder.objects.filter(order_key=first.order_key).update(removed_at=NOW)
    StatusBreakFactory(watch=first.watch)

    group(NOW)

    assert first.order_key not in Incident.objects.get().affected_orders()


def test_an_alarm_is_an_incident_of_all_that_wait_there():
    concerned = waiting(2)
    waiting(1, segment="transfer")
    waiting(1, status="paid")
    waiting(1, ended_at=NOW)
    waiting(1, changed_at=NOW - 99 * HOUR)
    alarm = AlarmFactory()

    assert group(NOW) == 1

    incident = Incident.objects.get()
    assert (incident.status, incident.impact_started_at) == ("suspected", alarm.since)
    assert list(incident.alarms.all()) == [alarm]
    assert sorted(incident.affected_orders()) == sorted(watch.order_key for watch in concerned)
    assert [event.detail for event in incident.events.filter(what="alarm")] == [alarm.sentence]
    assert AffectedOrder.objects.first().reason == alarm.sentence[:160]
    assert str(alarm) == alarm.sentence


def test_late_joiners_are_let_in_as_long_as_the_alarm_lasts():
    alarm = AlarmFactory()
    group(NOW)
    [late] = waiting(1, changed_at=NOW + HOUR)
    group(NOW + HOUR)
    assert Incident.objects.get().affected_orders() == [late.order_key]

    Alarm.objects.filter(pk=alarm.pk).update(ended_at=NOW + HOUR)
    waiting(1, changed_at=NOW + 2 * HOUR)
    group(NOW + 2 * HOUR)
    assert Incident.objects.get().affected_orders() == [late.order_key]


def test_one_that_could_not_be_let_in_is_let_in_by_the_next_tick(monkeypatch):
    [first, second] = waiting(2)
    AlarmFactory()
    add, cursed = grouping.add_orders, {second.order_key}

    def failing(incident, watches, **rest):
        if any(watch.order_key in cursed for watch in watches):
            raise ValueError("not now")
        return add(incident, watches, **rest)

    monkeypatch.setattr(grouping, "add_orders", failing)
    group(NOW)
    assert Incident.objects.get().affected_orders() == [first.order_key]

    cursed.clear()
    group(NOW + 9 * HOUR)
    assert Incident.objects.get().affected_orders() == [first.order_key, second.order_key]


def test_whose_order_goes_on_has_recovered():
    [gone_on, ended, stuck] = broken(3)
    group(NOW)
    Watch.objects.filter(pk=gone_on.watch_id).update(changed_at=NOW + HOUR)
    Watch.objects.filter(pk=ended.watch_id).update(ended_at=NOW)

    group(NOW + 2 * HOUR)

    recovered = {row.order_key: row.recovered_at for row in AffectedOrder.objects.all()}
    assert recovered == {gone_on.order_key: NOW + 2 * HOUR, ended.order_key: NOW + 2 * HOUR, stuck.order_key: None}


def test_with_nobody_waiting_it_is_watched_and_after_a_while_resolved():
    broken(3)
    group(NOW)
    Watch.objects.update(ended_at=NOW)

    group(NOW + HOUR)
    incident = Incident.objects.get()
    assert (incident.status, incident.quiet_at) == ("monitoring", NOW + HOUR)

    group(NOW + HOUR + grouping.QUIET_FOR - timedelta(seconds=1))
    assert Incident.objects.get().status == "monitoring"

    group(NOW + HOUR + grouping.QUIET_FOR)
    incident = Incident.objects.get()
    assert (incident.status, incident.resolved_at) == ("resolved", NOW + HOUR + grouping.QUIET_FOR)
    assert [event.what for event in incident.events.all()] == ["opened", "monitoring", "resolved"]


def test_an_alarm_that_ended_quietens_its_incident_although_orders_wait():
    waiting(1)
    alarm = AlarmFactory()
    group(NOW)
    assert Incident.objects.get().quiet_at is None

    Alarm.objects.filter(pk=alarm.pk).update(ended_at=NOW)
    group(NOW + HOUR)

    assert Incident.objects.get().status == "monitoring"


@pytest.mark.parametrize(
    ("after", "status"), [(None, "monitoring"), (timedelta(0), "resolved"), (5 * HOUR, "monitoring")]
)
def test_the_playbook_says_after_how_long_it_is_over(after, status):
    playbook = PlaybookFactory(resolves_after=after)
    PlaybookTextFactory(playbook=playbook)
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved")
    broken(1)
    group(NOW)
    Watch.objects.update(ended_at=NOW)

    group(NOW + 2 * HOUR)
    group(NOW + 4 * HOUR)

    incident = Incident.objects.get()
    assert incident.status == status
    assert (incident.current_update.text_in("en").headline == "Solved") == (status == "resolved")


def test_a_flow_that_flaps_is_one_incident():
    waiting(1)
    for hour in range(4):
        alarm = AlarmFactory(since=NOW + hour * HOUR)
        group(NOW + hour * HOUR)
        assert Incident.objects.get().status in ("suspected", "investigating")
        Alarm.objects.filter(pk=alarm.pk).update(ended_at=NOW + hour * HOUR)
        group(NOW + hour * HOUR + HOUR / 2)
        assert Incident.objects.get().status == "monitoring"

    incident = Incident.objects.get()
    assert incident.alarms.count() == 4


def test_what_is_not_quiet_any_more_begins_to_be_quiet_anew():
    broken(3)
    group(NOW)
    Watch.objects.update(ended_at=NOW)
    group(NOW)
    broken(1)
    group(NOW + HOUR)
    assert Incident.objects.get().quiet_at is None

    Watch.objects.update(ended_at=NOW)
    group(NOW + 2 * HOUR)
    assert Incident.objects.get().quiet_at == NOW + 2 * HOUR


def test_incidents_of_the_staffs_own_are_left_to_them():
    broken(3)
    group(NOW)
    Incident.objects.update(is_automatic=False)
    Watch.objects.update(ended_at=NOW)

    group(NOW + 99 * HOUR)

    assert Incident.objects.get().status == "suspected"


def test_an_incident_that_somebody_else_changes_meanwhile_is_looked_at_again_later(monkeypatch):
    broken(3)
    group(NOW)
    Watch.objects.update(ended_at=NOW)
    settle = grouping._settle

    def overtaken(incident, now):
        change_status(Incident.objects.get(), "identified")
        settle(incident, now)

    monkeypatch.setattr(grouping, "_settle", overtaken)
    group(NOW)
    assert Incident.objects.get().status == "identified"

    monkeypatch.setattr(grouping, "_settle", settle)
    group(NOW)
    assert Incident.objects.get().status == "monitoring"


def test_an_incident_that_cannot_be_watched_stops_no_other(monkeypatch, caplog):
    broken(3)
    broken(3, segment="transfer")
    group(NOW)
    Watch.objects.update(ended_at=NOW)
    cursed = Incident.objects.get(segment="paywell")
    settle = grouping._settle

    def failing(incident, now):
        if incident == cursed:
            raise ValueError("not this one")
        settle(incident, now)

    monkeypatch.setattr(grouping, "_settle", failing)
    group(NOW)

    assert Incident.objects.get(segment="transfer").status == "monitoring"
    assert f"Incident {cursed.pk} could not be worked on" in caplog.text


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_make_one_incident_of_many_breaks():
    broken(30)

    done = at_once(*[lambda: group(NOW)] * 4)

    assert [type(each) for each in done] == [int] * 4
    group(NOW)
    assert len(Incident.objects.get().affected_orders()) == 30
    assert not StatusBreak.objects.ungrouped().exists()


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_make_one_incident_of_many_alarms():
    waiting(5)
    AlarmFactory.create_batch(4)

    done = at_once(*[lambda: group(NOW)] * 4)

    assert [type(each) for each in done] == [int] * 4
    group(NOW)
    incident = Incident.objects.get()
    assert incident.alarms.count() == 4
    assert len(incident.affected_orders()) == 5
