"""The ten doors out: each opens after the commit, says what happened, and a receiver that fails breaks nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from statusbreaks import signals
from statusbreaks.coupons.models import Coupon
from statusbreaks.coupons.services import Purchase, compensate, redeem
from statusbreaks.feedback.models import Survey
from statusbreaks.feedback.services import answer
from statusbreaks.flows.services import detect, follow
from statusbreaks.incidents.services import Draft, NewIncident, open_incident, post_update, resolve
from statusbreaks.maintenance.services import close_shop, open_shop
from statusbreaks.shop.values import Customer
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    CampaignFactory,
    IncidentFactory,
    ReportedOrderFactory,
    StatusChangeFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
OUT = {
    "break_opened",
    "break_healed",
    "incident_opened",
    "incident_updated",
    "incident_resolved",
    "shop_closed",
    "shop_opened",
    "coupon_issued",
    "coupon_redeemed",
    "survey_answered",
}


def flow_breaks_and_heals():
    WatchFactory(order_key="o-1", due_at=NOW)
    detect(NOW)
    StatusChangeFactory(order_key="o-1", status="paid", occurred_at=NOW + HOUR)
    follow(NOW + HOUR)


def incident_is_handled():
    incident = open_incident(NewIncident("outage", "Slow"))
    post_update(incident, Draft({"en": ("Slow", "Wait.")}))
    resolve(incident)


def shop_is_closed_and_opened():
    open_shop(close_shop(scope="checkout", reason="test"))


def coupon_is_issued_and_redeemed():
    campaign = CampaignFactory(incident__compensated_at=NOW)
    order = ReportedOrderFactory()
    AffectedOrderFactory(incident=campaign.incident, order_key=order.order_key)
    compensate(NOW)
    redeem(Coupon.objects.get().code, Purchase(Decimal(30), "EUR", Customer(), "o-2"), at=NOW)


def survey_is_answered():
    values = {"order_key": "o-1", "customer": "c", "asked_at": NOW, "expires_at": NOW + HOUR}
    answer(Survey.objects.create(incident=IncidentFactory(), **values), 5, at=NOW)


STORIES = {
    flow_breaks_and_heals: {"break_opened": "status_break", "break_healed": "status_break"},
    incident_is_handled: {
        "incident_opened": "incident",
        "incident_updated": "incident update",
        "incident_resolved": "incident",
    },
    shop_is_closed_and_opened: {"shop_closed": "closing", "shop_opened": "closing"},
    coupon_is_issued_and_redeemed: {"coupon_issued": "coupon", "coupon_redeemed": "coupon order_key"},
    survey_is_answered: {"survey_answered": "survey"},
}


@pytest.fixture
def heard():
    """What each door said, and whether it was said outside of any transaction; beside each listener one that fails."""
    told, receivers = [], []
    for name in sorted(OUT):

        def listen(sender, signal, name=name, **said):
            row = said[sorted(said)[0]] if "coupon" not in said else said["coupon"]
            told.append((name, " ".join(sorted(said)), transaction.get_connection().in_atomic_block, row.pk))

        def broken(sender, **said):
            raise RuntimeError("a receiver of the shop's")

        for receiver in (broken, listen):
            getattr(signals, name).connect(receiver)
            receivers.append((name, receiver))
    yield told
    for name, receiver in receivers:
        getattr(signals, name).disconnect(receiver)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_world_is_told_after_the_commit_and_no_receiver_breaks_anything(story, heard, caplog):
    with transaction.atomic():
        story()
        assert heard == []

    assert {(name, keys, inside) for name, keys, inside, _ in heard} == {
        (name, keys, False) for name, keys in STORIES[story].items()
    }
    assert all(pk for *_, pk in heard)
    assert "a receiver of the shop's" in caplog.text


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_of_what_is_rolled_back_nobody_hears(story, heard):
    with transaction.atomic():
        story()
        transaction.set_rollback(True)

    assert heard == []


def test_these_are_all_the_doors():
    assert set().union(*STORIES.values()) == OUT
    assert {name for name in vars(signals) if isinstance(getattr(signals, name), signals.Signal)} == {
        *OUT,
        "status_changed",
    }
