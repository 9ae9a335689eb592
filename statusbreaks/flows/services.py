"""record · follow · detect."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from statusbreaks import signals
from statusbreaks.core.events import emit
from statusbreaks.core.queries import work_through
from statusbreaks.flows.counters import count_given_up, count_steps
from statusbreaks.flows.judge import Step, expectation_for
from statusbreaks.flows.models import Expectation, StatusBreak, StatusBreakQuerySet, StatusChange, Watch, WatchQuerySet
from statusbreaks.flows.queries import insert_changes
from statusbreaks.shop.models import by_source, facts_of
from statusbreaks.shop.port import current_shop
from statusbreaks.shop.values import SHOP, OrderFacts, StatusEvent

logger = logging.getLogger("statusbreaks")

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = OrderFacts(key="", number="", statuses={})


def record(*events: StatusEvent) -> bool:
    """Append a row each to the ledger. Never raises: a sale goes on whatever happens to us; False says it failed."""
    try:
        insert_changes(events)
    except Exception:
        orders = ", ".join(f"{event.order_number or event.order_key} ({event.flow})" for event in events)
        logger.exception("order %s: the status was not recorded", orders)
        return False
    return True


def follow(now: datetime) -> int:
    """Bring the watch rows up to the ledger. Returns the number of ledger rows followed."""
    return work_through(StatusChange.objects.unfollowed(), lambda changes: _follow(changes, now))


def detect(now: datetime) -> int:
    """Open a break for every watch whose deadline has passed. Returns the number of watches looked at."""
    return work_through(Watch.objects.overdue(now), lambda watches: _detect(watches, now), by="due_at")


def _follow(changes: list[StatusChange], now: datetime) -> None:
    rules = list(Expectation.objects.active())
    for source, batch in by_source(changes).items():
        keys = sorted({change.order_key for change in batch})
        book = _Book(facts_of(source, keys), rules, _watches(source, batch))
        for change in sorted(batch, key=lambda change: (change.occurred_at, change.pk)):
            book.enter(change)
        book.close(now)
    StatusChange.objects.mark_followed(changes, now)


def _watches(source: str, changes: list[StatusChange]) -> dict[tuple[str, str], Watch]:
    """The watch rows of these orders, locked; made where missing, so that two workers cannot both make one."""
    wanted = {(change.order_key, change.flow) for change in changes}
    keys = {key for key, _ in wanted}
    known = Watch.objects.held(source, keys)
    if missing := sorted(wanted - known.keys()):
        Watch.objects.make(
            Watch(source=source, order_key=key, flow=flow, changed_at=_LONG_AGO) for key, flow in missing
        )
        known |= Watch.objects.held(source, {key for key, _ in missing})
    return known


@dataclass
class _Book:
    """The orders of one batch, while their changes are entered."""

    facts: Mapping[str, OrderFacts]
    rules: list[Expectation]
    watches: dict[tuple[str, str], Watch]
    moved: dict[int, Watch] = field(default_factory=dict)
    healed: list[Watch] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def enter(self, change: StatusChange) -> None:
        """Move the watch, unless the change is older than what is known, or says nothing new."""
        watch = self.watches[change.order_key, change.flow]
        facts = self.facts.get(change.order_key, _NOTHING)
        status = change.status or facts.statuses.get(change.flow, "")
        if not status or status == watch.status or change.occurred_at < watch.changed_at:
            return
        segment = change.segment or facts.segments.get(change.flow, "") or watch.segment
        place = (change.flow, watch.segment or segment)
        self.steps.append(Step(*place, watch.status, status, watch.changed_at, change.occurred_at))
        watch.order_number = change.order_number or facts.number or watch.order_number
        watch.status, watch.segment, watch.changed_at = status, segment, change.occurred_at
        self._arm(watch)
        self.moved[watch.pk] = watch

    def _arm(self, watch: Watch) -> None:
        rule = expectation_for(watch.flow, watch.status, watch.segment, self.rules)
        watch.expectation = rule
        watch.due_at = watch.changed_at + rule.within if rule else None
        if watch.breached_at:
            self.healed.append(watch)
        watch.breached_at = None
        watch.ended_at = watch.changed_at if is_final(watch.source, watch.flow, watch.status) else None

    def close(self, now: datetime) -> None:
        watches = list(self.moved.values())
        if watches:
            Watch.objects.put(watches)
            count_steps(self.steps, now)
        if self.healed:
            heal(StatusBreak.objects.of_watches(self.healed), now)
        cancelled = [key for key, facts in self.facts.items() if facts.cancelled]
        if cancelled:
            _end(Watch.objects.of_orders(SHOP, cancelled).open(), now)


def is_final(source: str, flow: str, status: str) -> bool:
    return source == SHOP and status in current_shop().final_statuses(flow)


def heal(breaks: StatusBreakQuerySet, now: datetime) -> None:
    """The flow of these went on: say so, once."""
    healed = list(breaks.open())
    if healed:
        breaks.mark_healed(now)
    for one in healed:
        one.healed_at, one.open_key = now, None
        emit(signals.break_healed, StatusBreak, status_break=one)


def _end(watches: WatchQuerySet, now: datetime) -> None:
    ended = list(watches)
    if ended:
        heal(StatusBreak.objects.of_watches(ended), now)
        Watch.objects.end(ended, now)
        count_given_up(ended, now)


def _detect(watches: list[Watch], now: datetime) -> None:
    for source, batch in by_source(watches).items():
        facts = facts_of(source, [watch.order_key for watch in batch])
        there = _look(batch, facts, now)
        over = [watch for watch in there if _is_over(watch, facts)]
        Watch.objects.end(over, now)
        _open_breaks([watch for watch in there if watch not in over], now)


def _is_over(watch: Watch, facts: Mapping[str, OrderFacts]) -> bool:
    """Cancelled, or gone from a shop that knows all its orders: nobody waits for it any more."""
    known = facts.get(watch.order_key)
    return known.cancelled if known else watch.source == SHOP and current_shop().has_orders


def those_still_there(watches: Iterable[Watch], now: datetime) -> list[Watch]:
    """Those which the shop itself sees in the status that we know of; of the others the ledger hears."""
    there: list[Watch] = []
    for source, batch in by_source(watches).items():
        there += _look(batch, facts_of(source, [watch.order_key for watch in batch]), now)
    return there


def _look(watches: list[Watch], facts: Mapping[str, OrderFacts], now: datetime) -> list[Watch]:
    moved = [watch for watch in watches if _elsewhere(watch, facts)]
    # The shop changed it behind our hook (an UPDATE, say): the ledger hears of it, and nobody is alarmed.
    StatusChange.objects.append([_noticed(watch, facts[watch.order_key], now) for watch in moved])
    return [watch for watch in watches if watch not in moved]


def _elsewhere(watch: Watch, facts: Mapping[str, OrderFacts]) -> bool:
    known = facts[watch.order_key].statuses.get(watch.flow, "") if watch.order_key in facts else ""
    return known not in ("", watch.status)


def _noticed(watch: Watch, facts: OrderFacts, now: datetime) -> StatusEvent:
    return StatusEvent(
        watch.order_key, watch.flow, facts.statuses[watch.flow], now, order_number=facts.number, via="reconcile"
    )


def _open_breaks(watches: list[Watch], now: datetime) -> None:
    opened = StatusBreak.objects.open_all([StatusBreak.of(watch, now) for watch in watches])
    Watch.objects.mark_breached(watches, now)
    for one in opened:
        emit(signals.break_opened, StatusBreak, status_break=one)
