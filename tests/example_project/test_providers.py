"""The providers answer as time goes on, and fail when they are told to."""

from datetime import timedelta

import pytest

from example_project.providers.services import move_parcels, pack, process_payments, sign_contracts, work
from example_project.providers.timing import CONFIRMATION, Course
from example_project.shop.models import Order
from tests.example_project.factories import NOON, OrderFactory, OrderLineFactory, ProviderFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def statuses(order):
    order.refresh_from_db()
    return order.status, order.payment_status, order.delivery_status


def test_a_card_payment_is_confirmed_when_its_time_has_come_and_not_before():
    ProviderFactory()
    order = OrderFactory()
    due = NOON + Course(order.number, "paywell", "swift").confirmed_after()

    assert process_payments(due - timedelta(seconds=1)) == 0
    assert statuses(order) == ("new", "authorised", "waiting")

    assert process_payments(due) == 1
    assert statuses(order) == ("processing", "paid", "waiting")
    assert order.paid_at == due


def test_nothing_is_confirmed_twice():
    ProviderFactory()
    OrderFactory()
    process_payments(NOON + DAY)

    assert process_payments(NOON + 2 * DAY) == 0
    assert Order.objects.get().paid_at == NOON + DAY


def test_what_a_stalled_provider_held_back_comes_at_once_at_its_recovery():
    provider = ProviderFactory()
    orders = [OrderFactory(placed_at=NOON + timedelta(minutes=n)) for n in range(5)]
    provider.switch("stall", NOON)

    assert process_payments(NOON + DAY) == 0

    provider.switch("confirm", NOON + DAY)
    assert process_payments(NOON + DAY) == 5
    assert {order.paid_at for order in Order.objects.all()} == {NOON + DAY}
    assert [statuses(order)[0] for order in orders] == ["processing"] * 5


def test_one_provider_can_stall_while_the_other_works():
    ProviderFactory().switch("stall", NOON)
    ProviderFactory(code="giro", name="Giro Transfer")
    card, transfer = OrderFactory(), OrderFactory(payment_provider="giro", payment_status="pending")

    process_payments(NOON + 30 * DAY)

    assert statuses(card)[1] == "authorised"
    assert statuses(transfer)[1] == "paid"


def test_a_refused_payment_cancels_the_order_and_gives_the_goods_back():
    line = OrderLineFactory(quantity=2, product__stock=5)
    ProviderFactory().switch("refuse", NOON)

    process_payments(NOON + DAY)

    assert statuses(line.order) == ("cancelled", "failed", "waiting")
    line.product.refresh_from_db()
    assert line.product.stock == 7


def test_a_failure_that_goes_on_keeps_the_time_at_which_it_began():
    provider = ProviderFactory()

    provider.switch("stall", NOON)
    provider.switch("refuse", NOON + DAY)
    provider.refresh_from_db()
    assert provider.failing_since == NOON

    provider.switch("confirm", NOON + 2 * DAY)
    provider.refresh_from_db()
    assert provider.failing_since is None


def test_an_order_goes_all_the_way_to_the_door():
    sign_contracts()
    order = OrderFactory()

    seen = [statuses(order)]
    for hour in range(24 * 14):
        if work(NOON + timedelta(hours=hour)):
            seen.append(statuses(order))

    assert seen == [
        ("new", "authorised", "waiting"),
        ("processing", "paid", "waiting"),
        ("shipped", "paid", "handed_over"),
        ("shipped", "paid", "in_transit"),
        ("completed", "paid", "delivered"),
    ]
    assert NOON < order.paid_at < order.shipped_at < order.delivered_at


def test_a_stalled_carrier_fetches_nothing_and_moves_nothing():
    ProviderFactory(code="swift", kind="carrier").switch("stall", NOON)
    packed = OrderFactory(status="processing", payment_status="paid", paid_at=NOON)
    moving = OrderFactory(status="shipped", payment_status="paid", delivery_status="handed_over", shipped_at=NOON)

    assert pack(NOON + 30 * DAY) == move_parcels(NOON + 30 * DAY) == 0
    assert statuses(packed)[2] == "waiting"
    assert statuses(moving)[2] == "handed_over"


def test_a_carrier_that_refuses_brings_parcels_back():
    ProviderFactory(code="swift", kind="carrier").switch("refuse", NOON)
    order = OrderFactory(status="shipped", payment_status="paid", delivery_status="in_transit", shipped_at=NOON)

    move_parcels(NOON + 30 * DAY)

    assert statuses(order) == ("shipped", "paid", "returned")


def test_half_of_the_card_payments_are_confirmed_within_sixteen_minutes_and_few_take_hours():
    delays = sorted(Course(f"KT-{n}", "paywell", "swift").confirmed_after() for n in range(2000))

    assert abs(delays[1000] - CONFIRMATION["paywell"].median) < timedelta(minutes=2)
    assert timedelta(hours=1) < delays[1900] < timedelta(hours=2)
    assert delays[0] > timedelta(0)


def test_a_faster_pace_shortens_every_delay():
    slow, fast = Course("KT-1", "giro", "harbour"), Course("KT-1", "giro", "harbour", pace=60)

    assert abs(fast.confirmed_after() * 60 - slow.confirmed_after()) < timedelta(milliseconds=1)
    assert abs(fast.delivered_after() * 60 - slow.delivered_after()) < timedelta(milliseconds=1)
