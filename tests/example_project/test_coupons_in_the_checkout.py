"""A coupon is worth something in the shop's own checkout, once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from example_project.shop import fulfilment
from example_project.shop.models import Order, Product
from statusbreaks.coupons.codes import new_code
from statusbreaks.coupons.models import Coupon
from tests.example_project.factories import ProductFactory
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def coupon():
    campaign, now = CampaignFactory(), timezone.now()
    grant = campaign.grants.create(incident=campaign.incident, customer="contact:ada", order_key="1", cost=5)
    return Coupon.objects.create(
        grant=grant, code=new_code(), value=5, currency="EUR", expires_at=now + timedelta(days=30)
    )


def test_a_coupon_takes_its_worth_off_the_order_however_it_is_typed(client, buy, coupon):
    buy(ProductFactory(price=Decimal("10.00")), coupon=f" {coupon.shown.lower()} ")

    order = Order.objects.get()
    assert (order.discount, order.total, order.coupon_code) == (Decimal("5.00"), Decimal("10.90"), coupon.shown)
    coupon.refresh_from_db()
    assert coupon.redeemed_order == str(order.pk)


def test_the_new_total_can_be_looked_at_without_using_the_coupon(buy, coupon):
    answer = buy(ProductFactory(price=Decimal("10.00")), coupon=coupon.code, preview="1")

    assert "10.90 EUR" in answer.content.decode()
    coupon.refresh_from_db()
    assert coupon.redeemed_at is None


def test_a_coupon_is_good_for_one_order_only(buy, coupon):
    product = ProductFactory(stock=5)
    buy(product, coupon=coupon.code)

    answer = buy(product, coupon=coupon.code)

    assert answer.status_code == 409
    assert Order.objects.count() == 1
    assert Product.objects.get().stock == 4


def test_a_cancelled_order_gives_its_coupon_back(buy, coupon):
    buy(ProductFactory(), coupon=coupon.code)

    fulfilment.cancel(Order.objects.get().pk, timezone.now())

    coupon.refresh_from_db()
    assert (coupon.redeemed_at, coupon.redeemed_order) == (None, "")


def test_a_coupon_stays_good_when_the_checkout_fails_after_it(buy, coupon, monkeypatch, client):
    def fail(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("example_project.shop.checkout.transaction.on_commit", fail)
    with pytest.raises(RuntimeError):
        buy(ProductFactory(), coupon=coupon.code)

    coupon.refresh_from_db()
    assert coupon.redeemed_at is None
    assert not Order.objects.exists()
