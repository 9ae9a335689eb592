"""The stage `follow`: the watch list says what the ledger says, and what is due when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from statusbreaks.flows import services
from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.flows.services import detect, follow
from statusbreaks.shop.values import OrderFacts
from statusbreaks.signals import break_healed
from statusbreaks.testing import memory_shop
from tests.concurrency import at_once, needs_threads
from tests.factories import NOW, ExpectationFactory, StatusBreakFactory, StatusChangeFactory, WatchFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def shop():
    with memory_shop() as shop:
        shop.final = {"payment": frozenset({"paid"}), "order": frozenset({"cancelled"})}
        yield shop


def change(status, at=NOW, **values):
    return StatusChangeFactory(order_key="o-1", status=status, occurred_at=at, **values)


def standing(flow="payment", key="o-1"):
    watch = Watch.objects.get(order_key=key, flow=flow)
    return watch.status, watch.changed_at, watch.due_at


def test_nothing_new_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert follow(NOW) == 0


def test_a_new_order_is_watched_and_its_next_step_is_due(clock):
    rule = ExpectationFactory(after="authorised", within=2 * HOUR)
    row = change("authorised", order_number="KT-1", segment="paywell")

    assert follow(NOW + HOUR) == 1

    watch = Watch.objects.get()
    assert (watch.source, watch.order_key, watch.order_number) == ("warehouse", "o-1", "KT-1")
    assert (watch.flow, watch.status, watch.segment) == ("payment", "authorised", "paywell")
    assert (watch.changed_at, watch.due_at, watch.expectation) == (NOW, NOW + 2 * HOUR, rule)
    assert (watch.breached_at, watch.ended_at) == (None, None)
    row.refresh_from_db()
    assert row.followed_at == NOW + HOUR
    assert follow(NOW + HOUR) == 0


def test_an_order_that_goes_on_is_expected_anew(clock):
    ExpectationFactory(after="authorised", within=2 * HOUR)
    ExpectationFactory(after="captured", within=5 * HOUR)
    change("authorised")
    change("captured", NOW + HOUR)

    follow(NOW)

    assert standing() == ("captured", NOW + HOUR, NOW + 6 * HOUR)


def test_the_same_status_again_sets_no_clock_back():
    ExpectationFactory(after="authorised", within=2 * HOUR)
    change("authorised")
    follow(NOW)
    change("authorised", NOW + HOUR)

    assert follow(NOW) == 1

    assert standing() == ("authorised", NOW, NOW + 2 * HOUR)


def test_an_older_event_moves_no_watch_backwards_and_is_in_the_ledger():
    change("captured", NOW)
    follow(NOW)
    change("authorised", NOW - HOUR)

    assert follow(NOW) == 1

    assert standing()[:2] == ("captured", NOW)
    assert [row.status for row in StatusChange.objects.of_order("warehouse", "o-1")] == ["authorised", "captured"]


def test_events_that_came_in_disorder_are_followed_in_their_own_order():
    change("captured", NOW + HOUR)
    change("authorised", NOW)

    follow(NOW)

    assert standing()[:2] == ("captured", NOW + HOUR)


def test_of_two_at_the_same_moment_the_later_told_one_holds():
    change("authorised")
    change("captured")

    follow(NOW)

    assert standing()[0] == "captured"


def test_the_flows_of_an_order_are_watched_apart():
    change("authorised")
    change("waiting", flow="delivery")

    follow(NOW)

    assert standing()[0] == "authorised"
    assert standing("delivery")[0] == "waiting"


def test_orders_of_two_shops_with_the_same_key_are_two_orders():
    change("authorised")
    change("paid", source="till")

    follow(NOW)

    assert {(watch.source, watch.status) for watch in Watch.objects.all()} == {
        ("warehouse", "authorised"),
        ("till", "paid"),
    }


def test_number_and_segment_are_what_the_shop_knows(shop):
    shop.put(OrderFacts("o-1", "KT-1", {"payment": "authorised"}, segments={"payment": "paywell"}))

    follow(NOW + HOUR)

    watch = Watch.objects.get()
    assert (watch.order_number, watch.segment) == ("KT-1", "paywell")


def test_a_segment_that_is_not_told_again_stays():
    change("authorised", segment="paywell", order_number="KT-1")
    follow(NOW)
    change("captured", NOW + HOUR)
    follow(NOW)

    watch = Watch.objects.get()
    assert (watch.order_number, watch.segment) == ("KT-1", "paywell")


def test_an_order_to_look_at_stands_where_the_shop_says(shop):
    shop.put(OrderFacts("o-1", "KT-1", {"payment": "captured"}))
    StatusChange.objects.all().delete()
    change("", source="shop")

    follow(NOW)

    assert standing()[0] == "captured"


def test_an_order_to_look_at_that_nobody_knows_is_not_watched(shop):
    change("", source="shop")

    assert follow(NOW) == 1

    assert StatusChange.objects.unfollowed().count() == 0
    assert not Watch.objects.overdue(NOW + 9999 * HOUR).exists()


def test_an_order_that_is_gone_is_followed_all_the_same(shop):
    change("authorised", source="shop")

    assert follow(NOW) == 1
    assert standing()[0] == "authorised"


def test_a_final_status_ends_the_watch(shop):
    ExpectationFactory(after="paid", within=HOUR)
    shop.put(OrderFacts("o-1", "KT-1", {"payment": "paid"}))
    StatusChange.objects.update(occurred_at=NOW)

    follow(NOW)

    assert Watch.objects.get().ended_at == NOW
    assert detect(NOW + 9 * HOUR) == 0


def test_a_final_status_that_was_not_the_end_opens_the_watch_again(shop):
    shop.put(OrderFacts("o-1", "KT-1", {"payment": "paid"}))
    follow(NOW)
    shop.put(OrderFacts("o-1", "KT-1", {"payment": "refunding"}))
    follow(NOW)

    assert Watch.objects.get().ended_at is None


def test_a_cancelled_order_ends_all_its_flows_and_heals_their_breaks(shop, django_capture_on_commit_callbacks):
    order = OrderFacts("o-1", "KT-1", {"order": "new", "payment": "authorised", "delivery": "waiting"})
    shop.put(order)
    follow(NOW)
    watch = Watch.objects.get(flow="payment")
    late = StatusBreakFactory(watch=watch, open_key="overdue:1")
    Watch.objects.mark_breached([watch], NOW)

    shop.put(replace(order, statuses={**order.statuses, "order": "cancelled"}, cancelled=True))
    follow(NOW + HOUR)

    assert {watch.flow for watch in Watch.objects.all() if watch.ended_at} == {"order", "payment", "delivery"}
    assert not Watch.objects.open().exists()
    late.refresh_from_db()
    assert (late.healed_at, late.open_key) == (NOW + HOUR, None)


def test_an_order_that_goes_on_after_its_break_heals_it_once(django_capture_on_commit_callbacks):
    ExpectationFactory(after="authorised", within=HOUR)
    change("authorised")
    follow(NOW)
    detect(NOW + 2 * HOUR)
    heard = []
    break_healed.connect(on_healed := lambda status_break, **_: heard.append((status_break.pk, status_break.healed_at)))

    with django_capture_on_commit_callbacks(execute=True):
        change("captured", NOW + 3 * HOUR)
        follow(NOW + 4 * HOUR)
        change("done", NOW + 5 * HOUR)
        follow(NOW + 6 * HOUR)
    break_healed.disconnect(on_healed)

    late = StatusBreak.objects.get()
    assert heard == [(late.pk, NOW + 4 * HOUR)]
    assert (late.healed_at, late.open_key, late.lasted) == (NOW + 4 * HOUR, None, 3 * HOUR)
    assert Watch.objects.get().breached_at is None


def test_a_poisonous_row_stays_open_and_does_not_stop_the_batch(monkeypatch, caplog):
    good, poison, better = change("authorised"), change("captured", source="cursed"), change("done", NOW + HOUR)
    facts = services.facts_of

    def cursed(source, keys):
        if source == "cursed":
            raise ValueError("no such shop")
        return facts(source, keys)

    monkeypatch.setattr(services, "facts_of", cursed)

    assert follow(NOW) == 2

    assert list(StatusChange.objects.unfollowed()) == [poison]
    assert standing()[0] == "done"
    assert "no such shop" in caplog.text
    assert good.pk != better.pk


def test_following_many_takes_a_fixed_number_of_queries(django_assert_max_num_queries):
    ExpectationFactory()
    for number in range(60):
        StatusChangeFactory(order_key=f"o-{number}")

    with django_assert_max_num_queries(25):
        follow(NOW)

    assert Watch.objects.count() == 60


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_two_workers_that_meet_a_new_order_make_one_watch_and_follow_each_row_once():
    for number in range(40):
        StatusChangeFactory(order_key=f"o-{number % 10}", status=f"s{number}", occurred_at=NOW + number * HOUR)

    done = at_once(*[lambda: follow(NOW)] * 4)

    assert [type(each) for each in done] == [int] * 4
    follow(NOW)
    assert Watch.objects.count() == 10
    assert sorted(Watch.objects.values_list("status", flat=True)) == sorted(f"s{number}" for number in range(30, 40))
    assert not StatusChange.objects.unfollowed().exists()


@pytest.mark.parametrize(
    ("status", "segment", "within"), [("a", "x", 2), ("a", "y", 1), ("a", "", 1), ("b", "x", None)]
)
def test_the_rule_of_a_segment_goes_before_the_rule_of_all(status, segment, within):
    ExpectationFactory(after="a", segment="", within=HOUR)
    ExpectationFactory(after="a", segment="x", within=2 * HOUR)
    ExpectationFactory(after="b", segment="", within=HOUR, is_active=False)
    ExpectationFactory(after="b", flow="order", within=HOUR)
    change(status, segment=segment)

    follow(NOW)

    assert standing()[2] == (None if within is None else NOW + within * HOUR)


def test_a_watch_and_a_rule_say_what_they_are():
    assert str(WatchFactory(order_number="KT-1")) == "KT-1"
    assert str(ExpectationFactory(after="paid", segment="swift")) == "payment: paid (swift) → 2:00:00"
    assert str(ExpectationFactory(after="paid")) == "payment: paid → 2:00:00"
