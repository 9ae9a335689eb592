"""A tick may die anywhere: the next one finishes the work, once."""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction

from statusbreaks.coupons.models import Coupon, Grant
from statusbreaks.feedback.models import Survey
from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.incidents import services as incidents
from statusbreaks.incidents.models import AffectedOrder, Incident, IncidentEvent, IncidentUpdate
from statusbreaks.notifications.models import LEASE, Message
from statusbreaks.pipeline import tick
from statusbreaks.shop.values import Customer, OrderFacts
from statusbreaks.testing import memory_shop
from tests.factories import CouponPolicyFactory, ExpectationFactory, PlaybookFactory, PlaybookTextFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """As from `kill -9`: no `except Exception` holds it, and nothing that was not committed remains."""


@contextmanager
def killed_at(number):
    """Dies right before the n-th commit: of a transaction, or of a statement by itself.

    Wherever in a transaction a worker dies, it is undone as a whole; so these are all the ways to die.
    """
    outside, seen = len(connection.savepoint_ids), [0]

    def wrapper(execute, sql, params, many, context):
        if len(connection.savepoint_ids) == outside and not sql.startswith(("SELECT", "SAVEPOINT")):
            seen[0] += 1
            if seen[0] == number:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield


@pytest.fixture
def shop():
    with memory_shop() as shop:
        yield shop


def order(key, status):
    customer = Customer(email=f"{key}@example.com", accepts_marketing=True)
    return OrderFacts(key, key.upper(), {"payment": status}, customer=customer)


def prepare(shop, clock):
    playbook = PlaybookFactory(opens_from=2, asks_after=HOUR)
    PlaybookTextFactory(playbook=playbook)
    PlaybookTextFactory(playbook=playbook, event="resolved", headline="Solved", body="All is paid.")
    CouponPolicyFactory(playbook=playbook)
    ExpectationFactory(within=HOUR)
    for key in ("o-1", "o-2"):
        shop.put(order(key, "authorised"))
    clock.shift(3 * HOUR)


def solve(shop, clock):
    shop.put(order("o-1", "paid"))
    incidents.resolve(Incident.objects.get())


def wait(shop, clock):
    clock.shift(2 * HOUR)


def outcome():
    """All that came of it, without the ids."""
    return {
        "ledger": StatusChange.objects.unfollowed().count(),
        "watches": sorted(Watch.objects.values_list("order_key", "status")),
        "breaks": sorted(
            (row.order_key, bool(row.healed_at), bool(row.grouped_at)) for row in StatusBreak.objects.all()
        ),
        "incidents": [(row.status, bool(row.announced_at), bool(row.asked_at)) for row in Incident.objects.all()],
        "audit": sorted(IncidentEvent.objects.values_list("what", flat=True)),
        "updates": IncidentUpdate.objects.count(),
        "affected": sorted((row.order_key, bool(row.recovered_at)) for row in AffectedOrder.objects.all()),
        "messages": sorted(
            (message.topic.split(":")[0], message.recipient, message.status) for message in Message.objects.all()
        ),
        "coupons": sorted(Coupon.objects.values_list("grant__order_key", flat=True)),
        "grants": Grant.objects.count(),
        "surveys": sorted(Survey.objects.values_list("order_key", flat=True)),
    }


def mails():
    return Counter((message.to[0], message.subject) for message in mail.outbox)


@contextmanager
def undone():
    """What is done within did not happen, but for the mails that went out."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        mail.outbox.clear()


ACTS = [prepare, solve, wait]


@pytest.mark.parametrize(
    "act", [1, 2, 3], ids=["from the break to the message", "from the end to the coupon", "the survey"]
)
def test_wherever_a_tick_is_killed_the_next_one_finishes_the_work_once(act, shop, clock, mailoutbox):
    for begin in ACTS[: act - 1]:
        begin(shop, clock)
        tick()
    ACTS[act - 1](shop, clock)
    mail.outbox.clear()
    with undone():
        tick()
        clock.shift(2 * LEASE)
        tick()
        expected, letters = outcome(), mails()
        clock.shift(-2 * LEASE)
    assert letters

    number, kills = 0, 0
    while True:
        number += 1
        with undone():
            try:
                with killed_at(number):
                    tick()
                break
            except Killed:
                transaction.set_rollback(False)  # the test's own transaction goes on; the worker's was undone
                kills += 1
            clock.shift(2 * LEASE)
            assert None not in tick().values()
            assert outcome() == expected, f"killed at statement {number}"
            assert set(mails()) == set(letters), f"killed at statement {number}"
            # The one mail that the server had taken and that was not yet stamped, never more.
            assert (mails() - letters).total() <= 1, f"killed at statement {number}"
            clock.shift(-2 * LEASE)
    assert kills >= 5
