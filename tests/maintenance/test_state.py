from datetime import timedelta

import pytest

from statusbreaks.maintenance.state import OPEN, Edition, Outcome, Visit, decide
from tests.maintenance.build import HOUR, NOW, lease, pages, snapshot

THROUGH, CLOSED, READ_ONLY = Outcome.THROUGH, Outcome.CLOSED, Outcome.READ_ONLY


@pytest.mark.parametrize(
    ("scope", "method", "path", "expected"),
    [
        ("site", "GET", "/", CLOSED),
        ("site", "HEAD", "/anything/", CLOSED),
        ("site", "POST", "/checkout/", CLOSED),
        ("site", "GET", "/api/orders/", CLOSED),
        ("site", "POST", "/webhooks/pay/", THROUGH),
        ("site", "GET", "/static/shop.css", THROUGH),
        ("site", "GET", "/robots.txt", THROUGH),
        ("site", "OPTIONS", "/api/orders/", THROUGH),
        ("storefront", "GET", "/", CLOSED),
        ("storefront", "GET", "/checkout/", CLOSED),
        ("storefront", "GET", "/account/orders/", THROUGH),
        ("storefront", "GET", "/api/orders/", THROUGH),
        ("storefront", "GET", "/account/../", CLOSED),
        ("checkout", "GET", "/checkout/pay/", CLOSED),
        ("checkout", "GET", "/", THROUGH),
        ("account", "GET", "/account/", CLOSED),
        ("api", "DELETE", "/api/baskets/1/", CLOSED),
        ("gifts", "GET", "/wrap/", CLOSED),
        ("gifts", "GET", "/checkout/", THROUGH),
        ("unheard-of", "GET", "/", THROUGH),
        ("writes", "GET", "/checkout/", THROUGH),
        ("writes", "HEAD", "/checkout/", THROUGH),
        ("writes", "POST", "/checkout/", READ_ONLY),
        ("writes", "PATCH", "/api/baskets/1/", READ_ONLY),
        ("writes", "POST", "/login/", THROUGH),
        ("writes", "POST", "/login/../checkout/", READ_ONLY),
        ("writes", "POST", "/webhooks/pay/", THROUGH),
    ],
)
def test_a_closing_stops_what_belongs_to_its_scope(scope, method, path, expected):
    assert decide(snapshot(lease(scope)), Visit(method, path), NOW).outcome == expected


def test_an_open_shop_lets_everything_through():
    assert decide(OPEN, Visit("POST", "/checkout/"), NOW).outcome == THROUGH


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (-HOUR, HOUR, CLOSED),
        (timedelta(0), HOUR, CLOSED),
        (timedelta(seconds=1), HOUR, THROUGH),
        (-HOUR, timedelta(0), THROUGH),
    ],
)
def test_a_closing_begins_and_ends_on_time_by_itself(begins, ends, expected):
    state = snapshot(lease(begins_at=NOW + begins, ends_at=NOW + ends))

    assert decide(state, Visit("GET", "/"), NOW).outcome == expected


def test_two_overlapping_closings_are_over_when_both_have_ended():
    state = snapshot(lease(id=1, ends_at=NOW + HOUR), lease(id=2, ends_at=NOW + 2 * HOUR))

    outcomes = [decide(state, Visit("GET", "/"), NOW + n * HOUR).outcome for n in (0, 1, 2)]

    assert outcomes == [CLOSED, CLOSED, THROUGH]


def test_the_widest_closing_speaks_and_of_equal_ones_the_one_that_lasts_longest():
    soon = lease("checkout", id=1, expected_open_at=NOW + HOUR)
    later = lease("checkout", id=2, expected_open_at=NOW + 2 * HOUR)
    unknown = lease("checkout", id=3)
    whole = lease("site", id=4, expected_open_at=NOW + HOUR)
    visit = Visit("GET", "/checkout/")

    assert decide(snapshot(soon, later), visit, NOW).lease == later
    assert decide(snapshot(unknown, later), visit, NOW).lease == unknown
    assert decide(snapshot(unknown, whole), visit, NOW).lease == whole


def test_a_promise_that_passes_makes_way_for_the_next_edition_with_nobody_publishing():
    before, after = pages(headline="By 13:00"), pages(headline="It takes longer")
    one = lease(editions=(Edition(NOW, before), Edition(NOW + HOUR, after)))

    assert one.pages(NOW - HOUR) == before
    assert one.pages(NOW + HOUR - timedelta(seconds=1)) == before
    assert one.pages(NOW + HOUR) == after


@pytest.mark.parametrize(
    ("closed", "asked", "is_open"),
    [
        ("site", "checkout", False),
        ("site", "api", False),
        ("storefront", "checkout", False),
        ("storefront", "api", True),
        ("checkout", "checkout", False),
        ("checkout", "account", True),
        ("writes", "writes", False),
    ],
)
def test_a_part_can_be_asked_for_by_name(closed, asked, is_open):
    assert snapshot(lease(closed)).is_open(asked, NOW) is is_open
    assert snapshot(lease(closed)).is_open(asked, NOW + 25 * HOUR)
