"""Codes that can be read aloud, and money to the minor unit."""

import string
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from statusbreaks.coupons.codes import ALPHABET, LENGTH, check_symbol, grouped, is_well_formed, new_code, normalised
from statusbreaks.coupons.models import Coupon
from statusbreaks.coupons.money import rounded_down
from tests.factories import CampaignFactory, CouponPolicyFactory

frees = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)
codes = frees.map(lambda free: free + check_symbol(free))
amounts = st.decimals(0, 10**6, places=3)


def test_a_new_code_is_well_formed_and_never_the_same():
    made = {new_code() for _ in range(200)}

    assert len(made) == 200
    assert all(is_well_formed(code) and len(code) == LENGTH for code in made)


def test_the_alphabet_has_nothing_that_looks_alike():
    assert len(set(ALPHABET)) == 32
    assert not set("0O1I") & set(ALPHABET)
    assert set(ALPHABET) < set(string.ascii_uppercase + string.digits)


@given(codes, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_caught(code, place, symbol):
    slip = code[:place] + symbol + code[place + 1 :]

    assert is_well_formed(slip) == (slip == code)


@given(codes, st.integers(0, LENGTH - 2))
def test_two_neighbours_swapped_are_caught_but_for_one_pair_of_symbols(code, place):
    pair = code[place : place + 2]
    slip = code[:place] + pair[::-1] + code[place + 2 :]

    # Luhn's blind spot: the first and the last symbol of the alphabet.
    assert not is_well_formed(slip) or slip == code or set(pair) == {ALPHABET[0], ALPHABET[-1]}


@given(codes, st.sampled_from([str.lower, str.upper, str.title]), st.sampled_from(["-", " ", " - ", "", "\t"]))
def test_a_code_survives_being_written_down_and_typed_in(code, case, gap):
    shown = grouped(code)

    assert shown.count("-") == 2
    assert normalised(case(f"  {shown.replace('-', gap)}\n")) == code


@pytest.mark.parametrize(
    "typed", ["", "7K4M", "7K4M-2PQX-9RTB-7", "OOOO-OOOO-OOOO", "7K4M2PQX9RT💥", "ſßﬀ", "0" * 5000]
)
def test_what_is_no_code_is_no_code(typed):
    assert not is_well_formed(normalised(typed))


@given(amounts, st.sampled_from(["EUR", "JPY", "KWD", "XXX"]))
def test_money_is_rounded_down_to_the_minor_unit(amount, currency):
    unit = {"JPY": Decimal(1), "KWD": Decimal("0.001")}.get(currency, Decimal("0.01"))

    rounded = rounded_down(amount, currency)

    assert rounded <= amount < rounded + unit
    assert rounded % unit == 0


def coupon(**worth):
    return Coupon(**{"kind": "amount", "value": Decimal(5), "currency": "EUR", "minimum_order": Decimal(0), **worth})


@pytest.mark.parametrize(
    ("worth", "total", "off"),
    [
        ({}, "30", "5.00"),
        ({}, "3.20", "3.20"),
        ({"kind": "percent", "value": Decimal(10)}, "33.33", "3.33"),
        ({"kind": "percent", "value": Decimal(10), "at_most": Decimal(3)}, "99", "3.00"),
        ({"kind": "percent", "value": Decimal(100)}, "12.34", "12.34"),
        ({"value": Decimal("5.9"), "currency": "JPY"}, "1000", "5"),
        ({"value": Decimal("5.9999"), "currency": "KWD"}, "1000", "5.999"),
    ],
)
def test_a_coupon_takes_off_what_it_is_worth_and_never_more_than_there_is(worth, total, off):
    assert coupon(**worth).off(Decimal(total)) == Decimal(off)


@given(amounts, st.decimals(1, 100, places=1), amounts)
def test_no_coupon_takes_off_more_than_the_total_or_its_limit(total, percent, limit):
    off = coupon(kind="percent", value=percent, at_most=limit).off(total)

    assert 0 <= off <= min(total, limit)


def test_a_coupon_says_what_it_is_worth():
    assert coupon().worth == "5.00 EUR"
    assert coupon(kind="percent", value=Decimal("10.000")).worth == "10 %"
    assert coupon(minimum_order=Decimal(20)).least == "20.00 EUR"


def test_a_coupon_does_not_show_its_code_by_accident():
    secret = Coupon(code="7K4M2PQX9RTB")

    assert str(secret) == "…9RTB"
    assert secret.shown == "7K4M-2PQX-9RTB"


@pytest.mark.parametrize(
    ("worth", "field"),
    [
        ({"kind": "percent", "value": 10}, "at_most"),
        ({"kind": "percent", "value": Decimal(101), "at_most": 5}, "value"),
    ],
)
def test_a_policy_that_cannot_be_kept_in_a_budget_is_refused(worth, field):
    with pytest.raises(ValidationError) as refusal:
        CouponPolicyFactory.build(**worth).clean()

    assert list(refusal.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("worth", "cost"),
    [({"value": Decimal(5)}, 5), ({"kind": "percent", "value": Decimal(10), "at_most": Decimal(7)}, 7)],
)
def test_the_budget_is_charged_with_the_most_that_a_coupon_can_cost(worth, cost):
    policy = CouponPolicyFactory.build(valid_for=timedelta(days=1), **worth)
    policy.clean()

    assert policy.cost == cost


@pytest.mark.django_db
def test_a_campaign_says_what_it_is():
    campaign = CampaignFactory()

    assert str(campaign) == f"{campaign.incident.reference}: Five euros"
