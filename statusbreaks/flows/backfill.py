"""The take-over of orders that existed before: a watch for each of their flows that is still open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db import router, transaction

from statusbreaks.flows.judge import expectation_for
from statusbreaks.flows.models import Expectation, Watch
from statusbreaks.flows.queries import OpenFlow, insert_watches
from statusbreaks.shop.models import Bookmark
from statusbreaks.shop.port import current_shop
from statusbreaks.shop.values import SHOP, OrderFacts


@dataclass(frozen=True)
class TakeOver:
    """Which orders, `batch` in a transaction, and whether what was added is kept (else it is a rehearsal).

    Orders that are overdue when they are taken over are old news: they are watched, but no breaks are made of them,
    unless they are to be judged.
    """

    batch: int = 5_000
    since: datetime | None = None
    judges: bool = False
    keeps: bool = True

    @property
    def name(self) -> str:
        return f"backfill:{self.since.isoformat() if self.since else ''}"


@dataclass(frozen=True)
class Taken:
    """One batch: orders looked at, and watches added."""

    orders: int
    watches: int


def place_of(plan: TakeOver) -> str:
    """The key of the order after which an earlier run of this plan was stopped; empty where none was."""
    bookmark = Bookmark.objects.by_name().get(plan.name) if plan.keeps else None
    return bookmark.place if bookmark else ""


def take_over(plan: TakeOver, now: datetime) -> Iterator[Taken]:
    """Yields after each batch that was committed, and can be stopped anywhere: the same plan then goes on there."""
    key, rows_of = place_of(plan), _reader(plan, now)
    while orders := current_shop().orders_after(key, plan.batch, plan.since):
        key = orders[-1].key
        yield Taken(len(orders), _add([row for order in orders for row in rows_of(order)], plan, key, now))
        if len(orders) < plan.batch:
            break
    if plan.keeps:
        Bookmark.objects.remove(plan.name)


def _add(rows: list[OpenFlow], plan: TakeOver, key: str, now: datetime) -> int:
    using = router.db_for_write(Watch)
    with transaction.atomic(using=using):
        added = insert_watches(rows)
        if plan.keeps:
            Bookmark.objects.put(plan.name, now, key)
        else:
            transaction.set_rollback(True, using=using)
    return added


def _reader(plan: TakeOver, now: datetime) -> Callable[[OrderFacts], Iterator[OpenFlow]]:
    shop, rules = current_shop(), list(Expectation.objects.active())
    is_final = cache(lambda flow, status: status in shop.final_statuses(flow))
    rule_for = cache(lambda flow, status, segment: expectation_for(flow, status, segment, rules))

    def rows_of(order: OrderFacts) -> Iterator[OpenFlow]:
        if order.cancelled:
            return
        since = min(now, order.modified_at or order.placed_at or now)
        for flow, status in order.statuses.items():
            if not status or is_final(flow, status):
                continue
            segment = order.segments.get(flow, "")
            rule = rule_for(flow, status, segment)
            due_at = since + rule.within if rule else None
            breached_at = now if due_at and due_at <= now and not plan.judges else None
            place = (SHOP, order.key, order.number, flow, status, segment)
            yield OpenFlow(*place, since, due_at, rule.pk if rule else None, breached_at)

    return rows_of
