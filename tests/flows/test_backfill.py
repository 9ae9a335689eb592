"""The take-over of orders from before: each open flow is watched, once, and old news makes no noise."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from example_project.shop.models import Order
from statusbreaks.flows import backfill as module
from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.flows.services import detect, follow
from statusbreaks.management import progress
from statusbreaks.shop.models import Bookmark
from statusbreaks.testing import memory_shop
from tests.example_project.factories import OrderFactory
from tests.factories import NOW, ExpectationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HOUR = timedelta(hours=1)
OVER = {"status": "completed", "payment_status": "paid", "delivery_status": "delivered"}


@pytest.fixture
def waiting():
    """Orders whose payment alone is open still."""

    def make(count, **values):
        values = {**OVER, "payment_status": "authorised", "placed_at": NOW - HOUR, "user": None, **values}
        return Order.objects.bulk_create(OrderFactory.build_batch(count, **values))

    return make


def run(*args):
    out = StringIO()
    call_command("statusbreaks_backfill", *args, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def test_an_open_flow_is_watched_with_its_status_and_its_deadline(waiting):
    rule = ExpectationFactory(after="authorised", within=2 * HOUR)
    [order] = waiting(1)

    assert run() == ["1 orders looked at, 1 watches added."]

    watch = Watch.objects.get()
    assert (watch.source, watch.order_key, watch.order_number) == ("shop", str(order.pk), order.number)
    assert (watch.flow, watch.status, watch.segment) == ("payment", "authorised", order.payment_provider)
    assert (watch.changed_at, watch.due_at, watch.expectation) == (NOW - HOUR, NOW + HOUR, rule)
    assert (watch.breached_at, watch.ended_at) == (None, None)
    assert not StatusChange.objects.exists()


def test_running_it_again_adds_nothing(waiting):
    waiting(7)
    run("--batch", "3")

    assert run("--batch", "3") == ["7 orders looked at, 0 watches added."]
    assert Watch.objects.count() == 7


def test_what_is_over_or_cancelled_is_not_watched(waiting):
    waiting(1, **OVER)
    waiting(1, status="cancelled", delivery_status="handed_over")

    assert run() == ["2 orders looked at, 0 watches added."]


def test_a_watch_that_is_there_stays_as_it_is(waiting):
    [order] = waiting(1)
    Watch.objects.create(order_key=str(order.pk), flow="payment", status="pending", changed_at=NOW)

    assert run() == ["1 orders looked at, 0 watches added."]
    assert Watch.objects.get().status == "pending"


def test_who_was_late_before_makes_no_noise_and_who_becomes_late_does(waiting):
    ExpectationFactory(after="authorised", within=2 * HOUR)
    waiting(5, placed_at=NOW - 90 * HOUR)
    [fresh] = waiting(1)
    run()

    assert Watch.objects.filter(breached_at=NOW).count() == 5
    assert detect(NOW) == 0
    assert detect(NOW + HOUR) == 1
    assert StatusBreak.objects.get().order_key == str(fresh.pk)


def test_with_judge_who_was_late_before_is_a_break(waiting):
    ExpectationFactory(after="authorised", within=2 * HOUR)
    waiting(5, placed_at=NOW - 90 * HOUR)

    run("--judge")

    assert detect(NOW) == 5


def test_an_order_taken_over_goes_on_as_any_other(waiting):
    ExpectationFactory(after="authorised", within=2 * HOUR)
    [order] = waiting(1, placed_at=NOW - 90 * HOUR)
    run()

    order.payment_status = "paid"
    order.save()
    follow(NOW)

    watch = Watch.objects.get(flow="payment")
    assert (watch.status, watch.breached_at, watch.ended_at is None) == ("paid", None, False)


def test_a_rehearsal_says_what_would_be_added_and_adds_nothing(waiting):
    waiting(5)

    assert run("--dry-run", "--batch", "2") == ["5 orders looked at, 5 watches would be added."]
    assert not Watch.objects.exists()
    assert not Bookmark.objects.exists()


def test_only_orders_placed_since_a_day(waiting):
    waiting(2, placed_at=NOW - 100 * HOUR)
    waiting(3)

    assert run("--since", "2026-03-01") == ["3 orders looked at, 3 watches added."]


def test_a_run_that_was_stopped_goes_on_where_it_was(waiting, monkeypatch):
    orders = waiting(10)
    batches = module.take_over(module.TakeOver(batch=4), NOW)
    assert next(batches) == module.Taken(4, 4)
    batches.close()

    assert run("--batch", "4") == [
        f"Going on after the order {orders[3].pk}, where an earlier run was stopped.",
        "6 orders looked at, 6 watches added.",
    ]
    assert Watch.objects.count() == 10
    assert not Bookmark.objects.exists()


def test_a_batch_and_its_bookmark_stand_or_fall_together(waiting, monkeypatch):
    waiting(4)

    def killed(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bookmark.objects.__class__, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        run()

    assert not Watch.objects.exists()


def test_many_orders_cost_a_few_statements_a_batch(waiting, django_assert_num_queries):
    waiting(40)
    plan = module.TakeOver(batch=20)

    # The bookmark and the rules; of each batch the orders, a savepoint, the watches, the bookmark; and the end.
    with django_assert_num_queries(2 + 2 * 5 + 2):
        assert sum(taken.watches for taken in module.take_over(plan, NOW)) == 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--batch", "0"], "--batch takes a number"),
        (["--since", "yesterday"], "--since takes a day such as 2026-03-31, not 'yesterday'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_a_day_is_refused_where_nothing_says_when_orders_were_placed():
    ours = settings.STATUSBREAKS
    with (
        override_settings(STATUSBREAKS={**ours, "ORDERS": {**ours["ORDERS"], "PLACED_AT": ""}}),
        pytest.raises(CommandError, match="PLACED_AT"),
    ):
        run("--since", "2026-03-01")


def test_a_shop_that_cannot_list_its_orders_is_told_so():
    with memory_shop(), pytest.raises(CommandError, match="your adapter lists none"):
        run()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not(waiting, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 0)
    waiting(4)
    pipe, terminal = StringIO(), Terminal()

    call_command("statusbreaks_backfill", "--batch", "2", stdout=StringIO(), stderr=pipe)
    call_command("statusbreaks_backfill", "--batch", "2", "--no-input", stdout=StringIO(), stderr=terminal)

    assert pipe.getvalue() == ""
    assert " 50% 2 of 4, 0:00:00 left" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
