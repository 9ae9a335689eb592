"""The stage `reconcile`: what the shop changed behind the signals comes into the ledger once, and nothing else."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection, models
from django.test import override_settings

from example_project.shop.models import Order
from statusbreaks.flows import reconcile as module
from statusbreaks.flows.models import StatusChange, Watch
from statusbreaks.flows.reconcile import SECOND_LOOK, reconcile
from statusbreaks.flows.services import follow
from statusbreaks.shop.model import ModelShop
from statusbreaks.shop.models import Bookmark
from statusbreaks.shop.values import OrderFacts
from statusbreaks.testing import memory_shop
from tests.concurrency import at_once, needs_threads
from tests.example_project.factories import OrderFactory
from tests.factories import NOW, WatchFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


@pytest.fixture
def by_placing():
    """The example shop has no column of its last change; the one of its placing serves as one here."""
    ours = settings.STATUSBREAKS
    with override_settings(STATUSBREAKS={**ours, "ORDERS": {**ours["ORDERS"], "MODIFIED_AT": "placed_at"}}):
        yield


@pytest.fixture
def order(clock):
    order = OrderFactory()
    follow(NOW)
    reconcile(NOW)
    StatusChange.objects.all().delete()
    return order


def behind(order, **values):
    Order.objects.filter(pk=order.pk).update(**values)


def bulk(number, count=1, **values):
    made = OrderFactory.build_batch(count, user=None, **values)
    for index, each in enumerate(made):
        each.number = f"BULK-{number}-{index}"
    return Order.objects.bulk_create(made)


def noted():
    return list(StatusChange.objects.order_by("pk").values_list("order_key", "flow", "status"))


def test_an_update_behind_the_signals_comes_into_the_ledger_once(order):
    behind(order, payment_status="paid")

    assert reconcile(LATER) == 1
    assert reconcile(LATER) == 0

    [row] = StatusChange.objects.all()
    assert (row.source, row.order_key, row.order_number) == ("shop", str(order.pk), order.number)
    assert (row.flow, row.status, row.via, row.occurred_at) == ("payment", "paid", "reconcile", LATER)
    follow(LATER)
    assert reconcile(LATER + HOUR) == 0
    assert Watch.objects.get(flow="payment").status == "paid"


def test_raw_sql_is_seen_too(order):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Order._meta.db_table} SET delivery_status = 'handed_over' WHERE id = %s", [order.pk])

    assert reconcile(LATER) == 1
    assert noted() == [(str(order.pk), "delivery", "handed_over")]


def test_what_stands_where_it_stood_adds_nothing(order):
    behind(order, name="Somebody else")

    assert reconcile(LATER) == 0
    assert noted() == []


def test_there_and_back_is_two_rows(order):
    before = order.payment_status
    for number, status in enumerate(["paid", before, "paid", before]):
        behind(order, payment_status=status)
        assert reconcile(LATER + number * HOUR) == 1
        follow(LATER + number * HOUR)

    assert [status for _, _, status in noted()] == ["paid", before, "paid", before]


def test_what_a_signal_has_just_told_is_not_told_again(order):
    order = Order.objects.get(pk=order.pk)
    order.payment_status = "paid"
    order.save()

    assert reconcile(LATER) == 0
    assert [row.via for row in StatusChange.objects.all()] == ["signal"]


def test_orders_of_other_shops_are_not_asked_for(clock):
    with memory_shop() as shop:
        shop.orders["o-1"] = OrderFacts("o-1", "KT-1", {"payment": "paid"})
        WatchFactory(source="warehouse", order_key="o-1")

        assert reconcile(NOW) == 0


def test_an_order_whose_watches_have_ended_is_left_in_peace(clock):
    with memory_shop() as shop:
        shop.orders["o-1"] = OrderFacts("o-1", "KT-1", {"payment": "refunded"})
        WatchFactory(source="shop", order_key="o-1", status="paid", ended_at=NOW)

        assert reconcile(NOW) == 0


def test_orders_inserted_behind_the_signals_are_found(order):
    [made] = bulk(1, placed_at=NOW)

    assert reconcile(LATER) == 3
    follow(LATER)

    assert {watch.flow for watch in Watch.objects.of_orders("shop", [str(made.pk)])} == {"order", "payment", "delivery"}
    assert reconcile(LATER) == 0


def test_orders_from_before_the_first_tick_are_not_taken_for_new(clock):
    bulk(1, 3)

    assert reconcile(NOW) == 0
    assert reconcile(LATER) == 0
    assert noted() == []


def test_the_first_order_of_a_new_shop_is_found(clock):
    reconcile(NOW)
    bulk(1)

    assert reconcile(LATER) == 3


def test_an_order_that_is_committed_late_is_found_by_the_second_look(order):
    key = bulk(1)[0].pk
    Order.objects.filter(pk=key).delete()
    [soon] = bulk(2)
    assert reconcile(LATER) == 3
    bulk(3, pk=key)

    assert reconcile(LATER + timedelta(minutes=1)) == 0
    assert reconcile(LATER + SECOND_LOOK) == 3
    assert {key for key, _, _ in noted()} == {str(key), str(soon.pk)}


def test_the_modified_column_finds_what_is_watched_no_more_and_dates_it(by_placing, order):
    Watch.objects.update(ended_at=NOW)
    reconcile(NOW)
    behind(order, payment_status="paid", placed_at=NOW + timedelta(minutes=20))

    assert reconcile(LATER) == 1

    assert StatusChange.objects.get().occurred_at == NOW + timedelta(minutes=20)


@pytest.mark.parametrize("modified", [NOW - HOUR, LATER + HOUR])
def test_a_modified_column_that_does_not_fit_is_not_believed(by_placing, order, modified):
    behind(order, payment_status="paid", placed_at=modified)

    assert reconcile(LATER) == 1

    assert StatusChange.objects.get().occurred_at == LATER
    follow(LATER)
    assert Watch.objects.get(flow="payment").status == "paid"


def test_of_orders_changed_in_one_moment_none_is_left_out(by_placing, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    reconcile(NOW)
    bulk(1, 5, placed_at=NOW)

    assert [reconcile(NOW) for _ in range(4)] == [6, 6, 3, 0]
    assert len({key for key, _, _ in noted()}) == 5


def test_a_key_that_does_not_grow_gives_no_mark(monkeypatch):
    monkeypatch.setattr("statusbreaks.shop.model._own_key", lambda model: models.UUIDField())

    assert ModelShop().marks == ""
    assert reconcile(NOW) == 0
    assert not Bookmark.objects.exists()


def test_the_round_looks_at_so_many_a_tick_and_begins_anew(clock, monkeypatch):
    monkeypatch.setattr(module, "MOST", 4)
    with memory_shop() as shop:
        for number in range(10):
            shop.orders[f"o-{number}"] = OrderFacts(f"o-{number}", "", {"payment": "paid"})
            WatchFactory(source="shop", order_key=f"o-{number}")

        assert [reconcile(NOW) for _ in range(4)] == [4, 4, 2, 0]


def test_nothing_new_takes_five_queries_for_up_to_500_open_watches(order, django_assert_num_queries):
    for _ in range(20):
        OrderFactory()
    follow(NOW)
    reconcile(LATER)
    reconcile(LATER + 3 * SECOND_LOOK)
    reconcile(LATER + 6 * SECOND_LOOK)

    with django_assert_num_queries(5):
        assert reconcile(LATER + 9 * SECOND_LOOK) == 0


def test_a_poisonous_order_stops_nobody_but_itself(clock, monkeypatch, caplog):
    with memory_shop() as shop:
        for key in ("o-1", "bad", "o-2"):
            shop.orders[key] = OrderFacts(key, "", {"payment": "paid"})
            WatchFactory(source="shop", order_key=key)
        known = shop.facts

        def facts(keys):
            assert "bad" not in keys, "cannot be read"
            return known(keys)

        monkeypatch.setattr(shop, "facts", facts)

        assert reconcile(NOW) == 2

    assert [key for key, _, _ in noted()] == ["o-1", "o-2"]
    assert "order bad could not be compared" in caplog.text


def test_a_database_in_trouble_is_not_asked_order_by_order(clock, monkeypatch):
    asked = []
    with memory_shop() as shop:
        WatchFactory.create_batch(3, source="shop")

        def facts(keys):
            asked.append(keys)
            raise OperationalError("the server went away")

        monkeypatch.setattr(shop, "facts", facts)
        with pytest.raises(OperationalError):
            reconcile(NOW)

    assert len(asked) == 1


def test_a_shop_without_orders_costs_nothing(django_assert_num_queries):
    with override_settings(STATUSBREAKS={}), django_assert_num_queries(0):
        assert reconcile(NOW) == 0


def test_two_workers_that_see_one_change_add_one_row(order, monkeypatch):
    behind(order, payment_status="paid")
    monkeypatch.setattr(module, "unfollowed_of", lambda keys: set())  # each has asked before the other wrote

    reconcile(LATER)
    reconcile(LATER)

    assert StatusChange.objects.count() == 1


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_add_each_change_once():
    orders = OrderFactory.create_batch(20)
    follow(NOW)
    StatusChange.objects.all().delete()
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(payment_status="paid")

    done = at_once(*[lambda: reconcile(LATER)] * 4)

    # MariaDB may choose a victim among those that insert the same row: it leaves the rest to its next tick.
    assert {type(each) for each in done} <= {int, OperationalError}
    reconcile(LATER)
    assert sorted(noted()) == sorted((str(order.pk), "payment", "paid") for order in orders)


def test_the_round_reads_open_watches_by_an_index_of_its_own(clock):
    crowds = [(20, {}), (4_000, {"ended_at": NOW}), (4_000, {"source": "warehouse"})]
    for number, values in crowds:
        Watch.objects.bulk_create(WatchFactory.build_batch(number, **{"source": "shop", **values}))
    if connection.vendor != "mysql":  # where it would commit
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    plan = (
        Watch.objects.open()
        .filter(source="shop", pk__gt=0)
        .order_by("pk")
        .values_list("pk", "order_key")[:2000]
        .explain()
    )

    # PostgreSQL may prefer the other index that holds open watches only.
    assert "sb_watch_round" in plan or "sb_watch_open" in plan
