"""An order is seen by its customer, by the staff, and by nobody else."""

import pytest
from django.core import signing
from django.test import Client

from example_project.shop.models import Order
from tests.example_project.factories import OrderFactory, OrderLineFactory, UserFactory

pytestmark = pytest.mark.django_db


def sees(client, order):
    answer = client.get(f"/orders/{order.number}/")
    return answer.status_code == 200 and order.number in answer.content.decode()


def test_customers_see_their_own_order_and_nobody_elses(client):
    mine, other = OrderFactory(user=UserFactory()), OrderFactory(user=UserFactory())
    client.force_login(mine.user)

    assert sees(client, mine)
    assert client.get(f"/orders/{other.number}/").url == "/orders/find/"
    assert client.get(f"/orders/{other.number}/thanks/").url == "/orders/find/"


def test_an_order_of_somebody_else_answers_as_one_that_does_not_exist(client):
    other = OrderFactory()

    assert client.get(f"/orders/{other.number}/").url == client.get("/orders/KT-000000/").url


def test_a_guest_finds_the_order_with_number_and_email_in_any_case(client):
    order = OrderFactory(email="ada@example.com")

    answer = client.post("/orders/find/", {"number": f" {order.number.lower()}", "email": "ADA@example.com"})

    assert answer.url == order.get_absolute_url()
    assert sees(client, order)


def test_the_number_alone_finds_nothing(client):
    order = OrderFactory(email="ada@example.com")

    answer = client.post("/orders/find/", {"number": order.number, "email": "eve@example.com"})

    assert answer.status_code == 404
    assert not sees(client, order)


def test_trying_out_emails_is_stopped_after_ten(client):
    order = OrderFactory(email="ada@example.com")
    for n in range(10):
        client.post("/orders/find/", {"number": order.number, "email": f"{n}@example.com"})

    answer = client.post("/orders/find/", {"number": order.number, "email": "ada@example.com"})

    assert answer.status_code == 429
    assert not sees(client, order)


def test_the_link_in_a_letter_opens_that_order_and_no_other(client):
    order, other = OrderFactory(), OrderFactory()

    assert client.get(order.signed_path()).url == order.get_absolute_url()

    assert sees(client, order)
    assert not sees(client, other)


@pytest.mark.parametrize(
    "token",
    ["1", signing.dumps(1, salt="elsewhere"), "MQ:1abc:x"],
    ids=["no signature", "signed for something else", "a forged signature"],
)
def test_a_link_that_the_shop_did_not_sign_opens_nothing(client, token):
    OrderFactory(pk=1)

    assert client.get(f"/orders/link/{token}/").url == "/orders/find/"


def test_cancelling_gives_the_goods_back(client):
    line = OrderLineFactory(quantity=2, product__stock=5, order__user=UserFactory())
    client.force_login(line.order.user)

    client.post(f"/orders/{line.order.number}/cancel/")

    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("cancelled", "failed")
    assert order.cancelled_at is not None
    line.product.refresh_from_db()
    assert line.product.stock == 7


def test_what_was_paid_is_refunded_when_it_is_cancelled(client):
    order = OrderFactory(user=UserFactory(), status="processing", payment_status="paid", paid_at="2026-03-02T12:00Z")
    client.force_login(order.user)

    client.post(f"/orders/{order.number}/cancel/")

    assert Order.objects.get().payment_status == "refunded"


def test_what_has_left_the_warehouse_cannot_be_cancelled(client):
    order = OrderFactory(user=UserFactory(), status="shipped", payment_status="paid", delivery_status="in_transit")
    client.force_login(order.user)

    client.post(f"/orders/{order.number}/cancel/")

    assert Order.objects.get().status == "shipped"


def test_a_stranger_cannot_cancel():
    order = OrderFactory()

    assert Client().post(f"/orders/{order.number}/cancel/").status_code == 404
    assert Order.objects.get().status == "new"


def test_cancelling_takes_a_post(client):
    order = OrderFactory(user=UserFactory())
    client.force_login(order.user)

    assert client.get(f"/orders/{order.number}/cancel/").status_code == 405
    assert Order.objects.get().status == "new"
