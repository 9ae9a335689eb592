"""The stage `compensate`: who is owed something gets it once, and no budget is passed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from statusbreaks.coupons import services
from statusbreaks.coupons.models import Campaign, Coupon, Grant
from statusbreaks.coupons.services import approve, compensate, plan_campaign, stop
from statusbreaks.exceptions import InvalidTransition
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.incidents.services import change_status
from statusbreaks.notifications.models import Message
from statusbreaks.signals import coupon_issued
from tests.concurrency import at_once, needs_threads
from tests.example_project.factories import UserFactory
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    CampaignFactory,
    CouponPolicyFactory,
    IncidentFactory,
    PlaybookFactory,
    ReportedOrderFactory,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def concerned(incident, number, **contact):
    for _ in range(number):
        order = ReportedOrderFactory(**contact)
        AffectedOrderFactory(incident=incident, order_key=order.order_key)


@pytest.fixture
def campaign():
    return CampaignFactory(incident__compensated_at=NOW)


def state(campaign):
    campaign.refresh_from_db()
    return campaign.status, campaign.reserved, Coupon.objects.count()


def test_nothing_owed_takes_two_queries(django_assert_num_queries):
    with django_assert_num_queries(2):
        assert compensate(NOW) == 0


def test_everyone_concerned_gets_a_coupon_and_a_message(campaign, django_capture_on_commit_callbacks):
    concerned(campaign.incident, 2)
    heard = []
    coupon_issued.connect(on_issued := lambda coupon, **_: heard.append(coupon.pk))

    with django_capture_on_commit_callbacks(execute=True):
        assert compensate(NOW) == 2
        assert compensate(NOW) == 0
    coupon_issued.disconnect(on_issued)

    assert state(campaign) == ("issued", Decimal(10), 2)
    assert campaign.issued_at == NOW
    coupon = Coupon.objects.first()
    grant = coupon.grant
    assert (coupon.kind, coupon.value, coupon.currency, coupon.expires_at) == ("amount", 5, "EUR", NOW + 60 * DAY)
    assert (grant.campaign, grant.incident, grant.cost, grant.granted_at) == (campaign, campaign.incident, 5, NOW)
    assert grant.customer.startswith("contact:")
    assert str(grant) == f"{campaign.incident.reference} → {grant.order_number}"
    message = Message.objects.get(topic=f"grant:{grant.pk}")
    assert (message.recipient, message.recipient_class) == (f"{grant.order_key}@example.com", "service")
    assert coupon.shown in message.body
    assert heard == list(Coupon.objects.order_by("pk").values_list("pk", flat=True))
    assert [event.what for event in campaign.incident.events.all()] == ["campaign issued"]


def test_one_customer_with_two_orders_gets_one(campaign):
    concerned(campaign.incident, 2, email="ada@example.com")
    concerned(campaign.incident, 1, email="ADA@example.com")

    compensate(NOW)

    assert Coupon.objects.count() == 1
    assert not AffectedOrder.objects.uncompensated().exists()


def test_one_customer_gets_one_for_an_incident_whatever_the_campaigns(campaign):
    concerned(campaign.incident, 1)
    compensate(NOW)
    CampaignFactory(incident=campaign.incident)
    concerned(campaign.incident, 1, email=ReportedOrderFactory._meta.model.objects.get().email)

    compensate(NOW)

    assert Grant.objects.count() == 1


def test_whom_nobody_can_name_is_owed_nothing(campaign):
    concerned(campaign.incident, 1, email="")

    assert compensate(NOW) == 1
    assert state(campaign) == ("issued", 0, 0)


def test_who_was_removed_is_owed_nothing(campaign):
    concerned(campaign.incident, 1)
    AffectedOrder.objects.update(removed_at=NOW)

    assert compensate(NOW) == 0


@pytest.mark.parametrize("status", ["investigating", "monitoring", "dismissed"])
def test_nothing_is_issued_before_it_is_over(campaign, status):
    concerned(campaign.incident, 1)
    Incident.objects.update(status=status)

    assert compensate(NOW) == 0
    assert state(campaign) == ("approved", 0, 0)


@pytest.mark.parametrize("status", ["draft", "stopped", "issued", "exhausted"])
def test_nothing_is_issued_without_approval(campaign, status):
    concerned(campaign.incident, 1)
    Campaign.objects.update(status=status)

    assert compensate(NOW) == 0
    assert Coupon.objects.count() == 0


def test_a_playbooks_policy_comes_into_force_by_itself():
    playbook = PlaybookFactory()
    policy = CouponPolicyFactory(playbook=playbook, budget=Decimal(50))
    CouponPolicyFactory(playbook=playbook, is_active=False)
    CouponPolicyFactory()
    incident = IncidentFactory(status="resolved", playbook=playbook)
    IncidentFactory(status="resolved")
    concerned(incident, 1)

    assert compensate(NOW) == 1

    campaign = Campaign.objects.get()
    assert (campaign.policy, campaign.budget, campaign.status) == (policy, 50, "issued")
    assert (campaign.approved_by, campaign.approved_at) == (None, NOW)
    assert [event.what for event in incident.events.all()] == [
        "campaign planned",
        "campaign approved",
        "campaign issued",
    ]
    assert set(Incident.objects.values_list("compensated_at", flat=True)) == {NOW}


def test_a_campaign_that_staff_stopped_is_not_begun_again_by_itself():
    playbook = PlaybookFactory()
    incident = IncidentFactory(status="resolved", playbook=playbook)
    stop(plan_campaign(incident, CouponPolicyFactory(playbook=playbook)))
    concerned(incident, 1)

    assert compensate(NOW) == 0


def test_who_joined_after_it_was_reopened_is_served_too():
    playbook = PlaybookFactory()
    CouponPolicyFactory(playbook=playbook)
    incident = IncidentFactory(status="resolved", playbook=playbook)
    concerned(incident, 1)
    compensate(NOW)
    change_status(incident, "investigating")
    concerned(incident, 1)
    change_status(incident, "resolved")

    compensate(NOW)

    assert Grant.objects.count() == 2


def test_the_budget_is_never_passed_and_what_is_left_can_be_served_later(campaign):
    Campaign.objects.update(budget=Decimal(14))
    concerned(campaign.incident, 5)

    compensate(NOW)

    assert state(campaign) == ("exhausted", Decimal(10), 2)
    assert AffectedOrder.objects.uncompensated().count() == 3
    assert compensate(NOW) == 0

    Campaign.objects.update(budget=Decimal(25))
    approve(campaign, at=NOW)
    compensate(NOW)

    assert state(campaign) == ("issued", Decimal(25), 5)
    assert Message.objects.count() == 5


def test_a_budget_that_was_lowered_below_what_is_spent_issues_nothing_more(campaign):
    Campaign.objects.update(budget=Decimal(10), reserved=Decimal(50))
    concerned(campaign.incident, 12)

    compensate(NOW)

    assert state(campaign) == ("exhausted", Decimal(50), 0)


def test_a_budget_for_exactly_all_is_not_used_up(campaign):
    Campaign.objects.update(budget=Decimal(10))
    concerned(campaign.incident, 2)

    compensate(NOW)

    assert state(campaign) == ("issued", Decimal(10), 2)


def test_what_costs_nothing_needs_no_budget():
    campaign = CampaignFactory(policy__value=0, budget=0)
    concerned(campaign.incident, 2)

    compensate(NOW)

    assert state(campaign) == ("issued", 0, 2)


def test_a_budget_runs_out_in_the_middle_of_many_batches(campaign, monkeypatch):
    through = services.work_through
    monkeypatch.setattr(services, "work_through", lambda rows, step, **rest: through(rows, step, size=2))
    Campaign.objects.update(budget=Decimal(15))
    concerned(campaign.incident, 7)

    compensate(NOW)

    assert state(campaign) == ("exhausted", Decimal(15), 3)


def test_a_campaign_that_is_stopped_meanwhile_issues_nothing_more(campaign, monkeypatch):
    through = services.work_through
    monkeypatch.setattr(services, "work_through", lambda rows, step, **rest: through(rows, step, size=1))
    concerned(campaign.incident, 3)
    issue, stopped = services._issue, []

    def then_stop(row, orders, now):
        issue(row, orders, now)
        if not stopped:
            stopped.append(stop(Campaign.objects.get()))

    monkeypatch.setattr(services, "_issue", then_stop)
    compensate(NOW)

    assert state(campaign) == ("stopped", Decimal(5), 1)
    assert AffectedOrder.objects.uncompensated().count() == 2


def test_one_who_cannot_be_served_now_stops_no_other_and_is_served_by_the_next_tick(campaign, monkeypatch):
    concerned(campaign.incident, 3)
    [_, cursed, _] = AffectedOrder.objects.order_by("pk")
    facts = services.facts_of_orders

    def hiccup(orders):
        if cursed in orders:
            raise TimeoutError("the shop does not answer")
        return facts(orders)

    monkeypatch.setattr(services, "facts_of_orders", hiccup)
    compensate(NOW)
    assert state(campaign) == ("approved", Decimal(10), 2)

    monkeypatch.setattr(services, "facts_of_orders", facts)
    compensate(NOW)
    assert state(campaign) == ("issued", Decimal(15), 3)


def test_approving_and_stopping_are_steps_that_are_written_down():
    ada, campaign = UserFactory(), CampaignFactory(status="draft")

    approve(campaign, by=ada, at=NOW)
    assert (campaign.status, campaign.approved_by, campaign.approved_at) == ("approved", ada, NOW)
    with pytest.raises(InvalidTransition, match="is not waiting for approval"):
        approve(campaign)

    stop(campaign, by=ada)
    with pytest.raises(InvalidTransition, match="is not running"):
        stop(campaign)
    assert [(event.what, event.actor) for event in campaign.incident.events.all()] == [
        ("campaign approved", ada),
        ("campaign stopped", ada),
    ]


def test_a_campaign_is_planned_once():
    incident, policy = IncidentFactory(), CouponPolicyFactory(budget=Decimal(70))

    first, second = plan_campaign(incident, policy), plan_campaign(incident, policy)

    assert first == second
    assert (first.status, first.budget) == ("draft", 70)
    assert [event.what for event in incident.events.all()] == ["campaign planned"]


def test_serving_many_takes_a_fixed_number_of_queries(campaign, django_assert_max_num_queries):
    Campaign.objects.update(budget=Decimal(1000))
    concerned(campaign.incident, 40)

    with django_assert_max_num_queries(22):
        assert compensate(NOW) == 40

    assert Coupon.objects.count() == 40


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_issuers_serve_everyone_once_and_pass_no_budget(monkeypatch):
    through = services.work_through
    monkeypatch.setattr(services, "work_through", lambda rows, step, **rest: through(rows, step, size=3))
    campaign = CampaignFactory(incident__compensated_at=NOW, budget=Decimal(85))
    concerned(campaign.incident, 20)
    concerned(campaign.incident, 4, email="ada@example.com")

    done = at_once(*[lambda: compensate(NOW)] * 4)

    assert [type(each) for each in done] == [int] * 4
    compensate(NOW)
    campaign.refresh_from_db()
    assert campaign.reserved == Decimal(85)
    assert Coupon.objects.count() == Grant.objects.count() == 17
    assert Grant.objects.values("customer").distinct().count() == 17
