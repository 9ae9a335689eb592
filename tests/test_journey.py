"""The whole way, as a customer and the staff of a shop live it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from statusbreaks.coupons import services as coupons
from statusbreaks.coupons.models import Coupon
from statusbreaks.feedback import services as feedback
from statusbreaks.feedback.models import Survey
from statusbreaks.flows.models import StatusBreak
from statusbreaks.incidents import services as incidents
from statusbreaks.incidents.models import Incident
from statusbreaks.shop.values import Customer
from statusbreaks.signals import status_changed
from tests.factories import (
    CouponPolicyFactory,
    ExpectationFactory,
    PlaybookFactory,
    PlaybookTextFactory,
    ReportedOrderFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan():
    playbook = PlaybookFactory(asks_after=timedelta(hours=1))
    PlaybookTextFactory(playbook=playbook)
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved", body="Your payment is confirmed.")
    return playbook


def say(order, **change):
    status_changed.send(sender=None, source=order.source, order_key=order.order_key, flow="payment", **change)


def test_a_late_order_becomes_an_incident_a_message_and_a_coupon(clock, tick, mailoutbox, plan):
    ExpectationFactory(after="authorised", within=timedelta(hours=2))
    CouponPolicyFactory(playbook=plan, value=5, budget=5)
    order = ReportedOrderFactory(order_key="o-1")
    say(order, status="authorised")

    clock.shift(timedelta(hours=3))
    tick()

    incident = Incident.objects.get()
    assert incident.affected_orders() == ["o-1"]
    assert [mail.to for mail in mailoutbox] == [["o-1@example.com"]]
    assert "Please do not pay again." in mailoutbox[0].body

    say(order, status="paid")
    tick()
    incident.refresh_from_db()
    incidents.resolve(incident)
    tick()

    assert StatusBreak.objects.get().healed_at is not None
    coupon = Coupon.objects.get()
    assert [mail.subject for mail in mailoutbox[1:]] == [
        "Solved – your order O-1",
        "5.00 EUR off your next order at Kettle & Thread",
    ]
    assert coupon.shown in mailoutbox[2].body

    purchase = coupons.Purchase(Decimal(30), "EUR", Customer(email="o-1@example.com"), order_key="o-2")
    assert coupons.redeem(coupon.shown.lower(), purchase).discount == Decimal("5.00")

    clock.shift(timedelta(hours=2))
    tick()
    survey = Survey.objects.get()
    assert feedback.answer(survey, 5, "You told me before I noticed.")
    assert Survey.objects.get().rating == 5


def test_a_second_tick_does_nothing(clock, tick, mailoutbox, plan, django_assert_max_num_queries):
    ExpectationFactory()
    CouponPolicyFactory(playbook=plan)
    order = ReportedOrderFactory()
    say(order, status="authorised")
    clock.shift(timedelta(hours=3))
    tick()
    incidents.resolve(Incident.objects.get())
    tick()
    before = [(mail.to, mail.subject) for mail in mailoutbox]

    with django_assert_max_num_queries(20):
        tick()

    assert [(mail.to, mail.subject) for mail in mailoutbox] == before
    assert Coupon.objects.count() == 1
