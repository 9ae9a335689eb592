"""Where a customer's data may stand, and where it must not."""

import logging
from datetime import timedelta

import pytest
from django.db import models

from statusbreaks.coupons.models import Coupon, Grant
from statusbreaks.feedback.models import Survey
from statusbreaks.flows import services as flows
from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.incidents import services as incidents
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentEvent
from statusbreaks.notifications.models import Message
from statusbreaks.pipeline import tick
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.signals import status_changed
from tests.factories import CouponPolicyFactory, ExpectationFactory, PlaybookFactory, PlaybookTextFactory

PERSONAL = ("ada@example.com", "Ada Lovelace", "+48225550123")


@pytest.fixture
def journey(clock):
    """One customer's order is late, is made good, and the customer is asked."""
    playbook = PlaybookFactory(asks_after=timedelta(0))
    PlaybookTextFactory(playbook=playbook)
    ExpectationFactory(within=timedelta(hours=2))
    CouponPolicyFactory(playbook=playbook)
    ReportedOrder.objects.create(
        source="outlet",
        order_key="7",
        order_number="O-7",
        **dict(zip(("email", "name", "phone"), PERSONAL, strict=True)),
    )
    status_changed.send(sender=None, source="outlet", order_key="7", flow="payment", status="authorised")
    clock.shift(timedelta(hours=3))
    tick()
    incidents.resolve(Incident.objects.get())
    tick()


WITHOUT = (StatusChange, Watch, StatusBreak, AffectedOrder, Incident, IncidentEvent, Grant, Coupon, Survey)


def holds(model: type[models.Model]) -> str:
    return repr(list(model._base_manager.values()))


@pytest.mark.django_db(transaction=True)
def test_addresses_and_names_stand_in_the_outbox_and_in_reported_orders_only(journey):
    held = {model.__name__: holds(model) for model in WITHOUT}

    assert [name for name, text in held.items() if text == "[]"] == []
    assert [name for name, text in held.items() if any(word in text for word in PERSONAL)] == []
    assert set(Message.objects.values_list("recipient", flat=True)) == {"ada@example.com"}


@pytest.mark.django_db
def test_a_failure_is_logged_with_the_orders_number_alone(monkeypatch, caplog):
    def fail(*_args):
        raise RuntimeError("the ledger is gone")

    monkeypatch.setattr(flows, "insert_changes", fail)

    with caplog.at_level(logging.DEBUG):
        status_changed.send(sender=None, order_key="7", order_number="O-7", flow="payment", status="paid")

    assert "O-7" in caplog.text
    assert "example.com" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_coupon_is_named_by_its_last_four_symbols(journey):
    coupon = Coupon.objects.get()

    assert str(coupon) == f"…{coupon.code[-4:]}"
