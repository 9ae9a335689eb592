"""Requests that another site plants, tokens that are guessed, and codes that are tried out."""

import secrets

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import get_resolver, reverse

from statusbreaks.api import authentication
from statusbreaks.coupons.codes import ALPHABET, LENGTH, check_symbol, new_code
from statusbreaks.coupons.services import Purchase, validate
from statusbreaks.exceptions import CouponRefused
from statusbreaks.feedback.models import Survey
from statusbreaks.incidents.models import Incident
from statusbreaks.maintenance.models import Closing
from statusbreaks.shop.values import Customer
from tests.factories import NOW, IncidentFactory

pytestmark = pytest.mark.django_db

CHANGING = ("post", "put", "patch", "delete")


def ours():
    """All addresses that `statusbreaks.urls` has, by name."""
    names = get_resolver("statusbreaks.urls").reverse_dict
    return sorted({name for name in names if isinstance(name, str)})


def address(name):
    _namespace, arguments = "statusbreaks", {"survey": ["x"], "api-incident": [1], "api-break": [1]}
    takes_a_key = ("api-incident-updates", "api-incident-resolve", "api-incident-dismiss", "api-closing-open")
    return reverse(f"{_namespace}:{name}", args=arguments.get(name, [1] if name in takes_a_key else []))


@pytest.fixture
def robbed(client):
    """The browser of a superuser who is signed in, and looks at a page of somebody else."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.create_superuser("root", "root@example.com", "x"))
    return browser


@pytest.mark.parametrize("name", ours())
def test_no_address_of_ours_takes_a_changing_request_from_another_site(robbed, name):
    IncidentFactory(pk=1)
    Closing.objects.create(pk=1, scope="checkout", begins_at=NOW, ends_at=NOW)

    answers = {method: getattr(robbed, method)(address(name)).status_code for method in CHANGING}

    # 401: asks for a token, which a browser does not send by itself. 404: the link is not signed. 405: no such method.
    assert set(answers.values()) <= {401, 403, 404, 405}
    assert answers["post"] != 404 or name == "survey"
    assert Incident.objects.values_list("status", flat=True).get() == "investigating"
    assert Closing.objects.get().ended_at is None
    assert not Survey.objects.exists()


@pytest.mark.parametrize("given", [b"first", b"second", b"third", b"wrong", "grün".encode()])
def test_every_token_is_compared_and_each_in_constant_time(monkeypatch, settings, given):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "API_TOKENS": {"a": "first", "b": "second", "c": "third"}}
    compared = []

    def compare(one, other):
        compared.append(other)
        return secrets.compare_digest(one, other.encode())

    monkeypatch.setattr(authentication, "constant_time_compare", compare)

    authentication._source(given)

    assert compared == ["first", "second", "third"]


def test_a_slip_in_a_code_costs_no_query(django_assert_num_queries):
    code = new_code()
    slip = code[:-1] + next(symbol for symbol in ALPHABET if symbol != code[-1])

    with django_assert_num_queries(0), pytest.raises(CouponRefused) as refused:
        validate(slip, Purchase(10, "EUR", Customer()))

    assert refused.value.code == "unknown"


def test_codes_are_drawn_from_the_systems_randomness_over_the_whole_alphabet(monkeypatch):
    drawn = []

    def choice(symbols):
        drawn.append(symbols)
        return symbols[-1]

    monkeypatch.setattr(secrets, "choice", choice)

    code = new_code()

    assert drawn == [ALPHABET] * (LENGTH - 1)
    assert len(set(ALPHABET)) == 32
    assert code[-1] == check_symbol(code[:-1])
