"""What a shop's own code says through `status_changed`: written down if it can be understood, and never its problem."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from statusbreaks.flows.models import StatusChange
from statusbreaks.flows.services import record
from statusbreaks.shop.values import StatusEvent
from statusbreaks.signals import status_changed
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def say(**said):
    """As shops do: with `send`, which lets exceptions through."""
    status_changed.send(sender=None, **said)


def ledger():
    return list(StatusChange.objects.order_by("pk"))


def test_a_change_is_written_down_as_it_was_said(clock):
    earlier = NOW - timedelta(hours=1)
    say(
        order_key=7,
        flow="payment",
        status="paid",
        occurred_at=earlier,
        order_number="KT-7",
        segment="paywell",
        source="till",
        event_id="e-1",
    )

    [change] = ledger()
    assert (change.source, change.order_key, change.order_number) == ("till", "7", "KT-7")
    assert (change.flow, change.status, change.segment, change.via) == ("payment", "paid", "paywell", "signal")
    assert (change.occurred_at, change.recorded_at, change.event_id) == (earlier, NOW, "e-1")
    assert change.followed_at is None


def test_what_is_left_out_has_a_sensible_value(clock):
    say(order_key="o-1", flow="payment", status="paid")

    [change] = ledger()
    assert (change.source, change.order_number, change.segment, change.event_id) == ("shop", "", "", None)
    assert (change.occurred_at, change.recorded_at) == (NOW, NOW)
    assert str(change) == "o-1"


@pytest.mark.parametrize("sender", [None, object(), "shop", StatusChange])
def test_whoever_sends_is_heard(sender):
    status_changed.send(sender=sender, order_key="o-1", flow="payment", status="paid")

    assert len(ledger()) == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"flow": "payment", "status": "paid"},
        {"order_key": "o-1", "status": "paid"},
        {"order_key": "o-1", "flow": "payment"},
        {"order_key": "", "flow": "payment", "status": "paid"},
        {"order_key": None, "flow": "payment", "status": "paid"},
        {"order_key": "o" * 65, "flow": "payment", "status": "paid"},
        {"order_key": "o-1", "flow": "shipping", "status": "paid"},
        {"order_key": "o-1", "flow": None, "status": "paid"},
        {"order_key": "o-1", "flow": "payment", "status": "p" * 65},
        {"order_key": "o-1", "flow": "payment", "status": "paid", "occurred_at": "yesterday"},
        {"order_key": "o-1", "flow": "payment", "status": "paid", "occurred_at": 1772452800},
        {"order_key": "o-1", "flow": "payment", "status": "paid", "segment": "s" * 65},
        {"order_key": "o-1", "flow": "payment", "status": "paid", "event_id": "e" * 81},
        {"order_key": "o-1", "flow": "payment", "status": "paid", "source": ""},
    ],
)
def test_what_cannot_be_understood_is_logged_and_raises_nothing(said, caplog):
    say(**said)

    assert ledger() == []
    assert "status_changed came with" in caplog.text


def test_what_is_said_besides_is_passed_over():
    say(order_key="o-1", flow="payment", status="paid", colour="red", user=object())

    assert len(ledger()) == 1


def test_without_a_status_the_order_is_to_be_looked_at():
    say(order_key="o-1", flow="payment", status=None)

    assert [change.status for change in ledger()] == [""]


def test_a_time_without_a_zone_is_the_shops_own():
    say(order_key="o-1", flow="payment", status="paid", occurred_at=datetime(2026, 3, 2, 12))  # noqa: DTZ001

    assert ledger()[0].occurred_at == datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=4000)])
def test_a_time_in_the_future_is_now(clock, ahead):
    say(order_key="o-1", flow="payment", status="paid", occurred_at=NOW + ahead)

    assert ledger()[0].occurred_at == NOW


def test_the_same_event_twice_is_one_event(caplog):
    for _ in range(2):
        say(order_key="o-1", flow="payment", status="paid", event_id="e-1")

    assert len(ledger()) == 1
    assert caplog.text == ""


def test_a_database_that_says_no_is_logged_with_the_order_and_raises_nothing(caplog):
    def broken(execute, sql, params, many, context):
        if "INSERT" in sql:
            raise DatabaseError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken):
        say(order_key="o-1", flow="payment", status="paid")
        assert not record(StatusEvent("o-2", "order", "new", NOW, order_number="KT-2"))

    assert "order o-1 (payment): the status was not recorded" in caplog.text
    assert "order KT-2 (order): the status was not recorded" in caplog.text
    assert ledger() == []


def test_many_are_written_down_in_one_statement(django_assert_num_queries):
    events = [StatusEvent(f"o-{n}", "payment", "paid", NOW) for n in range(3)]

    with django_assert_num_queries(1):
        assert record(*events)

    assert [change.order_key for change in ledger()] == ["o-0", "o-1", "o-2"]


@pytest.mark.parametrize("key", ["nothing stands in the way\0", "k" * 65])
def test_what_the_database_refuses_leaves_the_sale_as_it_was(key):
    """NUL is refused by PostgreSQL's driver before it is sent, what is too long by the server."""
    with transaction.atomic():
        record(StatusEvent("o-1", "payment", "paid", NOW))
        record(StatusEvent(key, "payment", "paid", NOW))
        record(StatusEvent("o-2", "payment", "paid", NOW))

    kept = [change.order_key for change in ledger()]
    assert [order for order in kept if order in ("o-1", "o-2")] == ["o-1", "o-2"]


def test_the_ledger_of_one_order_is_in_the_order_of_its_times():
    for number, hours in enumerate([3, 1, 2]):
        record(StatusEvent("o-1", "payment", f"s{number}", NOW + timedelta(hours=hours)))
    record(StatusEvent("o-2", "payment", "paid", NOW))

    assert [change.status for change in StatusChange.objects.of_order("shop", "o-1")] == ["s1", "s2", "s0"]
