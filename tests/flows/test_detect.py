"""The stage `detect`: one break for each order that is overdue, and none for one that only seems to be."""

from datetime import timedelta

import pytest

from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.flows.services import detect, follow
from statusbreaks.shop.values import OrderFacts
from statusbreaks.signals import break_opened
from statusbreaks.testing import memory_shop
from tests.concurrency import at_once, needs_threads
from tests.factories import NOW, WatchFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATE = NOW + 2 * HOUR


@pytest.fixture
def shop():
    with memory_shop() as shop:
        yield shop


def due(**values):
    return WatchFactory(due_at=NOW + HOUR, **values)


def test_nothing_due_costs_one_query(django_assert_num_queries):
    due()
    with django_assert_num_queries(1):
        assert detect(NOW) == 0


def test_an_overdue_order_is_one_break(django_capture_on_commit_callbacks):
    watch = due(order_key="o-1", order_number="KT-1", segment="paywell")
    heard = []
    break_opened.connect(on_opened := lambda status_break, **_: heard.append(status_break.pk))

    with django_capture_on_commit_callbacks(execute=True):
        assert detect(LATE) == 1
        assert detect(LATE) == 0
        assert detect(LATE + 99 * HOUR) == 0
    break_opened.disconnect(on_opened)

    late = StatusBreak.objects.get()
    assert heard == [late.pk]
    assert (late.kind, late.watch, late.source, late.order_key, late.order_number) == (
        "overdue",
        watch,
        "warehouse",
        "o-1",
        "KT-1",
    )
    assert (late.flow, late.status, late.segment) == ("payment", "authorised", "paywell")
    assert (late.began_at, late.due_at, late.opened_at) == (NOW, NOW + HOUR, LATE)
    assert (late.healed_at, late.grouped_at, late.lasted) == (None, None, None)
    watch.refresh_from_db()
    assert watch.breached_at == LATE


def test_the_deadline_itself_is_late():
    due()

    assert detect(NOW + HOUR - timedelta(microseconds=1)) == 0
    assert detect(NOW + HOUR) == 1


@pytest.mark.parametrize("over", [{"ended_at": NOW}, {"breached_at": NOW}, {"due_at": None}])
def test_who_is_not_waited_for_is_not_late(over):
    WatchFactory(**{"due_at": NOW, **over})

    assert detect(LATE) == 0


def test_an_order_that_broke_healed_and_broke_again_has_two_breaks():
    watch = due()
    detect(LATE)
    StatusBreak.objects.all().mark_healed(LATE)
    Watch.objects.update(breached_at=None, due_at=LATE + HOUR)

    detect(LATE + 2 * HOUR)

    assert StatusBreak.objects.of_watches([watch]).count() == 2
    assert StatusBreak.objects.open().count() == 1


def test_an_order_that_moved_behind_the_hook_is_noted_in_the_ledger_and_alarms_nobody(shop):
    shop.orders["o-1"] = OrderFacts("o-1", "KT-1", {"payment": "paid"})
    due(source="shop", order_key="o-1")

    assert detect(LATE) == 1

    assert not StatusBreak.objects.exists()
    [noted] = StatusChange.objects.all()
    assert (noted.via, noted.status, noted.order_number, noted.occurred_at) == ("reconcile", "paid", "KT-1", LATE)
    follow(LATE)
    assert Watch.objects.get().status == "paid"
    assert detect(LATE) == 0


def test_an_order_that_is_gone_ends_quietly(shop):
    watch = due(source="shop", order_key="o-1")

    detect(LATE)

    watch.refresh_from_db()
    assert (watch.ended_at, watch.due_at) == (LATE, None)
    assert not StatusBreak.objects.exists()
    assert not StatusChange.objects.exists()


def test_an_order_that_was_cancelled_behind_the_hook_ends_quietly(shop):
    shop.orders["o-1"] = OrderFacts("o-1", "KT-1", {"payment": "authorised"}, cancelled=True)
    watch = due(source="shop", order_key="o-1")

    detect(LATE)

    watch.refresh_from_db()
    assert watch.ended_at == LATE
    assert not StatusBreak.objects.exists()


def test_an_order_of_another_shop_is_late_although_nobody_can_ask_there():
    due(source="warehouse")

    detect(LATE)

    assert StatusBreak.objects.count() == 1


def test_a_shop_that_knows_nothing_of_a_flow_does_not_gainsay_it(shop):
    shop.orders["o-1"] = OrderFacts("o-1", "KT-1", {})
    due(source="shop", order_key="o-1")

    detect(LATE)

    assert StatusBreak.objects.count() == 1


def test_many_at_once_take_a_fixed_number_of_queries(django_assert_max_num_queries):
    for _ in range(60):
        due()

    with django_assert_max_num_queries(10):
        assert detect(LATE) == 60

    assert StatusBreak.objects.count() == 60


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_open_one_break_for_each():
    for _ in range(30):
        due()

    done = at_once(*[lambda: detect(LATE)] * 4)

    assert [type(each) for each in done] == [int] * 4
    detect(LATE)
    assert StatusBreak.objects.count() == 30
    assert StatusBreak.objects.values("watch").distinct().count() == 30
