"""ask · answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from statusbreaks import signals
from statusbreaks.conf import conf
from statusbreaks.core.events import emit
from statusbreaks.core.queries import each, work_through
from statusbreaks.feedback.models import Survey
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.notifications.models import Message
from statusbreaks.notifications.services import Occasion, compose, facts_of_orders, one_per_customer
from statusbreaks.notifications.texts import offered
from statusbreaks.shop.values import OrderFacts

SALT = "statusbreaks.survey"
OPEN_FOR = timedelta(days=30)


def ask(now: datetime) -> int:
    """Ask those concerned by incidents that are over long enough. Returns the number of orders looked at."""
    return each(Incident.objects.unasked(now), lambda incident: _ask_about(incident, now))


def _ask_about(incident: Incident, now: datetime) -> int:
    orders = AffectedOrder.objects.of(incident).unasked()
    looked_at = work_through(orders, lambda batch: _ask(incident, batch, now))
    if not orders.exists():  # what failed, or what another worker holds and may yet drop, is for the next tick
        Incident.objects.mark_asked(incident, now)
    return looked_at


def _ask(incident: Incident, orders: list[AffectedOrder], now: datetime) -> None:
    facts = facts_of_orders(orders)
    first = one_per_customer(orders, facts)
    asked = Survey.objects.asked_of(incident, first)
    chosen = [order for identity, order in first.items() if identity not in asked]
    surveys = Survey.objects.ask([_survey(incident, order, facts[order.pk], now) for order in chosen])
    # To ask by mail how it was is advertising in the eyes of the law (BGH VI ZR 225/17): only with consent.
    Message.objects.put(
        compose(_occasion(survey), facts[order.pk], {"link": link(survey), "order": order}, now)
        for survey, order in zip(surveys, chosen, strict=True)
        if facts[order.pk].customer.accepts_marketing
    )
    AffectedOrder.objects.mark_asked(orders, now)


def _survey(incident: Incident, order: AffectedOrder, facts: OrderFacts, now: datetime) -> Survey:
    return Survey(
        incident=incident,
        customer=facts.customer.identity,
        user_id=facts.customer.user_id or None,
        language=offered(facts.customer.language),
        source=order.source,
        order_key=order.order_key,
        order_number=order.order_number,
        asked_at=now,
        expires_at=now + OPEN_FOR,
    )


def _occasion(survey: Survey) -> Occasion:
    return Occasion(f"survey:{survey.pk}", "survey", Message.RecipientClass.MARKETING, survey.incident)


def link(survey: Survey) -> str:
    """The address at which this survey is answered; it works without an account, until it was answered or expires."""
    return conf().base_url.rstrip("/") + reverse("statusbreaks:survey", args=[token(survey)])


def token(survey: Survey) -> str:
    return signing.dumps(survey.pk, salt=SALT)


def survey_of(signed: str) -> Survey | None:
    """The survey that a link leads to; None where the link is not ours or too old."""
    try:
        key = signing.loads(signed, salt=SALT, max_age=OPEN_FOR)
    except signing.BadSignature:
        return None
    return Survey.objects.with_key(key)


def answer(survey: Survey, rating: int, comment: str = "", *, at: datetime | None = None) -> bool:
    """Take the answer, 1 (bad) to 5 (good). False where it was answered before or is too late: nothing changes then."""
    if not 1 <= rating <= 5:
        raise ValueError(f"a rating is 1 to 5, not {rating}")
    taken = Survey.objects.take_answer(survey, rating, comment.strip()[:2000], at or timezone.now())
    if taken:
        survey.refresh_from_db()
        emit(signals.survey_answered, Survey, survey=survey)
    return taken
