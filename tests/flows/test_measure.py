"""The stage `measure`: a flow that stands still raises an alarm, and its end ends it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from statusbreaks.flows.counters import count_given_up, count_steps
from statusbreaks.flows.judge import Step
from statusbreaks.flows.measure import measure, sentence
from statusbreaks.flows.models import Alarm, FlowCounter, FlowGauge, StatusChange, Watch
from statusbreaks.flows.services import follow
from statusbreaks.flows.statistics import Reading, bucket
from statusbreaks.incidents.models import Incident
from statusbreaks.shop.values import OrderFacts
from statusbreaks.testing import memory_shop
from tests.factories import NOW, StatusChangeFactory, WatchFactory

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CARD = {"flow": "payment", "segment": "card", "status": "authorised"}


def step(took=15 * MINUTE, **values):
    place = {"flow": "payment", "segment": "card", "before": "authorised", "after": "paid", **values}
    return Step(**place, entered_at=NOW - took, left_at=NOW)


@pytest.fixture
def card(clock):
    """Card payments are usually confirmed within a quarter of an hour; nothing waits, and all is well."""
    count_steps([step() for _ in range(100)], NOW)
    assert measure(NOW) == 1
    return FlowGauge.objects.get()


def wait(count, since=NOW):
    return [WatchFactory(**CARD, changed_at=since) for _ in range(count)]


def look(at):
    """As a worker that ticks every ten minutes until then."""
    moment = NOW
    while moment < at:
        moment += 10 * MINUTE
        measure(moment)


def test_what_is_followed_is_counted_by_how_long_it_took(clock):
    for key, took in (("a", 5 * MINUTE), ("b", 5 * MINUTE), ("c", 2 * HOUR)):
        StatusChangeFactory(order_key=key, segment="card", status="authorised", occurred_at=NOW - took)
    follow(NOW - HOUR)
    assert not FlowCounter.objects.exists()

    for key in "abc":
        StatusChangeFactory(order_key=key, segment="card", status="paid", occurred_at=NOW)
    follow(NOW)

    counted = {
        counter.bucket: (counter.place, counter.went_on, counter.gave_up) for counter in FlowCounter.objects.all()
    }
    place = ("payment", "card", "authorised")
    assert counted == {bucket(300): (place, 2.0, 0.0), bucket(7200): (place, 1.0, 0.0)}
    gauge = FlowGauge.objects.get()
    assert (gauge.place, gauge.unread, gauge.next_at) == (place, 3, NOW)


def test_counters_add_up_and_a_repeated_batch_of_the_ledger_counts_nothing(clock):
    count_steps([step(), step(HOUR), step(before="")], NOW)
    count_steps([step()], NOW + HOUR)
    follow(NOW + HOUR)

    assert Counter(FlowCounter.objects.values_list("bucket", "went_on")) == Counter(
        {(bucket(900), 2.0): 1, (bucket(3600), 1.0): 1}
    )
    assert FlowGauge.objects.get().unread == 3
    assert FlowGauge.objects.get().next_at == NOW


def test_orders_that_are_given_up_are_counted_apart():
    count_given_up([*wait(2, NOW - HOUR), WatchFactory(status="")], NOW)

    assert list(FlowCounter.objects.values_list("bucket", "went_on", "gave_up")) == [(bucket(3600), 0.0, 2.0)]
    assert not FlowGauge.objects.exists()


def test_a_silence_raises_one_alarm_and_says_why(card):
    wait(10, NOW + MINUTE)

    look(NOW + 2 * HOUR)

    alarm = Alarm.objects.get()
    assert (alarm.rule, alarm.flow, alarm.segment, alarm.status) == ("silence", "payment", "card", "authorised")
    assert NOW < alarm.raised_at <= NOW + 2 * HOUR
    assert alarm.since == NOW
    assert alarm.observed == 0
    assert alarm.odds > 10_000
    assert alarm.sentence == sentence("payment", Reading(alarm.expected, 0), alarm.since, alarm.raised_at)
    assert alarm.ended_at is None


def test_an_alarm_ends_when_the_flow_runs_again_and_another_one_can_ring(card):
    watches = wait(10, NOW + MINUTE)
    look(NOW + 2 * HOUR)

    for watch in watches:
        StatusChangeFactory(order_key=watch.order_key, status="paid", occurred_at=NOW + 3 * HOUR)
    follow(NOW + 3 * HOUR)
    measure(NOW + 3 * HOUR)

    alarm = Alarm.objects.get()
    assert (alarm.ended_at, alarm.open_key) == (NOW + 3 * HOUR, None)
    gauge = FlowGauge.objects.get(status="authorised")
    assert (gauge.alarm, gauge.score, gauge.unread) == (None, 0, 0)

    wait(10, NOW + 5 * HOUR)
    for hours in (6, 7, 8, 9):
        measure(NOW + hours * HOUR)
    assert Alarm.objects.open().count() == 1
    assert Alarm.objects.count() == 2


def test_an_alarm_ends_when_nobody_waits_any_more(card):
    watches = wait(10, NOW + MINUTE)
    look(NOW + 2 * HOUR)
    assert Alarm.objects.open().exists()

    Watch.objects.end(watches, NOW + 2 * HOUR)
    measure(NOW + 3 * HOUR)

    assert Alarm.objects.get().ended_at == NOW + 3 * HOUR


def test_while_confirmations_come_there_is_no_alarm(card):
    for minutes in range(0, 600, 20):
        entered = NOW + minutes * MINUTE
        watch = WatchFactory(**CARD, changed_at=entered)
        measure(entered)
        StatusChangeFactory(order_key=watch.order_key, status="paid", occurred_at=entered + 15 * MINUTE)
        follow(entered + 15 * MINUTE)

    assert not Alarm.objects.exists()
    assert FlowGauge.objects.get(status="authorised").score == 0


def test_with_little_history_nothing_is_said(clock):
    count_steps([step() for _ in range(10)], NOW)
    measure(NOW)
    wait(50)

    look(NOW + DAY)

    assert not Alarm.objects.exists()


def test_where_it_is_no_gauges_turn_one_query_is_asked(card, django_assert_num_queries):
    assert card.next_at > NOW + 10 * MINUTE

    with django_assert_num_queries(1):
        assert measure(NOW + 10 * MINUTE) == 0


def test_the_number_of_queries_depends_neither_on_orders_nor_on_gauges(card):
    def asked(at):
        with CaptureQueriesContext(connection) as queries:
            assert measure(at)
        return len(queries)

    few = asked(card.next_at)
    wait(300, NOW)
    for segment in ("transfer", "voucher", "wallet"):
        FlowGauge.objects.create(
            flow="payment", segment=segment, status="authorised", next_at=NOW, learned_at=card.next_at, since=NOW
        )

    assert asked(NOW + 12 * HOUR) <= few + 2  # an alarm rings


def test_a_shop_that_changes_statuses_behind_the_hook_raises_no_alarm_and_the_ledger_hears_of_it(card):
    watches = wait(10, NOW + MINUTE)
    Watch.objects.update(source="shop")
    with memory_shop() as shop:
        for watch in watches:
            shop.orders[watch.order_key] = OrderFacts(key=watch.order_key, number="", statuses={"payment": "paid"})

        look(NOW + 2 * HOUR)

    assert not Alarm.objects.exists()
    assert {change.via for change in StatusChange.objects.all()} == {"reconcile"}
    assert {change.status for change in StatusChange.objects.all()} == {"paid"}
    follow(NOW + 2 * HOUR)
    assert {watch.status for watch in Watch.objects.all()} == {"paid"}


def test_the_pace_is_learned_anew_each_day_and_what_is_long_ago_counts_less(card):
    assert (card.steps, card.learned_at) == (100.0, NOW)

    measure(NOW + 90 * DAY)

    assert FlowGauge.objects.get().steps == pytest.approx(50)
    assert FlowCounter.objects.get().went_on == pytest.approx(50)


def test_orders_that_wait_are_part_of_what_is_learned(card):
    wait(50, NOW - DAY)
    before = card.hazard[-1]

    measure(NOW + DAY)

    assert FlowGauge.objects.get().hazard[-1] < before


def test_a_clock_that_goes_back_does_no_harm(card):
    wait(10, NOW - 70 * MINUTE)
    FlowGauge.objects.update(next_at=NOW - HOUR, score=5.0, due=6.0)

    measure(NOW - HOUR)

    gauge = FlowGauge.objects.get()
    assert (gauge.score, gauge.due) == (5.0, 6.0)


def test_an_alarm_becomes_an_incident_with_all_that_wait(card, tick, clock):
    watches = wait(10, NOW + MINUTE)
    for _ in range(24):
        clock.shift(10 * MINUTE)
        tick()

    incident = Incident.objects.get()
    assert (incident.flow, incident.segment, incident.status) == ("payment", "card", "suspected")
    assert incident.published_at is None
    assert sorted(incident.affected_orders()) == sorted(watch.order_key for watch in watches)


@pytest.mark.parametrize(
    ("flow", "reading", "hours", "said"),
    [
        (
            "payment",
            Reading(9.3, 0),
            2,
            "9.3 confirmations were due since 12:05 and none came; the odds are 1 in 11,000",
        ),
        (
            "payment",
            Reading(20.0, 2),
            2,
            "20.0 confirmations were due since 12:05 and 2 came; the odds are 1 in 2,200,000",
        ),
        (
            "order",
            Reading(12.0, 0),
            2,
            "12.0 orders were due to go on since 12:05 and none did; the odds are 1 in 160,000",
        ),
        (
            "delivery",
            Reading(50.0, 1),
            2,
            "50.0 parcels were due to move on since 12:05 and 1 did; the odds are 1 in 1,000,000,000",
        ),
        (
            "payment",
            Reading(9.3, 0),
            20,
            "9.3 confirmations were due since 2 March, 12:05 and none came; the odds are 1 in 11,000",
        ),
    ],
)
def test_the_sentence(flow, reading, hours, said):
    since = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)

    assert sentence(flow, reading, since, since + hours * HOUR) == said
