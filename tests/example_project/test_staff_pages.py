"""The staff see and move every order; nobody else gets in."""

import pytest

from example_project.providers.models import Provider
from example_project.shop.models import Order
from tests.example_project.factories import NOON, OrderFactory, OrderLineFactory, ProviderFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGES = ["/staff/", "/staff/orders/KT-1/", "/staff/providers/"]


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(is_staff=True))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_visitors_are_asked_to_sign_in_and_customers_are_refused(client, page):
    OrderFactory(number="KT-1")

    assert client.get(page).url == f"/account/login/?next={page}"

    client.force_login(UserFactory())
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("page", ["/staff/orders/KT-1/move/", "/staff/providers/paywell/"])
def test_customers_change_nothing_there(client, page):
    OrderFactory(number="KT-1")
    ProviderFactory()
    client.force_login(UserFactory())

    assert client.post(page, {"step": "payment_confirmed", "mode": "stall"}).status_code == 403
    assert Order.objects.get().payment_status == "authorised"
    assert Provider.objects.get().mode == "confirm"


@pytest.mark.parametrize("page", PAGES)
def test_the_staff_get_in(staff, page):
    OrderLineFactory(order__number="KT-1")
    ProviderFactory()

    assert staff.get(page).status_code == 200


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("status=processing", {"KT-2"}),
        ("payment=authorised", {"KT-1"}),
        ("delivery=waiting", {"KT-1", "KT-2"}),
        ("q=kt-1", {"KT-1"}),
        ("q=eve", {"KT-2"}),
        ("status=nonsense", {"KT-1", "KT-2"}),
        ("page=99", {"KT-1", "KT-2"}),
    ],
)
def test_orders_are_found_by_their_statuses_and_by_text(staff, asked, found):
    OrderFactory(number="KT-1")
    OrderFactory(number="KT-2", name="Eve", status="processing", payment_status="paid")

    page = staff.get(f"/staff/?{asked}").context["page"]

    assert {order.number for order in page} == found


def test_staff_move_an_order_by_hand(staff):
    order = OrderFactory(status="processing", payment_status="paid", paid_at=NOON)

    staff.post(f"/staff/orders/{order.number}/move/", {"step": "handed_over"})

    order.refresh_from_db()
    assert (order.status, order.delivery_status) == ("shipped", "handed_over")


def test_only_steps_that_fit_are_offered_and_others_change_nothing(staff):
    order = OrderFactory()

    offered = staff.get(f"/staff/orders/{order.number}/").context["steps"]
    staff.post(f"/staff/orders/{order.number}/move/", {"step": "delivered"})

    assert list(offered) == ["payment_confirmed", "payment_failed", "cancelled"]
    assert Order.objects.get().delivery_status == "waiting"


def test_a_step_that_does_not_exist_is_not_found(staff):
    order = OrderFactory()

    assert staff.post(f"/staff/orders/{order.number}/move/", {"step": "delete"}).status_code == 404


def test_staff_play_an_outage_and_its_end(staff):
    ProviderFactory()

    staff.post("/staff/providers/paywell/", {"mode": "stall"})
    assert Provider.objects.get().failing_since is not None

    staff.post("/staff/providers/paywell/", {"mode": "confirm"})
    assert Provider.objects.get().failing_since is None


def test_an_outage_takes_a_post_and_a_mode_that_exists(staff):
    ProviderFactory()

    assert staff.get("/staff/providers/paywell/").status_code == 405
    assert staff.post("/staff/providers/paywell/", {"mode": "explode"}).status_code == 400
    assert Provider.objects.get().mode == "confirm"
