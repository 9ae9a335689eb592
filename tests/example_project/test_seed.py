"""The history that a new shop begins with."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import User

from example_project.providers.services import work
from example_project.shop.models import Order, Product
from example_project.shop.seed import seed
from tests.example_project.factories import NOON

pytestmark = pytest.mark.django_db


def snapshot():
    return list(Order.objects.order_by("number").values_list("number", "email", "total", "placed_at", "status"))


def test_the_shop_has_lived_up_to_now_and_no_further():
    seeded = seed(now=NOON, history_days=10, orders_per_day=10)

    orders = Order.objects.all()
    assert seeded.orders == orders.count() == 100
    assert all(NOON - timedelta(days=11) < order.placed_at <= NOON for order in orders)
    assert not orders.filter(paid_at__gt=NOON).exists()
    assert {order.language for order in orders} == {"en", "de", "pl"}
    assert {order.delivery_status for order in orders} >= {"waiting", "in_transit", "delivered"}
    assert all(order.total == order.subtotal + order.shipping for order in orders)
    assert Product.objects.count() == 12


def test_the_same_arguments_make_the_same_history():
    seed(now=NOON, history_days=3, orders_per_day=5)
    first = snapshot()
    Order.objects.all().delete()
    User.objects.all().delete()

    seed(now=NOON, history_days=3, orders_per_day=5)

    assert snapshot() == first


def test_the_clock_is_told_every_moment_in_the_order_of_time():
    heard = []

    seed(now=NOON, history_days=3, orders_per_day=5, clock=heard.append)

    assert all(earlier <= later for earlier, later in pairwise(heard))
    assert heard[0] == Order.objects.earliest("placed_at").placed_at
    assert heard[-1] <= NOON


def test_the_shops_work_takes_over_where_the_history_ends():
    seed(now=NOON, history_days=10, orders_per_day=10)

    assert work(NOON) == 0
    assert work(NOON + timedelta(days=30)) > 0


def test_staff_and_a_customer_can_sign_in(client):
    seeded = seed(now=NOON, history_days=1, orders_per_day=2, password="tea-time-12")

    assert seeded.staff.is_superuser
    assert client.login(username=seeded.customer.username, password="tea-time-12")
    assert client.login(username=seeded.staff.username, password=seeded.password)
