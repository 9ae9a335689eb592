"""Whether a coupon can be used, asked over REST."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.test import APIClient

from statusbreaks.api.coupons import Guesses
from statusbreaks.coupons.models import Coupon
from statusbreaks.shop.values import Customer
from tests.factories import CampaignFactory, CouponFactory

pytestmark = pytest.mark.django_db

URL = "/statusbreaks/api/coupons/validate/"
ORDER = {"total": "30.00", "currency": "EUR"}


def ask(client, coupon, **told):
    return client.post(URL, {"code": coupon.shown.lower(), **ORDER, **told}, format="json")


def test_a_coupon_says_what_it_is_worth_and_stays_as_it_is(anyone, clock):
    coupon = CouponFactory(value=Decimal(5))

    answer = ask(anyone, coupon)

    assert answer.status_code == 200
    assert answer.json() == {"valid": True, "worth": "5.00 EUR", "discount": "5.00", "reason": "", "sentence": ""}
    assert Coupon.objects.get().redeemed_at is None


def test_a_coupon_that_cannot_be_used_says_so_plainly(anyone, clock):
    answer = anyone.post(URL, {"code": "nonsense", **ORDER}, format="json")

    assert answer.status_code == 200
    assert answer.json() == {
        "valid": False,
        "worth": "",
        "discount": "0",
        "reason": "unknown",
        "sentence": "We do not know this code. Please check it for a slip.",
    }


def test_a_coupon_for_one_customer_knows_the_guest_by_the_address(anyone, clock):
    identity = Customer(email="ada@example.com").identity
    coupon = CouponFactory(grant__campaign=CampaignFactory(policy__is_bound=True), grant__customer=identity)

    assert ask(anyone, coupon, email="Ada@Example.com").json()["valid"] is True
    assert ask(anyone, coupon, email="eve@example.com").json()["reason"] == "bound"
    assert ask(anyone, coupon).json()["reason"] == "bound"


def test_a_coupon_for_one_customer_knows_who_is_logged_in(clock):
    user, client = User.objects.create_user("ada"), APIClient()
    client.force_login(user)
    coupon = CouponFactory(grant__campaign=CampaignFactory(policy__is_bound=True), grant__customer=f"user:{user.pk}")

    assert ask(client, coupon).json()["valid"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"total": "-1"}, "total"),
        ({"total": "a lot"}, "total"),
        ({"currency": "€"}, "currency"),
        ({"email": "ada"}, "email"),
        ({"order": 1}, "order"),
    ],
)
def test_what_is_wrong_is_named(anyone, change, field):
    answer = anyone.post(URL, {"code": "x", **ORDER, **change}, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_who_guesses_is_told_to_wait_and_cannot_talk_themselves_out_of_it(anyone, monkeypatch):
    monkeypatch.setattr(Guesses, "rate", "2/min")

    answers = [
        anyone.post(URL, {"code": "x", **ORDER}, format="json", headers={"x-forwarded-for": f"10.0.0.{number}"})
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    elsewhere = anyone.post(URL, {"code": "x", **ORDER}, format="json", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


def test_behind_a_proxy_that_the_shop_names_each_shopper_is_one(anyone, monkeypatch, settings):
    settings.REST_FRAMEWORK = {"NUM_PROXIES": 1}
    monkeypatch.setattr(Guesses, "rate", "1/min")
    cache.clear()

    answers = [
        anyone.post(URL, {"code": "x", **ORDER}, format="json", headers={"x-forwarded-for": f"10.0.0.{number}"})
        for number in (1, 2, 2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_cache_that_is_down_stops_nobody(anyone, clock, settings, caplog):
    closed = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": closed}

    assert ask(anyone, CouponFactory()).json()["valid"] is True
    assert "the cache does not answer" in caplog.text
