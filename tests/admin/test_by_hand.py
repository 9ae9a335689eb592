"""What staff do in the admin, what they may not, and what becomes of it when somebody was faster."""

from __future__ import annotations

from decimal import Decimal

import pytest

from statusbreaks.coupons.models import Campaign, Coupon
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentEvent, IncidentUpdate, Playbook, UpdateText
from statusbreaks.notifications.models import Message
from statusbreaks.shop.models import ReportedOrder
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    CampaignFactory,
    ComponentFactory,
    CouponFactory,
    CouponPolicyFactory,
    IncidentFactory,
    IncidentUpdateFactory,
    MessageFactory,
    PlaybookFactory,
    ReportedOrderFactory,
    UpdateTextFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db

ADMIN = "/admin/statusbreaks"
TEXT = {
    "texts-TOTAL_FORMS": 1,
    "texts-INITIAL_FORMS": 0,
    "texts-0-language": "en",
    "texts-0-headline": "Found",
    "texts-0-body": "We know why.",
}
SEEN = {
    f"{prefix}-{name}": 0 for prefix in ("updates", "affected", "events") for name in ("TOTAL_FORMS", "INITIAL_FORMS")
}


def messages(answer):
    return [str(message) for message in answer.context["messages"]]


def errors(answer):
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


@pytest.fixture
def amend(boss):
    def post(incident, **values):
        known = {"title": incident.title, "impact": incident.impact, **SEEN}
        return boss.post(f"{ADMIN}/incident/{incident.pk}/change/", {**known, **values}, follow=True)

    return post


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("investigate", "suspected", "investigating"),
        ("monitor", "identified", "monitoring"),
        ("resolve", "monitoring", "resolved"),
        ("dismiss", "suspected", "dismissed"),
    ],
)
def test_an_incident_takes_its_steps_from_the_list(staff, act, action, before, after):
    incident = IncidentFactory(status=before)

    act(staff("view_incident", "change_incident"), "incident", action, incident)

    incident.refresh_from_db()
    assert incident.status == after


@pytest.mark.parametrize("action", ["investigate", "monitor", "resolve", "dismiss"])
def test_who_may_only_look_at_incidents_takes_no_step(staff, act, action):
    incident = IncidentFactory(status="suspected")

    act(staff("view_incident"), "incident", action, incident)

    incident.refresh_from_db()
    assert (incident.status, IncidentEvent.objects.count()) == ("suspected", 0)


def test_a_step_that_is_refused_is_said_and_the_others_are_taken(boss, act):
    resolved, suspected = IncidentFactory(status="resolved"), IncidentFactory(status="suspected")

    answer = act(boss, "incident", "dismiss", resolved, suspected)

    assert messages(answer) == [
        f"{resolved.reference} is “resolved” and cannot become “dismissed”. Possible: looking into it, post-mortem.",
        "Incidents dismissed: 1.",
    ]
    assert Incident.objects.get(pk=resolved.pk).status == "resolved"
    assert Incident.objects.get(pk=suspected.pk).status == "dismissed"


def test_an_incident_begins_only_as_one_that_lasts(boss):
    told = {"kind": "order", "title": "x", "impact": "minor"}

    answer = boss.post(f"{ADMIN}/incident/add/", {**told, "status": "resolved"})

    assert list(errors(answer)) == ["status"]
    assert not Incident.objects.exists()


def test_what_staff_correct_is_written_down_and_colours_the_components(amend):
    left, joined = ComponentFactory(status="major_outage"), ComponentFactory()
    incident = IncidentFactory(published_at=NOW)
    incident.components.add(left)

    amend(incident, impact="critical", components=[joined.pk])

    left.refresh_from_db()
    joined.refresh_from_db()
    assert (left.status, joined.status) == ("operational", "major_outage")
    note = IncidentEvent.objects.get()
    assert (note.what, note.detail, note.actor.username) == ("amended", "impact, components", "boss")


def test_a_page_that_lay_open_undoes_no_step_that_was_taken_meanwhile(amend, monkeypatch):
    incident = IncidentFactory()
    load = Incident.objects.all()._clone().get

    def stale(*args, **kwargs):
        found = load(pk=incident.pk)
        Incident.objects.only_this(incident).update(status="identified")
        return found

    monkeypatch.setattr("statusbreaks.incidents.admin.IncidentAdmin.get_object", lambda *args, **kwargs: stale())

    amend(incident, title="Cards")

    incident.refresh_from_db()
    assert (incident.title, incident.status) == ("Cards", "identified")


def test_saving_a_page_without_a_change_writes_nothing_down(amend):
    amend(IncidentFactory())

    assert not IncidentEvent.objects.exists()


@pytest.mark.parametrize("term", ["{0.reference}", "{0.pk}", "confirmed"])
def test_an_incident_is_found_by_its_reference_number_and_title(boss, term):
    incident = IncidentFactory()
    IncidentFactory(title="Parcels")

    answer = boss.get(f"{ADMIN}/incident/", {"q": term.format(incident)})

    assert list(answer.context["cl"].queryset) == [incident]


def test_orders_are_added_by_number_with_what_is_known_of_them(boss):
    incident = IncidentFactory(flow="payment", segment="card")
    ReportedOrderFactory(order_key="o-1", order_number="1001", value=Decimal(40))
    WatchFactory(order_key="o-1", order_number="1001", segment="paywell")
    ReportedOrderFactory(order_key="o-2", order_number="")

    boss.post(f"{ADMIN}/incident/{incident.pk}/orders/", {"numbers": "1001;o-2", "reason": "called us"})

    first, second = AffectedOrder.objects.order_by("order_key")
    assert (first.order_number, first.value, first.segment, first.stuck_since) == ("1001", Decimal(40), "paywell", NOW)
    assert (second.order_number, second.flow, second.segment, second.reason) == ("o-2", "payment", "card", "called us")
    note = IncidentEvent.objects.get()
    assert (note.what, note.detail, note.actor.username) == ("orders added", "2: called us", "boss")


def test_an_order_that_was_removed_joins_anew_when_staff_say_so(boss):
    order = ReportedOrderFactory(order_key="one")
    removed = AffectedOrderFactory(order_key="one", removed_at=NOW)
    other = AffectedOrderFactory(order_key="another", incident=removed.incident, removed_at=NOW)

    boss.post(f"{ADMIN}/incident/{removed.incident_id}/orders/", {"numbers": order.order_number, "reason": "after all"})

    assert list(AffectedOrder.objects.kept()) == [removed]
    assert AffectedOrder.objects.get(pk=other.pk).removed_at == NOW


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"numbers": " , ;\n", "reason": "x"}, "numbers"),
        ({"numbers": "\n".join(map(str, range(501))), "reason": "x"}, "numbers"),
        ({"numbers": "1", "reason": ""}, "reason"),
    ],
)
def test_what_is_wrong_with_a_list_of_numbers_is_said(boss, told, field):
    incident = IncidentFactory()

    answer = boss.post(f"{ADMIN}/incident/{incident.pk}/orders/", told)

    assert (answer.status_code, list(errors(answer))) == (200, [field])
    assert not AffectedOrder.objects.exists()


def test_who_may_not_change_incidents_adds_no_orders(staff):
    incident, order = IncidentFactory(), ReportedOrderFactory()
    told = {"numbers": order.order_number, "reason": "x"}

    answer = staff("view_incident").post(f"{ADMIN}/incident/{incident.pk}/orders/", told)

    assert (answer.status_code, AffectedOrder.objects.count()) == (403, 0)


def test_orders_are_removed_once_and_by_who_may(staff, act):
    order = AffectedOrderFactory()

    act(staff("view_affectedorder"), "affectedorder", "remove", order)
    assert AffectedOrder.objects.kept().count() == 1

    client = staff("view_affectedorder", "change_affectedorder")
    assert messages(act(client, "affectedorder", "remove", order)) == ["1 order was removed."]
    assert messages(act(client, "affectedorder", "remove", order)) == ["0 orders were removed."]
    assert list(IncidentEvent.objects.values_list("what", "detail")) == [("orders removed", "1")]


def test_an_update_is_published_as_it_is_written(boss):
    incident = IncidentFactory()
    told = {"incident": incident.pk, "status": "monitoring", "publishes": "on", **TEXT}

    answer = boss.post(f"{ADMIN}/incidentupdate/add/", told, follow=True)

    assert answer.status_code == 200
    update = IncidentUpdate.objects.get()
    assert (update.status, update.notifies, update.author.username) == ("monitoring", False, "boss")
    assert (update.published_at is not None, update.texts.get().headline) == (True, "Found")
    incident.refresh_from_db()
    assert incident.status == "monitoring"


def test_an_update_with_no_step_leaves_the_incident_where_it_is(boss):
    incident = IncidentFactory(status="identified")

    boss.post(f"{ADMIN}/incidentupdate/add/", {"incident": incident.pk, "publishes": "on", **TEXT})

    assert IncidentUpdate.objects.get().status == "identified"


def test_an_update_that_is_refused_stays_a_draft_and_says_why(boss):
    incident = IncidentFactory(status="resolved")
    told = {"incident": incident.pk, "status": "monitoring", "publishes": "on", **TEXT}

    answer = boss.post(f"{ADMIN}/incidentupdate/add/", told, follow=True)

    assert any("cannot become “watching”" in message for message in messages(answer))
    assert IncidentUpdate.objects.get().published_at is None
    assert UpdateText.objects.count() == 1


def test_who_may_not_publish_writes_drafts_whatever_the_form_says(staff, act):
    incident = IncidentFactory()
    client = staff("view_incident", "view_incidentupdate", "add_incidentupdate", "change_incidentupdate")

    form = client.get(f"{ADMIN}/incidentupdate/add/")
    client.post(f"{ADMIN}/incidentupdate/add/", {"incident": incident.pk, "publishes": "on", **TEXT})
    act(client, "incidentupdate", "publish", IncidentUpdate.objects.get())

    assert "publishes" not in form.content.decode()
    assert IncidentUpdate.objects.get().published_at is None


def test_an_update_without_words_is_not_kept(boss):
    told = {"incident": IncidentFactory().pk, "texts-TOTAL_FORMS": 0, "texts-INITIAL_FORMS": 0}

    assert boss.post(f"{ADMIN}/incidentupdate/add/", told).status_code == 200
    assert not IncidentUpdate.objects.exists()


def test_a_draft_is_changed_and_published_by_who_may(boss):
    text = UpdateTextFactory(update__published_at=None)
    draft = text.update
    told = {
        "status": "identified",
        "notifies": "on",
        "publishes": "on",
        **{**TEXT, "texts-INITIAL_FORMS": 1, "texts-0-id": text.pk, "texts-0-update": draft.pk},
    }

    boss.post(f"{ADMIN}/incidentupdate/{draft.pk}/change/", told, follow=True)

    update = IncidentUpdate.objects.get()
    assert (update.pk > draft.pk, update.status, update.texts.get().headline) == (True, "identified", "Found")


def test_what_the_public_has_read_is_not_changed_any_more(boss):
    text = UpdateTextFactory()

    page = f"{ADMIN}/incidentupdate/{text.update_id}"
    assert boss.post(f"{page}/change/", {"status": "identified", **TEXT}).status_code == 403
    assert boss.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert UpdateText.objects.get().headline == text.headline


def test_an_update_is_published_once(boss, act):
    published = IncidentUpdateFactory()

    assert messages(act(boss, "incidentupdate", "publish", published)) == ["This update is public already."]
    assert list(IncidentUpdate.objects.all()) == [published]


@pytest.mark.parametrize("closes", ['"checkout"', "[1]", "{}", "null"])
def test_a_plan_that_closes_nonsense_is_refused(boss, closes):
    told = {"name": "x", "kind": "payment", "impact": "major", "opens_from": 1, "closes": closes}
    no_texts = {"texts-TOTAL_FORMS": 0, "texts-INITIAL_FORMS": 0}

    answer = boss.post(f"{ADMIN}/playbook/add/", {**told, **no_texts})

    assert list(errors(answer)) == ["closes"]
    assert not Playbook.objects.exists()


def test_a_plan_is_changed_with_its_texts_by_who_may_change_it(staff):
    playbook = PlaybookFactory()
    told = {"name": "New", "kind": "payment", "impact": "major", "opens_from": 1, "closes": "[]"}
    client = staff("view_playbook", "change_playbook", "view_component")

    client.post(f"{ADMIN}/playbook/{playbook.pk}/change/", {**told, **TEXT, "texts-0-event": "opened"})

    playbook.refresh_from_db()
    assert (playbook.name, playbook.texts.get().headline) == ("New", "Found")


def test_a_campaign_takes_the_budget_of_its_policy_and_staff_may_set_another_until_it_is_approved(boss, act):
    campaign = CampaignFactory(status="draft", policy__budget=100)
    page = f"{ADMIN}/campaign/{campaign.pk}/change/"

    boss.post(page, {"budget": "40"})
    act(boss, "campaign", "approve", campaign)
    boss.post(page, {"budget": "4000"})

    assert (Campaign.objects.get().budget, Campaign.objects.get().status) == (40, "approved")
    assert boss.post(f"{ADMIN}/campaign/{campaign.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("status", ["exhausted", "stopped"])
def test_a_budget_that_is_used_up_can_be_raised_and_the_campaign_approved_anew(boss, act, status):
    campaign = CampaignFactory(status=status, policy__budget=100)

    boss.post(f"{ADMIN}/campaign/{campaign.pk}/change/", {"budget": "150"})
    act(boss, "campaign", "approve", campaign)

    assert (Campaign.objects.get().budget, Campaign.objects.get().status) == (150, "approved")


def test_a_campaign_is_planned_once_for_an_incident_and_a_policy(boss):
    campaign = CampaignFactory()
    told = {"incident": campaign.incident_id, "policy": campaign.policy_id}

    answer = boss.post(f"{ADMIN}/campaign/add/", told)

    assert list(errors(answer)) == ["__all__"]
    assert Campaign.objects.count() == 1


def test_a_campaign_is_approved_and_stopped_by_who_may_approve(staff, act):
    campaign = CampaignFactory(status="draft")

    act(staff("view_campaign", "change_campaign"), "campaign", "approve", campaign)
    assert Campaign.objects.get().status == "draft"

    client = staff("view_campaign", "approve_campaign")
    assert messages(act(client, "campaign", "approve", campaign)) == ["Approved: 1."]
    assert messages(act(client, "campaign", "stop", campaign)) == ["Stopped: 1."]
    assert messages(act(client, "campaign", "stop", campaign)) == [f"{campaign} is not running."]
    assert Campaign.objects.get().status == "stopped"


def test_a_percentage_needs_a_limit(boss):
    told = {"name": "x", "kind": "percent", "value": 10, "currency": "EUR", "minimum_order": 0, "budget": 100}

    answer = boss.post(f"{ADMIN}/couponpolicy/add/", {**told, "valid_for": "30 00:00:00"})

    assert list(errors(answer)) == ["at_most"]


def test_a_policy_that_is_in_use_is_not_deleted(boss):
    campaign = CampaignFactory()

    boss.post(f"{ADMIN}/couponpolicy/{campaign.policy_id}/delete/", {"post": "yes"})

    assert list(type(campaign.policy).objects.all()) == [campaign.policy]
    assert boss.post(f"{ADMIN}/couponpolicy/{CouponPolicyFactory().pk}/delete/", {"post": "yes"}).status_code == 302


def test_a_code_is_shown_to_who_may_view_coupons_and_to_nobody_else(staff):
    coupon = CouponFactory()
    pages = [f"{ADMIN}/coupon/", f"{ADMIN}/coupon/{coupon.pk}/change/"]

    for client, shown in [(staff("view_coupon"), True), (staff("change_coupon"), False)]:
        for page in pages:
            assert (coupon.shown in client.get(page).content.decode()) is shown
            assert coupon.code not in client.get(page).content.decode()


def test_a_coupon_is_found_by_its_code_as_somebody_types_it_if_codes_may_be_seen(staff):
    coupon = CouponFactory()
    CouponFactory()
    typed = {"q": coupon.shown.lower()}

    assert list(staff("view_coupon").get(f"{ADMIN}/coupon/", typed).context["cl"].queryset) == [coupon]
    assert list(staff("change_coupon").get(f"{ADMIN}/coupon/", typed).context["cl"].queryset) == []


def test_a_coupon_is_taken_back_by_who_may_change_coupons(staff, act):
    coupon = CouponFactory()

    act(staff("view_coupon"), "coupon", "revoke", coupon)
    assert Coupon.objects.get().revoked_at is None

    act(staff("change_coupon"), "coupon", "revoke", coupon)
    assert Coupon.objects.get().revoked_at is not None


def test_a_message_with_a_code_keeps_it_from_who_may_not_view_coupons(staff):
    message = MessageFactory(topic="grant:1", body="Your code: 7K4M-2PQX-9RTB")
    page = f"{ADMIN}/message/{message.pk}/change/"

    assert "7K4M" not in staff("view_message").get(page).content.decode()
    assert "7K4M" in staff("view_message", "view_coupon").get(page).content.decode()


def test_messages_that_failed_are_tried_again_by_who_may(staff, act):
    failed = MessageFactory(status="failed", closed_at=NOW, tries=8, error="refused")
    sent = MessageFactory(status="sent", closed_at=NOW, sent_at=NOW)

    act(staff("view_message"), "message", "retry", failed)
    assert Message.objects.get(pk=failed.pk).status == "failed"

    answer = act(staff("view_message", "change_message"), "message", "retry", failed, sent)

    assert messages(answer) == ["1 message is queued again."]
    failed.refresh_from_db()
    assert (failed.status, failed.closed_at, failed.tries, failed.error) == ("queued", None, 0, "")
    assert Message.objects.get(pk=sent.pk).status == "sent"


def test_a_customer_who_wants_to_be_forgotten_is(boss):
    order = ReportedOrderFactory()

    boss.post(f"{ADMIN}/reportedorder/{order.pk}/delete/", {"post": "yes"})

    assert not ReportedOrder.objects.exists()
