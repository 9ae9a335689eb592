from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusbreaks.maintenance.paths import is_in, is_surely_in

CHECKOUT = [("checkout",)]
STATIC = [("static",)]


@pytest.mark.parametrize(
    "path",
    [
        "/checkout/",
        "/checkout",
        "/checkout/pay/now",
        "//checkout/",
        "/./checkout/",
        "/shop/../checkout/",
        "/checkout/../",
        "/CheckOut/",
        "/%63heckout/",
        "/%2563heckout/",
        "\\checkout\\",
        "/checkout\n",
        "/ checkout/",
        "/checkout%2Fpay",
        "/de/checkout/",
        "/DE//checkout/",
    ],
)
def test_no_spelling_leads_around_a_closed_part(path):
    assert is_in(path, CHECKOUT, ("de", "pl"))


@pytest.mark.parametrize("path", ["/", "/checkout-help/", "/shop/checkout/", "/checkouts/", "/fr/checkout/"])
def test_a_neighbour_of_a_closed_part_is_not_in_it(path):
    assert not is_in(path, CHECKOUT, ("de", "pl"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/static/shop.css", True),
        ("/static", True),
        ("/static/../checkout/", False),
        ("/static/%2e%2e/checkout/", False),
        ("/static/..%2fcheckout/", False),
        ("//static/shop.css", False),
        ("/STATIC/shop.css", False),
        ("/statics/", False),
        ("\\static\\x", False),
    ],
)
def test_what_stays_open_is_open_only_in_every_reading(path, expected):
    assert is_surely_in(path, STATIC) is expected


def test_a_language_in_front_leaves_open_what_is_open():
    assert is_surely_in("/de/static/x", STATIC, ("de",))
    assert not is_surely_in("/de/static/x", STATIC)


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"], exclude_characters="/\\%."), max_size=8
)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """`/checkout/…` as somebody might disguise it: cases, escapes, slashes, dots that lead back."""
    letters = [draw(st.sampled_from([c, c.upper(), f"%{ord(c):02x}", quote(f"%{ord(c):02x}")])) for c in "checkout"]
    front = draw(st.lists(st.sampled_from(["", ".", "x/..", "pl"]), max_size=1))
    slashes = draw(st.sampled_from(["/", "//", "/./", "\\", "///"]))
    return "/" + "/".join([*front, ""]) + slashes + "".join(letters) + slashes + draw(words)


@given(spellings())
def test_nothing_dodges_a_scope(path):
    assert is_in(path, CHECKOUT, ("pl",))


@given(st.text(max_size=60))
def test_no_path_is_surely_open_and_closed_at_once(path):
    assert not (is_surely_in(path, STATIC) and is_in(path, CHECKOUT))


@given(st.text(max_size=60))
def test_every_text_is_judged_without_an_error(path):
    assert is_in(path, CHECKOUT) in (True, False)
    assert is_surely_in(path, CHECKOUT) in (True, False)
