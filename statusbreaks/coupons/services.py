"""compensate · validate · redeem · release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from statusbreaks import signals
from statusbreaks.core.events import emit
from statusbreaks.core.queries import each, work_through
from statusbreaks.coupons.codes import is_well_formed, new_code, normalised
from statusbreaks.coupons.models import Campaign, Coupon, CouponPolicy, Grant
from statusbreaks.exceptions import BudgetExhausted, CouponRefused, InvalidTransition
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.incidents.services import note
from statusbreaks.notifications.models import Message
from statusbreaks.notifications.services import Occasion, compose, facts_of_orders, one_per_customer
from statusbreaks.shop.values import Customer, OrderFacts

Status = Campaign.Status
APPROVABLE = (Status.DRAFT, Status.EXHAUSTED, Status.STOPPED)


@dataclass(frozen=True)
class Offer:
    """What a coupon is worth for this order: `discount` in units of the order's currency."""

    coupon: Coupon
    discount: Decimal


@dataclass(frozen=True)
class Purchase:
    """The order that a coupon is to be used with. `total` is what is to be paid before the coupon."""

    total: Decimal
    currency: str
    customer: Customer
    order_key: str = ""


def validate(code: str, purchase: Purchase, *, at: datetime | None = None) -> Offer:
    """What `code`, as somebody typed it, takes off this purchase. Changes nothing. Raises CouponRefused."""
    at, written = at or timezone.now(), normalised(code)
    coupon = Coupon.objects.named(written) if is_well_formed(written) else None
    if coupon is None:
        raise CouponRefused("unknown", _("We do not know this code. Please check it for a slip."))
    _refuse_unusable(coupon, at)
    _refuse_unfitting(coupon, purchase)
    discount = coupon.off(purchase.total)
    if discount <= 0:
        raise CouponRefused("nothing", _("There is nothing to pay that this code could be used for."))
    return Offer(coupon, discount)


def _refuse_unusable(coupon: Coupon, at: datetime) -> None:
    if coupon.redeemed_at:
        raise CouponRefused("used", _("This code was used already."))
    if coupon.revoked_at:
        raise CouponRefused("revoked", _("This code is not valid any more."))
    if coupon.expires_at <= at:
        day = date_format(timezone.localtime(coupon.expires_at))
        raise CouponRefused("expired", _("This code was valid until %(day)s.") % {"day": day})


def _refuse_unfitting(coupon: Coupon, purchase: Purchase) -> None:
    if coupon.currency != purchase.currency:
        raise CouponRefused("currency", _("This code is for orders in %(currency)s.") % {"currency": coupon.currency})
    if purchase.total < coupon.minimum_order:
        raise CouponRefused("minimum", _("This code is for orders of %(least)s or more.") % {"least": coupon.least})
    if coupon.grant.campaign.policy.is_bound and coupon.grant.customer != purchase.customer.identity:
        raise CouponRefused("bound", _("This code is for the customer who received it only."))


def redeem(code: str, purchase: Purchase, *, at: datetime | None = None) -> Offer:
    """Use the coupon for `purchase.order_key`, in the shop's own checkout transaction: with that it stands or falls.

    Raises CouponRefused, also where somebody else used it a moment ago; then nothing has changed.
    """
    if not purchase.order_key:
        raise ValueError("a coupon is redeemed with an order: give the purchase its order_key")
    at = at or timezone.now()
    offer = validate(code, purchase, at=at)
    if not Coupon.objects.take(offer.coupon, purchase.order_key, offer.discount, at):
        raise CouponRefused("used", _("This code was used already."))
    emit(signals.coupon_redeemed, Coupon, coupon=offer.coupon, order_key=purchase.order_key)
    return offer


def release(order_key: str) -> int:
    """The order was cancelled: its coupons can be used again. Returns how many."""
    return Coupon.objects.give_back(order_key)


@transaction.atomic
def plan_campaign(incident: Incident, policy: CouponPolicy, *, by: Any = None, at: datetime | None = None) -> Campaign:
    """A campaign that waits for approval; the one there is, where there is one."""
    campaign, made = Campaign.objects.get_or_create(
        incident=incident, policy=policy, defaults={"budget": policy.budget}
    )
    if made:
        note(incident, "campaign planned", policy.name, by=by, at=at)
    return campaign


@transaction.atomic
def approve(campaign: Campaign, *, by: Any = None, at: datetime | None = None) -> None:
    """From now on the tick issues its coupons, once the incident is resolved. Raises InvalidTransition.

    One that is through can be approved again, for those who joined since; nobody gets a second coupon.
    """
    at = at or timezone.now()
    sources = [status for status in Status if status != Status.APPROVED]
    if not Campaign.objects.move(campaign, sources=sources, to=Status.APPROVED, approved_by=by, approved_at=at):
        raise InvalidTransition(_("%(campaign)s is not waiting for approval.") % {"campaign": campaign})
    note(campaign.incident, "campaign approved", campaign.policy.name, by=by, at=at)


@transaction.atomic
def stop(campaign: Campaign, *, by: Any = None) -> None:
    """Issue nothing more. Raises InvalidTransition."""
    if not Campaign.objects.move(campaign, sources=[Status.DRAFT, Status.APPROVED], to=Status.STOPPED):
        raise InvalidTransition(_("%(campaign)s is not running.") % {"campaign": campaign})
    note(campaign.incident, "campaign stopped", campaign.policy.name, by=by)


def compensate(now: datetime) -> int:
    """Issue what is owed for incidents that are over. Returns the number of orders looked at."""
    work_through(Incident.objects.uncompensated(), lambda incidents: _begin(incidents, now))
    return each(Campaign.objects.issuable(), lambda campaign: _issue_campaign(campaign, now))


def _begin(incidents: Sequence[Incident], now: datetime) -> None:
    """Bring into force what the playbooks promise; within the policy's budget that needs nobody's word."""
    for incident in incidents:
        for policy in CouponPolicy.objects.by_itself_after(incident):
            campaign = plan_campaign(incident, policy, at=now)
            if campaign.status in (Status.DRAFT, Status.ISSUED):
                approve(campaign, at=now)
        Incident.objects.mark_compensated(incident, now)


def _issue_campaign(campaign: Campaign, now: datetime) -> int:
    orders = AffectedOrder.objects.of(campaign.incident).uncompensated()
    exhausted = False

    def step(batch: list[AffectedOrder]) -> None:
        nonlocal exhausted
        try:
            if not exhausted:
                _issue(campaign, batch, now)
        except BudgetExhausted:
            exhausted = True

    looked_at = work_through(orders, step)
    if not exhausted and orders.exists():
        return looked_at  # what failed, or what another worker holds and may yet drop, is for the next tick
    _finish(campaign, Status.EXHAUSTED if exhausted else Status.ISSUED, now)
    return looked_at


@transaction.atomic
def _finish(campaign: Campaign, to: str, now: datetime) -> None:
    if Campaign.objects.move(campaign, sources=[Status.APPROVED], to=to, issued_at=now):
        note(campaign.incident, f"campaign {to}", campaign.policy.name, at=now)


def _issue(campaign: Campaign, orders: list[AffectedOrder], now: datetime) -> None:
    """Grants, coupons and messages for a batch. Raises BudgetExhausted once the last affordable one is made."""
    campaign = Campaign.objects.held(campaign)
    if campaign.status != Status.APPROVED:
        return  # stopped meanwhile
    facts = facts_of_orders(orders)
    owed = _owed(campaign.incident, orders, facts)
    affordable = _reserve(campaign, len(owed))
    served = owed[:affordable]
    grants = Grant.objects.issue([_grant(campaign, order, facts[order.pk], now) for order in served])
    coupons = Coupon.objects.issue([_coupon(campaign.policy, grant, now) for grant in grants])
    Message.objects.put(
        compose(_occasion(coupon), facts[order.pk], {"coupon": coupon, "order": order}, now)
        for coupon, order in zip(coupons, served, strict=True)
    )
    left = {order.pk for order in owed[affordable:]}
    AffectedOrder.objects.mark_compensated([order for order in orders if order.pk not in left], now)
    for coupon in coupons:
        emit(signals.coupon_issued, Coupon, coupon=coupon)
    if left:
        raise BudgetExhausted(campaign.policy.name)


def _owed(incident: Incident, orders: list[AffectedOrder], facts: dict[int, OrderFacts]) -> list[AffectedOrder]:
    """One order per customer who has nothing yet for this incident; whom nobody can name is owed nothing."""
    first = one_per_customer(orders, facts)
    served = Grant.objects.customers_of(incident, first)
    return [order for identity, order in first.items() if identity not in served]


def _reserve(campaign: Campaign, wanted: int) -> int:
    """How many of the wanted coupons the budget allows; they are charged to it."""
    cost = campaign.policy.cost
    left = max(campaign.budget - campaign.reserved, Decimal(0))  # staff may have lowered the budget since
    affordable = min(wanted, int(left // cost)) if cost else wanted
    if affordable and not Campaign.objects.reserve(campaign, affordable, cost):
        raise BudgetExhausted(campaign.policy.name)
    return affordable


def _grant(campaign: Campaign, order: AffectedOrder, facts: OrderFacts, now: datetime) -> Grant:
    return Grant(
        campaign=campaign,
        incident=campaign.incident,
        customer=facts.customer.identity,
        user_id=facts.customer.user_id or None,
        source=order.source,
        order_key=order.order_key,
        order_number=order.order_number,
        cost=campaign.policy.cost,
        granted_at=now,
    )


def _coupon(policy: CouponPolicy, grant: Grant, now: datetime) -> Coupon:
    return Coupon(
        grant=grant,
        code=new_code(),
        kind=policy.kind,
        value=policy.value,
        currency=policy.currency,
        at_most=policy.at_most,
        minimum_order=policy.minimum_order,
        expires_at=now + policy.valid_for,
    )


def _occasion(coupon: Coupon) -> Occasion:
    grant = coupon.grant
    return Occasion(f"grant:{grant.pk}", "coupon", Message.RecipientClass.SERVICE, grant.incident)


def revoke(coupons: Any, *, at: datetime | None = None) -> int:
    """Take back what was not yet redeemed; returns how many. What was redeemed stays."""
    with transaction.atomic():
        return int(coupons.revoke(at or timezone.now()))
