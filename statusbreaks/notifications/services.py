"""announce · deliver: from an update to rows of the outbox, and from there to people."""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from statusbreaks.conf import conf
from statusbreaks.core.queries import each, work_through
from statusbreaks.exceptions import PluginError
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentUpdate
from statusbreaks.notifications.channels import Outcome, channel
from statusbreaks.notifications.models import LEASE, TRIES, Message, MessageQuerySet
from statusbreaks.notifications.texts import Text, offered, render
from statusbreaks.shop.models import by_source, facts_of
from statusbreaks.shop.values import Customer, OrderFacts

logger = logging.getLogger("statusbreaks")

Clock = Callable[[], datetime]
Class = Message.RecipientClass
BATCH = 100
UNKNOWN = OrderFacts(key="", number="", statuses={})


@dataclass(frozen=True)
class Occasion:
    """Why a customer is written to: the same `topic` reaches the same person once."""

    topic: str
    template: str
    recipient_class: str
    incident: Incident


def announce(now: datetime) -> int:
    """Put each current update into the outbox for everyone concerned who has not been told it."""
    return each(Incident.objects.unannounced().with_update(), lambda incident: _announce(incident, now))


def _announce(incident: Incident, now: datetime) -> int:
    update = incident.current_update
    assert update is not None
    Message.objects.withdraw_updates(incident, but=_topic(update), at=now)
    untold = AffectedOrder.objects.of(incident).untold(update.pk)
    told = work_through(untold, lambda orders: _tell(incident, update, orders, now))
    if not untold.exists():  # what failed, or what another worker holds and may yet drop, is for the next tick
        Incident.objects.mark_announced(incident, now)
    return told


def _topic(update: IncidentUpdate) -> str:
    return f"update:{update.pk}"


def _tell(incident: Incident, update: IncidentUpdate, orders: list[AffectedOrder], now: datetime) -> None:
    occasion = Occasion(_topic(update), "update", Class.SERVICE, incident)
    wordings = _Wordings(update)
    facts = facts_of_orders(orders)
    Message.objects.put(
        compose(occasion, facts[order.pk], {**wordings.in_language(facts[order.pk]), "order": order}, now)
        for order in orders
    )
    AffectedOrder.objects.mark_told(orders, update.pk)


class _Wordings:
    """The update's texts, read once for a batch."""

    def __init__(self, update: IncidentUpdate) -> None:
        self.update = update
        self.known: dict[str, dict[str, Any]] = {}

    def in_language(self, facts: OrderFacts) -> dict[str, Any]:
        language = offered(facts.customer.language)
        if language not in self.known:
            self.known[language] = {"update": self.update, "text": self.update.text_in(language)}
        return self.known[language]


def facts_of_orders(orders: Iterable[AffectedOrder]) -> dict[int, OrderFacts]:
    """What the shop knows now, by the id of the affected order; contacts are read when they are needed."""
    found: dict[int, OrderFacts] = {}
    for source, group in by_source(orders).items():
        facts = facts_of(source, [order.order_key for order in group])
        found |= {order.pk: facts.get(order.order_key, UNKNOWN) for order in group}
    return found


def one_per_customer(orders: Iterable[AffectedOrder], facts: Mapping[int, OrderFacts]) -> dict[str, AffectedOrder]:
    """The first order of each customer, by their identity; whom nobody can name is left out."""
    first: dict[str, AffectedOrder] = {}
    for order in orders:
        first.setdefault(facts[order.pk].customer.identity, order)
    first.pop("", None)
    return first


def compose(occasion: Occasion, facts: OrderFacts, context: Mapping[str, Any], now: datetime) -> Message:
    """One message for the outbox; where nobody can be reached it is there too, skipped, and says why."""
    customer = facts.customer
    number = facts.number or str(context.get("order", ""))
    name, address = reach(customer)
    common: dict[str, Any] = {
        "topic": occasion.topic,
        "recipient_class": occasion.recipient_class,
        "incident": occasion.incident,
        "order_number": number,
        "created_at": now,
        "not_before": now,
        "user_id": customer.user_id or None,
    }
    if not address:
        return Message.skipped(f"order {number or facts.key}", "no address", now, **common)
    text = render(
        occasion.template, customer.language, {**context, "customer": customer, "incident": occasion.incident}
    )
    return Message(**common, channel=name, recipient=address, language=offered(customer.language), **_columns(text))


def _columns(text: Text) -> dict[str, str]:
    return {"subject": text.subject, "body": text.body, "html": text.html}


def reach(customer: Customer) -> tuple[str, str]:
    """The first configured channel that has an address of this customer: (its name, the address), else ("", "")."""
    for name in conf().channels:
        if address := channel(name).address(customer):
            return name, address
    return "", ""


def retry(messages: MessageQuerySet, *, at: datetime | None = None) -> int:
    """Try those of these anew that failed for good; returns how many."""
    return messages.requeue(at or timezone.now())


def deliver(now: datetime) -> int:
    """Send what is due. Claims, commits, sends, and marks each message as it is accepted."""
    worker, clock, done = uuid.uuid4().hex, _clock(now), 0
    while batch := Message.objects.claim(worker, clock(), BATCH):
        for name, messages in _by_channel(batch).items():
            done += _send(name, messages, clock)
    return done


def _clock(now: datetime) -> Clock:
    """`now`, going on: a lease that a later batch took at the time of the first would be over before its time."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def _by_channel(messages: list[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        found[message.channel].append(message)
    return found


def _send(name: str, messages: list[Message], clock: Clock) -> int:
    done = 0
    try:
        for outcome in channel(name).send(_while_ours(messages)):
            _mark(outcome, clock())
            done += 1
    except (PluginError, KeyError):
        logger.exception("the channel %s cannot be used; its messages wait", name)
    except Exception:
        logger.exception("the channel %s stopped; what it has not sent is due again in %s", name, LEASE)
    return done


def _while_ours(messages: list[Message]) -> Iterator[Message]:
    """Hand them out only as long as the lease is sure to hold: a slow server must not lead to a second sending."""
    began = time.monotonic()
    for message in messages:
        if time.monotonic() - began > LEASE.total_seconds() / 2:
            return
        yield message


def _mark(outcome: Outcome, now: datetime) -> None:
    message, failure = outcome
    if failure is None:
        Message.objects.mark_sent(message, now)
    elif failure.permanent or message.tries >= TRIES:
        Message.objects.mark_failed(message, str(failure), now)
    else:
        Message.objects.retry(message, str(failure), now)
