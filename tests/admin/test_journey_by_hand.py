"""The whole way in the admin, without anything that the app notices by itself."""

from __future__ import annotations

import pytest

from statusbreaks.coupons.models import Campaign, Coupon, CouponPolicy
from statusbreaks.incidents.models import Component, Incident, IncidentEvent, IncidentUpdate, Playbook
from tests.factories import ReportedOrderFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def save(boss):
    """Fill in a form of the admin; returns the messages that come back."""

    def post(page, **values):
        return said(boss.post(f"/admin/statusbreaks/{page}/", values, follow=True))

    return post


@pytest.fixture
def do(boss, act):
    return lambda table, action, *rows: said(act(boss, table, action, *rows))


def said(answer):
    assert answer.status_code == 200
    assert "adminform" not in answer.context or not answer.context["errors"]
    return [str(message) for message in answer.context["messages"]]


def texts(headline, **more):
    first = {"language": "en", "headline": headline, "body": f"{headline}, we say.", **more}
    return {"texts-TOTAL_FORMS": 1, "texts-INITIAL_FORMS": 0} | {
        f"texts-0-{name}": text for name, text in first.items()
    }


@pytest.fixture
def playbook(save):
    """A component and a plan, made by hand too."""
    save("component/add", name="Cards", slug="cards", status="operational", position=0)
    save(
        "playbook/add",
        name="Provider down",
        kind="payment",
        impact="major",
        opens_from=3,
        components=[Component.objects.get().pk],
        closes='["checkout"]',
        is_active="on",
        **texts("It works again", event="resolved"),
    )
    return Playbook.objects.get()


@pytest.fixture
def incident(save, playbook):
    opening = {"kind": "payment", "title": "Cards are down", "status": "investigating", "impact": "major"}
    save("incident/add", **opening, playbook=playbook.pk)
    return Incident.objects.get()


@pytest.fixture
def concerned(save, incident):
    ReportedOrderFactory(order_key="o-1", order_number="1001", email="ada@example.com")
    ReportedOrderFactory(order_key="o-2", order_number="1002", email="bob@example.com")

    told = save(f"incident/{incident.pk}/orders", numbers="1001, 1002\n1001\n9999", reason="paid twice")

    assert told == ["2 orders are part of it now.", "No order has the number: 9999"]
    assert incident.affected_orders() == ["o-1", "o-2"]


def test_an_incident_opens_with_what_its_playbook_says(incident, playbook):
    assert (incident.title, incident.status, incident.opened_by.username) == ("Cards are down", "investigating", "boss")
    assert list(incident.components.all()) == list(playbook.components.all()) == [Component.objects.get()]


@pytest.mark.usefixtures("clock", "concerned")
def test_a_draft_says_nothing_and_an_update_tells_the_customers(save, do, incident, tick, mailoutbox):
    save("incidentupdate/add", incident=incident.pk, status="identified", notifies="on", **texts("We found it"))
    tick()
    assert mailoutbox == []

    assert do("incidentupdate", "publish", IncidentUpdate.objects.get()) == ["Published: 1."]
    tick()

    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["ada@example.com"], "We found it – your order 1001"),
        (["bob@example.com"], "We found it – your order 1002"),
    ]
    assert Component.objects.get().status == "partial_outage"


@pytest.mark.usefixtures("clock", "concerned")
def test_an_outage_is_handled_by_hand_from_its_first_word_to_the_coupons(save, do, incident, tick, mailoutbox):
    update = {"incident": incident.pk, "notifies": "on", "publishes": "on"}
    save("incidentupdate/add", **update, **texts("We look into it"))
    tick()
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"], ["bob@example.com"]]

    assert do("affectedorder", "remove", incident.affected.last()) == ["1 order was removed."]
    assert do("incident", "resolve", incident) == ["Incidents resolved: 1."]
    tick()
    assert [(mail.to, mail.subject) for mail in mailoutbox[2:]] == [
        (["ada@example.com"], "It works again – your order 1001")
    ]

    worth = {"kind": "amount", "value": 5, "currency": "EUR", "minimum_order": 0, "budget": 50}
    save("couponpolicy/add", name="Five", valid_for="30 00:00:00", is_active="on", **worth)
    save("campaign/add", incident=incident.pk, policy=CouponPolicy.objects.get().pk)
    tick()
    assert not Coupon.objects.exists()

    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.budget) == ("draft", 50)
    assert do("campaign", "approve", campaign) == ["Approved: 1."]
    tick()
    coupon = Coupon.objects.get()
    assert (mailoutbox[-1].to, coupon.shown in mailoutbox[-1].body) == (["ada@example.com"], True)

    assert do("coupon", "revoke", coupon) == ["1 coupon was taken back."]
    assert Coupon.objects.get().revoked_at is not None
    assert list(IncidentEvent.objects.values_list("what", "actor__username")) == [
        ("opened", "boss"),
        ("orders added", "boss"),
        ("update", "boss"),
        ("orders removed", "boss"),
        ("resolved", "boss"),
        ("update", "boss"),
        ("campaign planned", None),
        ("campaign approved", "boss"),
        ("campaign issued", None),
    ]
