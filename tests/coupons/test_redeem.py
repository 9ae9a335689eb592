"""Coupons in the shop's checkout: refused with a reason, used once, given back with the order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from statusbreaks.coupons.codes import new_code
from statusbreaks.coupons.models import Coupon, Grant
from statusbreaks.coupons.services import Purchase, redeem, release, revoke, validate
from statusbreaks.exceptions import CouponRefused
from statusbreaks.shop.values import Customer
from statusbreaks.signals import coupon_redeemed
from tests.concurrency import at_once, needs_threads
from tests.factories import NOW, CampaignFactory, CouponPolicyFactory

pytestmark = pytest.mark.django_db

ADA = Customer(email="ada@example.com")
DAY = timedelta(days=1)


def issued(customer=ADA, policy=None, **values):
    campaign = CampaignFactory(policy=policy or CouponPolicyFactory())
    grant = Grant.objects.create(
        campaign=campaign, incident=campaign.incident, customer=customer.identity, order_key="o-1", cost=5
    )
    worth = {"kind": "amount", "value": 5, "currency": "EUR", "expires_at": NOW + DAY, "code": new_code()}
    return Coupon.objects.create(grant=grant, **{**worth, **values})


def purchase(**values):
    return Purchase(**{"total": Decimal(30), "currency": "EUR", "customer": ADA, "order_key": "o-2", **values})


def refusal(code, **values):
    with pytest.raises(CouponRefused) as refused:
        validate(code, purchase(**values), at=NOW)
    with pytest.raises(CouponRefused) as again:
        redeem(code, purchase(**values), at=NOW)
    assert refused.value.code == again.value.code
    assert str(refused.value).endswith(".")
    return refused.value.code


def test_a_coupon_is_worth_what_it_says():
    coupon = issued()

    offer = validate(f" {coupon.shown.lower()} ", purchase(), at=NOW)

    assert (offer.coupon, offer.discount) == (coupon, Decimal("5.00"))
    coupon.refresh_from_db()
    assert coupon.redeemed_at is None


def test_whether_it_is_a_code_at_all_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert refusal("7K4M-2PQX-9RTB") == "unknown"


def test_a_code_that_nobody_issued_is_unknown():
    assert refusal(new_code()) == "unknown"


@pytest.mark.parametrize(
    ("coupon", "bought", "code"),
    [
        ({"redeemed_at": NOW}, {}, "used"),
        ({"revoked_at": NOW}, {}, "revoked"),
        ({"expires_at": NOW}, {}, "expired"),
        ({}, {"currency": "PLN"}, "currency"),
        ({"minimum_order": Decimal("30.01")}, {}, "minimum"),
        ({}, {"total": Decimal(0)}, "nothing"),
        ({"value": Decimal("0.001")}, {}, "nothing"),
    ],
)
def test_a_coupon_is_refused_with_the_reason(coupon, bought, code):
    row = issued(**coupon)

    assert refusal(row.code, **bought) == code

    after = Coupon.objects.get()
    assert (after.redeemed_at, after.redeemed_order) == (row.redeemed_at, "")


def test_the_minimum_itself_is_enough():
    assert validate(issued(minimum_order=Decimal(30)).code, purchase(), at=NOW).discount == 5


def test_a_bound_coupon_is_its_customers_alone():
    coupon = issued(policy=CouponPolicyFactory(is_bound=True))

    assert refusal(coupon.code, customer=Customer(email="eve@example.com")) == "bound"
    assert refusal(coupon.code, customer=Customer()) == "bound"
    assert validate(coupon.code, purchase(customer=Customer(email="ADA@example.com")), at=NOW).discount == 5


def test_a_redeemed_coupon_is_used_up(django_capture_on_commit_callbacks):
    coupon, heard = issued(), []
    coupon_redeemed.connect(
        on_redeemed := lambda coupon, order_key, **_: heard.append((coupon.pk, coupon.redeemed_at, order_key))
    )

    with django_capture_on_commit_callbacks(execute=True):
        offer = redeem(coupon.code, purchase(), at=NOW)
    coupon_redeemed.disconnect(on_redeemed)

    assert (offer.coupon.redeemed_at, offer.coupon.redeemed_order, offer.coupon.discount) == (NOW, "o-2", Decimal(5))
    coupon.refresh_from_db()
    assert (coupon.redeemed_at, coupon.redeemed_order, coupon.discount) == (NOW, "o-2", Decimal(5))
    assert heard == [(coupon.pk, NOW, "o-2")]
    assert refusal(coupon.code) == "used"


def test_a_coupon_is_redeemed_with_an_order():
    coupon = issued()

    with pytest.raises(ValueError, match="order_key"):
        redeem(coupon.code, purchase(order_key=""), at=NOW)

    coupon.refresh_from_db()
    assert coupon.redeemed_at is None


def test_of_two_who_both_saw_it_valid_the_second_is_refused(monkeypatch):
    coupon = issued()
    seen = validate(coupon.code, purchase(), at=NOW)
    redeem(coupon.code, purchase(), at=NOW)
    monkeypatch.setattr("statusbreaks.coupons.services.validate", lambda *args, **kwargs: seen)

    with pytest.raises(CouponRefused) as refused:
        redeem(coupon.code, purchase(order_key="o-3"), at=NOW)

    assert refused.value.code == "used"
    coupon.refresh_from_db()
    assert coupon.redeemed_order == "o-2"


@pytest.mark.django_db(transaction=True)
def test_with_a_checkout_that_is_rolled_back_the_coupon_is_as_it_was():
    coupon, heard = issued(), []
    coupon_redeemed.connect(on_redeemed := lambda **said: heard.append(said))

    def checkout():
        with transaction.atomic():
            redeem(coupon.code, purchase(), at=NOW)
            raise LookupError("out of stock")

    with pytest.raises(LookupError):
        checkout()
    coupon_redeemed.disconnect(on_redeemed)

    coupon.refresh_from_db()
    assert (coupon.redeemed_at, heard) == (None, [])
    assert redeem(coupon.code, purchase(), at=NOW).discount == 5


def test_a_cancelled_order_gives_its_coupons_back():
    coupon, other = issued(), issued()
    redeem(coupon.code, purchase(), at=NOW)
    redeem(other.code, purchase(order_key="o-3"), at=NOW)

    assert release("o-2") == 1
    assert release("o-2") == 0

    coupon.refresh_from_db()
    assert (coupon.redeemed_at, coupon.redeemed_order, coupon.discount) == (None, "", None)
    assert refusal(other.code) == "used"
    assert redeem(coupon.code, purchase(), at=NOW).discount == 5


def test_no_order_gives_nothing_back():
    issued(redeemed_at=NOW, redeemed_order="o-2")
    issued()

    assert release("") == 0


def test_what_was_not_used_can_be_taken_back():
    used, unused = issued(redeemed_at=NOW), issued()

    assert revoke(Coupon.objects.all(), at=NOW) == 1

    assert refusal(unused.code) == "revoked"
    assert refusal(used.code) == "used"


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_of_twenty_checkouts_at_once_one_gets_the_coupon():
    coupon = issued()

    done = at_once(
        *(lambda order=order: redeem(coupon.code, purchase(order_key=order), at=NOW) for order in map(str, range(20)))
    )

    won = [order for order, each in zip(map(str, range(20)), done, strict=True) if not isinstance(each, CouponRefused)]
    assert len(won) == 1
    assert Coupon.objects.get().redeemed_order == won[0]
