"""The hook on the shop's own order model: it observes, costs one statement at the most, and never breaks a sale."""

import pickle
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum

import pytest
from django.core import serializers
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.db.models.signals import post_save
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from example_project.shop.models import Order
from statusbreaks.flows import queries
from statusbreaks.flows.models import StatusChange, Watch
from statusbreaks.flows.services import follow
from statusbreaks.shop import model as shop_model
from statusbreaks.shop.model import ModelShop
from statusbreaks.shop.port import watch_shop
from tests.example_project.factories import OrderFactory
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)

LEDGER = StatusChange._meta.db_table


@pytest.fixture
def order():
    order = Order.objects.get(pk=OrderFactory(payment_status="pending").pk)
    StatusChange.objects.all().delete()
    return order


@pytest.fixture
def bare_queries(order):
    """How many queries the same save takes with nobody watching."""

    @contextmanager
    def unwatched():
        receivers, post_save.receivers = post_save.receivers, []
        post_save.sender_receivers_cache.clear()
        yield
        post_save.receivers = receivers
        post_save.sender_receivers_cache.clear()

    def count(step):
        with unwatched(), CaptureQueriesContext(connection) as captured:
            step()
        return len(captured)

    return count


def seen():
    return [(change.order_key, change.flow, change.status) for change in StatusChange.objects.order_by("pk")]


def queries_of(step):
    with CaptureQueriesContext(connection) as captured:
        step()
    return [query["sql"] for query in captured]


def test_a_new_status_costs_exactly_one_query_more(order, bare_queries):
    bare = bare_queries(order.save)
    order.payment_status = "authorised"

    taken = queries_of(order.save)

    assert len(taken) == bare + 1
    assert taken[-1].startswith(f"INSERT INTO {LEDGER}")
    assert seen() == [(str(order.pk), "payment", "authorised")]


def test_two_flows_that_move_in_one_save_cost_one_query_more(order, bare_queries):
    bare = bare_queries(order.save)

    taken = queries_of(lambda: order.payment_confirmed(NOW))

    assert len(taken) == bare + 1
    assert seen() == [(str(order.pk), "order", "processing"), (str(order.pk), "payment", "paid")]


def test_a_save_that_changes_no_status_costs_nothing(order, bare_queries):
    bare = bare_queries(order.save)
    order.name = "Somebody else"

    assert len(queries_of(order.save)) == bare
    assert seen() == []


def test_a_save_that_leaves_the_watched_columns_out_costs_nothing(order, bare_queries):
    bare = bare_queries(lambda: order.save(update_fields=["name"]))
    order.payment_status = "paid"

    assert len(queries_of(lambda: order.save(update_fields=["name"]))) == bare
    assert seen() == []

    order.save(update_fields=["payment_status"])
    assert seen() == [(str(order.pk), "payment", "paid")]


def test_what_was_saved_once_is_no_news_the_second_time(order):
    order.payment_status = "authorised"
    order.save()
    order.save()

    assert len(seen()) == 1


def test_a_status_that_goes_and_comes_back_is_seen_both_times(order):
    for status in ("authorised", "pending"):
        order.payment_status = status
        order.save()

    assert [status for _, _, status in seen()] == ["authorised", "pending"]


def test_a_new_order_is_seen_in_all_its_flows_by_one_query():
    order = OrderFactory.build()

    assert [sql for sql in queries_of(order.save) if LEDGER in sql] != []
    assert seen() == [
        (str(order.pk), "order", "new"),
        (str(order.pk), "payment", "authorised"),
        (str(order.pk), "delivery", "waiting"),
    ]


def test_columns_that_were_not_loaded_are_not_loaded_for_our_sake(order):
    loaded = Order.objects.only("name").get()
    loaded.name = "Ada"

    taken = queries_of(loaded.save)

    assert len(taken) == 1
    assert seen() == []


def test_a_column_that_was_not_loaded_but_set_is_seen(order):
    loaded = Order.objects.only("name").get()
    loaded.payment_status = "authorised"
    loaded.save()

    assert seen() == [(str(order.pk), "payment", "authorised")]


def test_a_sale_that_is_rolled_back_leaves_nothing_and_is_seen_when_it_is_tried_again(order):
    def fail():
        with transaction.atomic():
            order.payment_status = "authorised"
            order.save()
            assert len(seen()) == 1
            raise LookupError("the card was refused")

    with pytest.raises(LookupError):
        fail()
    assert seen() == []

    order.save()
    assert seen() == [(str(order.pk), "payment", "authorised")]


def test_a_save_inside_a_savepoint_that_is_rolled_back_is_seen_when_it_is_tried_again(order):
    with transaction.atomic():
        with transaction.atomic():
            order.payment_status = "authorised"
            order.save()
            transaction.set_rollback(True)
        order.save()

    assert seen() == [(str(order.pk), "payment", "authorised")]


def test_saved_twice_in_one_transaction_it_is_followed_once(order):
    with transaction.atomic():
        order.payment_status = "authorised"
        order.save()
        order.save()

    follow(NOW + timedelta(days=9999))

    assert [watch.status for watch in Watch.objects.all()] == ["authorised"]


def test_of_a_status_that_the_database_computes_only_look_is_noted_and_the_truth_is_read_later(order):
    Order.objects.update(payment_provider="auth")
    order.payment_status = Concat(F("payment_provider"), Value("orised"))
    order.save(update_fields=["payment_status"])

    # Django 6 reads back what the database made of it; then it is known at once.
    assert seen() in ([(str(order.pk), "payment", "")], [(str(order.pk), "payment", "authorised")])
    follow(NOW + timedelta(days=9999))
    assert Watch.objects.get().status == "authorised"


def test_a_computed_status_is_news_each_time(order):
    order.payment_status = F("payment_status")

    for _ in range(2):
        post_save.send(Order, instance=order, created=False, update_fields=None, raw=False, using="default")

    assert seen() == [(str(order.pk), "payment", "")] * 2


def test_a_status_that_newer_django_defers_after_the_save_is_looked_at_once(order):
    hook = shop_model._Hook(queries_recorder := [], shop_model._columns(Order))
    hook.record = lambda *events: queries_recorder.extend(events) or True
    del order.__dict__["payment_status"]

    hook.saved(Order, order, created=False, update_fields=["payment_status"])
    hook.saved(Order, order, created=False, update_fields=["payment_status"])

    assert [(event.flow, event.status) for event in queries_recorder] == [("payment", "")]


class Payment(str, Enum):  # noqa: UP042 - as shops write them: str() of it is its name
    PAID = "paid"


def test_an_enumeration_is_written_as_its_value(order):
    order.payment_status = Payment.PAID
    StatusChange.objects.all().delete()

    post_save.send(Order, instance=order, created=False, update_fields=None, raw=False, using="default")

    assert seen() == [(str(order.pk), "payment", "paid")]


def test_a_status_of_none_is_something_to_look_at(order):
    order.payment_status = None

    post_save.send(Order, instance=order, created=False, update_fields=None, raw=False, using="default")

    assert seen() == [(str(order.pk), "payment", "")]


def test_a_fixture_is_no_sale(order):
    text = serializers.serialize("json", [order]).replace('"pending"', '"paid"')

    for row in serializers.deserialize("json", text):
        row.save()

    assert Order.objects.get().payment_status == "paid"
    assert seen() == []


def test_an_order_survives_being_pickled(order):
    copy = pickle.loads(pickle.dumps(order))
    copy.save()
    assert seen() == []

    copy.payment_status = "paid"
    copy.save()
    assert len(seen()) == 1


def test_a_proxy_of_the_order_is_watched_too(order):
    class Lately(Order):
        class Meta:
            proxy = True
            app_label = "shop"

    try:
        assert Lately in shop_model._with_descendants(Order)
    finally:
        del Lately._meta.apps.all_models["shop"]["lately"]
        Lately._meta.apps.clear_cache()


@contextmanager
def without_table():
    rename = "ALTER TABLE {} RENAME TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format(LEDGER, "hidden_ledger"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(rename.format("hidden_ledger", LEDGER))


@pytest.mark.parametrize("inside", [False, True], ids=["by itself", "in a transaction"])
def test_without_our_table_the_sale_goes_through(order, caplog, inside):
    with without_table(), transaction.atomic() if inside else contextmanager(lambda: iter([None]))():
        order.payment_status = "paid"
        order.save()
        order.name = "Ada"
        order.save()

    assert Order.objects.values_list("payment_status", "name").get() == ("paid", "Ada")
    assert f"order {order.pk} (payment): the status was not recorded" in caplog.text


def test_what_could_not_be_recorded_is_recorded_with_the_next_save(order):
    order.payment_status = "paid"
    with without_table():
        order.save()
    assert seen() == []

    order.save()
    assert seen() == [(str(order.pk), "payment", "paid")]


@pytest.mark.parametrize("inside", [False, True], ids=["by itself", "in a transaction"])
def test_when_every_query_of_ours_fails_the_sale_goes_through(order, monkeypatch, inside):
    def broken(execute, sql, params, many, context):
        if "statusbreaks" in sql:
            raise DatabaseError("no")
        return execute(sql, params, many, context)

    order.payment_status = "paid"
    with connection.execute_wrapper(broken), transaction.atomic() if inside else connection.execute_wrapper(broken):
        order.save()

    assert Order.objects.get().payment_status == "paid"
    assert seen() == []


def test_an_exception_in_the_hook_itself_never_reaches_the_shop(order, monkeypatch, caplog):
    monkeypatch.setattr(shop_model, "_text", lambda value: 1 / 0)
    order.payment_status = "paid"

    order.save()

    assert Order.objects.get().payment_status == "paid"
    assert f"order {order.pk}: its status could not be recorded; the sale goes on" in caplog.text


def test_an_exception_in_the_insert_never_reaches_the_shop(order, monkeypatch, caplog):
    monkeypatch.setattr(queries, "_values", lambda *_: 1 / 0)
    order.payment_status = "paid"

    order.save()

    assert Order.objects.get().payment_status == "paid"
    assert "ZeroDivisionError" in caplog.text


def test_nothing_rings_at_a_broker_while_a_sale_is_made(order, monkeypatch):
    calls = []
    monkeypatch.setattr("socket.socket.connect", lambda *args: calls.append(args))
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *args, **kwargs: calls.append(args))
    with override_settings(CELERY_BROKER_URL="amqp://127.0.0.1:1//"):
        with transaction.atomic():
            order.payment_confirmed(NOW)
        OrderFactory()

    assert calls == []
    assert len(seen()) == 5


def test_without_an_order_model_nothing_is_watched():
    with override_settings(STATUSBREAKS={}):
        shop = ModelShop()
        shop.connect(lambda *events: pytest.fail("nothing to watch"))

        assert not shop.has_orders
        assert shop.facts(["1"]) == {}
        assert shop.key_of("KT-1") is None
        assert shop.final_statuses("payment") == frozenset()


def test_a_shop_that_cannot_be_watched_starts_all_the_same(monkeypatch, caplog):
    with override_settings(STATUSBREAKS={"SHOP": "nowhere.Shop"}):
        watch_shop(lambda *events: True)

    assert "the shop's orders are not watched" in caplog.text
