"""A person is forgotten everywhere at once, nobody else is, and the figures stay."""

import logging
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from statusbreaks import erasure
from statusbreaks.coupons.models import Grant
from statusbreaks.erasure import forget
from statusbreaks.feedback.models import Survey
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentEvent
from statusbreaks.notifications.models import Message
from statusbreaks.notifications.services import deliver
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.shop.people import find_person
from statusbreaks.shop.values import Customer
from tests.example_project.factories import UserFactory
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    CampaignFactory,
    GrantFactory,
    IncidentFactory,
    MessageFactory,
    ReportedOrderFactory,
    SurveyFactory,
)

pytestmark = pytest.mark.django_db

ADA, PHONE, NAME, WORDS = "ada@example.com", "+48225550123", "Ada Lovelace", "My tea came late to Ada."
PERSONAL = (ADA, PHONE, NAME, WORDS)
GUEST = Customer(email=ADA).identity
NONE = {"reported orders": 0, "affected orders": 0, "messages": 0, "grants": 0, "surveys": 0}


@pytest.fixture
def incident():
    return IncidentFactory()


@pytest.fixture
def guest(incident):
    """Ada as a guest of a shop in another process."""
    ReportedOrderFactory(email="Ada@Example.com", phone=PHONE, name=NAME, value=Decimal(40))
    told = {"subject": f"Dear {NAME}", "body": WORDS, "html": WORDS, "error": f"550 {ADA}", "incident": incident}
    MessageFactory(recipient=ADA, status="sent", sent_at=NOW, closed_at=NOW, **told)
    MessageFactory(recipient=PHONE, channel="sms", **told)
    GrantFactory(campaign=CampaignFactory(incident=incident), customer=GUEST)
    SurveyFactory(incident=incident, customer=GUEST, rating=4, comment=WORDS, answered_at=NOW)


@pytest.fixture
def other(incident):
    """Somebody else of the same incident."""
    user = UserFactory(username="bob", email="bob@example.com")
    ReportedOrderFactory(email="bob@example.com")
    AffectedOrderFactory(incident=incident, user=user)
    MessageFactory(recipient="bob@example.com", user=user, incident=incident)
    SurveyFactory(incident=incident, customer=f"user:{user.pk}", user=user, comment="Fine.")
    return user


def held():
    return {model.__name__: repr(list(model._base_manager.values())) for model in ours()}


def ours():
    return apps.get_app_config("statusbreaks").get_models(include_auto_created=True)


def run(*args):
    out = StringIO()
    call_command("statusbreaks_forget", *args, stdout=out)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_nothing_personal_of_a_guest_is_left_in_any_table(guest, other):
    assert run(ADA) == [
        *("1 reported orders", "0 affected orders", "2 messages", "1 grants", "1 surveys"),
        "Forgotten.",
    ]

    words = (*PERSONAL, GUEST)
    assert [name for name, text in held().items() if any(word.lower() in text.lower() for word in words)] == []


def test_the_figures_stay(guest):
    run(ADA)

    assert ReportedOrder.objects.get().value == Decimal(40)
    assert Grant.objects.get().cost == Decimal(5)
    assert Survey.objects.get().rating == 4
    assert sorted(Message.objects.values_list("status", flat=True)) == ["sent", "skipped"]


def test_what_is_queued_is_not_sent_any_more(guest, mailoutbox):
    Message.objects.exclude(recipient=PHONE).update(status="queued", sent_at=None, closed_at=None)
    run(ADA)

    deliver(NOW + timedelta(days=1))

    assert mailoutbox == []


def test_nobody_else_is_forgotten(guest, other):
    run(ADA)

    assert AffectedOrder.objects.get().user == other
    assert Survey.objects.get(user=other).comment == "Fine."
    assert Message.objects.get(user=other).recipient == "bob@example.com"
    assert ReportedOrder.objects.exclude(email="").count() == 1


@pytest.mark.parametrize("name", ["pk", "username", "email"])
def test_a_user_is_found_by_key_name_and_address(other, name):
    assert run(str(getattr(other, name)))[1:3] == ["1 affected orders", "1 messages"]
    assert AffectedOrder.objects.get().user is None
    assert Survey.objects.get().customer == f"forgotten:{Survey.objects.get().pk}"


def test_a_user_whose_account_is_gone_is_forgotten_by_the_key(incident):
    GrantFactory(customer="user:4711")

    assert run("4711")[3] == "1 grants"
    assert "4711" not in Grant.objects.get().customer


def test_an_account_and_what_was_bought_as_a_guest_are_one_person(guest):
    user = UserFactory(username="ada", email=ADA)
    AffectedOrderFactory(user=user)

    assert find_person("ada") == find_person(ADA)
    assert run("ada")[:3] == ["1 reported orders", "1 affected orders", "2 messages"]


def test_two_people_are_not_taken_for_one():
    seven = UserFactory(email="seven@example.com")
    UserFactory(username=str(seven.pk), email="other@example.com")
    AffectedOrderFactory(user=seven)

    with pytest.raises(CommandError, match="fits 2 users"):
        run(str(seven.pk))

    assert AffectedOrder.objects.get().user == seven


def test_a_rehearsal_counts_and_changes_nothing(guest, other):
    before = held()

    assert run(ADA, "--dry-run")[-1] == "Nothing was changed."
    assert run(ADA, "--dry-run")[2] == "2 messages"
    assert held() == before


def test_forgetting_twice_finds_nothing(guest):
    run(ADA)

    assert dict(forget(find_person(ADA), NOW)) == NONE
    assert run(ADA)[-1] == "Nothing was changed."


def test_it_is_never_half_done(guest, monkeypatch):
    def fails(*args, **options):
        raise RuntimeError("the last step")

    before = held()
    monkeypatch.setattr(erasure, "note", fails)

    with pytest.raises(RuntimeError):
        run(ADA)

    assert held() == before


def test_the_incident_and_the_log_note_that_and_not_of_whom(guest, caplog):
    with caplog.at_level(logging.INFO):
        run(ADA)

    events = IncidentEvent.objects.filter(what="customer forgotten")
    assert [(event.incident_id, event.actor, event.detail) for event in events] == [
        (Incident.objects.get().pk, None, ""),
    ]
    assert "a customer was forgotten: {'reported orders': 1" in caplog.text
    assert not any(word in caplog.text for word in PERSONAL)


def test_an_empty_name_is_nobody(guest):
    assert dict(forget(find_person(" "), NOW)) == NONE
