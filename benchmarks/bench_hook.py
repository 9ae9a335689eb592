"""What the hook adds to the shop's own save. The peer is the same row saved through a proxy that nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks.frame import Row, Step, interleaved, row
from benchmarks.shop import orders
from example_project.shop.models import Order
from statusbreaks.flows.models import StatusChange

DATABASES = ("sqlite", "postgresql")
ROUNDS = 400
BOUNDS = {"sqlite": 1.3, "postgresql": 1.5}


class UnwatchedOrder(Order):
    """Made after Django was ready, so the hook does not know it."""

    class Meta:
        app_label = "shop"
        proxy = True


def rows(database: str) -> Iterator[Row]:
    [order] = orders(1)
    bound = BOUNDS[database]
    watched, bare = Order.objects.get(pk=order.pk), UnwatchedOrder.objects.get(pk=order.pk)

    measure = interleaved(in_a_transaction(changing(watched)), in_a_transaction(changing(bare)), rounds=ROUNDS)
    yield row(
        f"hook.change.{database}", "order.save() with a new status, in a transaction : unwatched", measure, bound=bound
    )

    measure = interleaved(changing(watched), changing(bare), rounds=ROUNDS)
    yield row(f"hook.change-autocommit.{database}", "the same, without a transaction : unwatched", measure, bound=bound)

    measure = interleaved(watched.save, bare.save, rounds=ROUNDS)
    yield row(f"hook.same.{database}", "order.save() that changes no status : unwatched", measure, bound=1.05)

    assert StatusChange.objects.exists(), "the hook is not connected: nothing was measured"
    assert queries_of(watched.save) == queries_of(bare.save), "a save that changes no status must cost no query"


def changing(order: Order) -> Step:
    statuses = cycle([Order.Status.PROCESSING, Order.Status.SHIPPED])

    def save() -> None:
        order.status = next(statuses)
        order.save()

    return save


def in_a_transaction(step: Step) -> Step:
    def run() -> None:
        with transaction.atomic():
            step()

    return run


def queries_of(step: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        step()
    return len(queries)
