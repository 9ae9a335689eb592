"""One row of each table, with as little said as possible."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from statusbreaks.coupons.codes import new_code
from statusbreaks.coupons.models import Campaign, Coupon, CouponPolicy, Grant
from statusbreaks.feedback.models import Survey
from statusbreaks.flows.models import Alarm, Expectation, StatusBreak, StatusChange, Watch
from statusbreaks.incidents.models import (
    AffectedOrder,
    Component,
    Incident,
    IncidentUpdate,
    Playbook,
    PlaybookText,
    UpdateText,
)
from statusbreaks.notifications.models import Message
from statusbreaks.shop.models import ReportedOrder

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class ExpectationFactory(DjangoModelFactory):
    class Meta:
        model = Expectation

    flow = "payment"
    after = "authorised"
    within = timedelta(hours=2)


class StatusChangeFactory(DjangoModelFactory):
    class Meta:
        model = StatusChange

    source = "warehouse"
    order_key = factory.Sequence(lambda n: f"o-{n}")
    flow = "payment"
    status = "authorised"
    occurred_at = NOW


class WatchFactory(DjangoModelFactory):
    class Meta:
        model = Watch

    source = "warehouse"
    order_key = factory.Sequence(lambda n: f"o-{n}")
    order_number = factory.LazyAttribute(lambda watch: watch.order_key.upper())
    flow = "payment"
    status = "authorised"
    changed_at = NOW


class StatusBreakFactory(DjangoModelFactory):
    class Meta:
        model = StatusBreak

    watch = factory.SubFactory(WatchFactory)
    source = factory.SelfAttribute("watch.source")
    order_key = factory.SelfAttribute("watch.order_key")
    flow = factory.SelfAttribute("watch.flow")
    status = factory.SelfAttribute("watch.status")
    segment = factory.SelfAttribute("watch.segment")
    began_at = factory.SelfAttribute("watch.changed_at")
    due_at = NOW
    opened_at = NOW


class AlarmFactory(DjangoModelFactory):
    class Meta:
        model = Alarm

    rule = "silence"
    flow = "payment"
    status = "authorised"
    segment = "card"
    since = NOW - timedelta(hours=2)
    raised_at = NOW
    expected = 12.0
    observed = 0.0
    odds = 160_000.0
    sentence = "12.0 confirmations were due since 10:00 and none came; the odds are 1 in 160,000"


class ComponentFactory(DjangoModelFactory):
    class Meta:
        model = Component

    name = "Card payments"
    slug = factory.Sequence(lambda n: f"component-{n}")


class PlaybookFactory(DjangoModelFactory):
    class Meta:
        model = Playbook

    name = "Payment provider down"
    kind = "payment"
    flow = "payment"
    opens_from = 1
    publishes = True


class PlaybookTextFactory(DjangoModelFactory):
    class Meta:
        model = PlaybookText

    playbook = factory.SubFactory(PlaybookFactory)
    event = "opened"
    language = "en"
    headline = "Your payment is not confirmed yet"
    body = "Our payment provider has a disruption. Please do not pay again."


class IncidentFactory(DjangoModelFactory):
    class Meta:
        model = Incident

    kind = "payment"
    title = "Card payments are not confirmed"
    status = "investigating"
    impact = "major"
    detected_at = NOW


class IncidentUpdateFactory(DjangoModelFactory):
    class Meta:
        model = IncidentUpdate

    incident = factory.SubFactory(IncidentFactory)
    status = factory.SelfAttribute("incident.status")
    published_at = NOW


class UpdateTextFactory(DjangoModelFactory):
    class Meta:
        model = UpdateText

    update = factory.SubFactory(IncidentUpdateFactory)
    language = "en"
    headline = "Looking into it"
    body = "Some card payments are not being confirmed."


class ReportedOrderFactory(DjangoModelFactory):
    """An order of a shop in another process: with contacts, and no table of the shop's needed."""

    class Meta:
        model = ReportedOrder

    source = "warehouse"
    order_key = factory.Sequence(lambda n: f"o-{n}")
    order_number = factory.LazyAttribute(lambda order: order.order_key.upper())
    email = factory.LazyAttribute(lambda order: f"{order.order_key}@example.com")
    name = "Ada"
    language = "en"
    value = Decimal("40.00")
    currency = "EUR"


class AffectedOrderFactory(DjangoModelFactory):
    class Meta:
        model = AffectedOrder

    incident = factory.SubFactory(IncidentFactory)
    source = "warehouse"
    order_key = factory.Sequence(lambda n: f"o-{n}")
    order_number = factory.LazyAttribute(lambda order: order.order_key.upper())
    flow = "payment"
    stuck_since = NOW
    joined_at = NOW


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    topic = factory.Sequence(lambda n: f"update:{n}")
    channel = "email"
    recipient = factory.Sequence(lambda n: f"customer{n}@example.com")
    recipient_class = "service"
    subject = "News of your order"
    body = "All is well."
    created_at = NOW
    not_before = NOW


class CouponPolicyFactory(DjangoModelFactory):
    class Meta:
        model = CouponPolicy

    name = "Five euros"
    kind = "amount"
    value = Decimal(5)
    currency = "EUR"
    budget = Decimal(100)


class CampaignFactory(DjangoModelFactory):
    class Meta:
        model = Campaign

    incident = factory.SubFactory(IncidentFactory, status="resolved", resolved_at=NOW)
    policy = factory.SubFactory(CouponPolicyFactory)
    status = "approved"
    budget = factory.SelfAttribute("policy.budget")


class GrantFactory(DjangoModelFactory):
    class Meta:
        model = Grant

    campaign = factory.SubFactory(CampaignFactory)
    incident = factory.SelfAttribute("campaign.incident")
    customer = factory.Sequence(lambda n: f"user:{n}")
    order_key = factory.Sequence(lambda n: f"o-{n}")
    order_number = factory.LazyAttribute(lambda grant: grant.order_key.upper())
    cost = Decimal(5)
    granted_at = NOW


class CouponFactory(DjangoModelFactory):
    class Meta:
        model = Coupon

    grant = factory.SubFactory(GrantFactory)
    code = factory.LazyFunction(new_code)
    kind = "amount"
    value = Decimal(5)
    currency = "EUR"
    expires_at = NOW + timedelta(days=60)


class SurveyFactory(DjangoModelFactory):
    class Meta:
        model = Survey

    incident = factory.SubFactory(IncidentFactory, status="resolved", resolved_at=NOW)
    customer = factory.Sequence(lambda n: f"user:{n}")
    order_key = factory.Sequence(lambda n: f"o-{n}")
    order_number = factory.LazyAttribute(lambda survey: survey.order_key.upper())
    asked_at = NOW
    expires_at = NOW + timedelta(days=30)
