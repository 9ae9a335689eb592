"""The stage `reconcile`: what the shop changed without a signal, such as by `QuerySet.update()` or raw SQL.

It looks at orders that the shop lists as new or changed, at those once more when transactions that took long are over,
and, going round, at all that are watched. Each of the three looks at no more than `MOST` orders a tick.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import OperationalError

from statusbreaks.flows.models import StatusChange
from statusbreaks.flows.queries import OrderFlow, open_orders_after, standing_of, unfollowed_of
from statusbreaks.shop.models import Bookmark
from statusbreaks.shop.port import current_shop
from statusbreaks.shop.values import OrderFacts, StatusEvent

logger = logging.getLogger("statusbreaks")

MOST = 2_000
AT_ONCE = 500
SECOND_LOOK = timedelta(minutes=10)  # a row may be committed later than those that were written after it
ROUND = "round"

Standing = Mapping[OrderFlow, tuple[str, datetime]]


def reconcile(now: datetime) -> int:
    """Put into the ledger what is not in it. Returns how many changes that were.

    Three queries where nothing is new and nothing is watched.
    """
    shop = current_shop()
    if not shop.has_orders:
        return 0
    bookmarks = Bookmark.objects.by_name()
    found = _look_at_open(bookmarks, now)
    if shop.marks:
        found += _look_at_new(shop.marks, bookmarks, now)
    return found


def _look_at_open(bookmarks: Mapping[str, Bookmark], now: datetime) -> int:
    """The next ones on the round; at its end the next tick begins anew."""
    before = bookmarks[ROUND].place if ROUND in bookmarks else ""
    rows = open_orders_after(int(before or 0), MOST)
    found = _notice((key for _, key in rows), now)
    place = str(rows[-1][0]) if len(rows) == MOST else ""
    if place != before:
        Bookmark.objects.put(ROUND, now, place)
    return found


def _look_at_new(marks: str, bookmarks: Mapping[str, Bookmark], now: datetime) -> int:
    name, again = f"new:{marks}", f"again:{marks}"
    if name not in bookmarks:  # what is older is for `statusbreaks_backfill`
        begin = current_shop().last_mark()
        for each in (name, again):
            Bookmark.objects.put(each, now, begin, until=begin)
        return 0
    seen = current_shop().seen_since(bookmarks[name].place, MOST)
    found = _notice((order.key for order in seen), now)
    place = seen[-1].mark if seen else bookmarks[name].place
    if seen:
        Bookmark.objects.put(name, now, place)
    return found + _look_again(bookmarks[again], place, now)


def _look_again(bookmark: Bookmark, place: str, now: datetime) -> int:
    """From where the first look stood one pause ago; at the end that becomes where it stood when this began."""
    goes_on = bookmark.until != bookmark.place
    if bookmark.noted_at > now - SECOND_LOOK or (not goes_on and bookmark.place == place):
        return 0
    seen = current_shop().seen_since(bookmark.place, MOST)
    found = _notice((order.key for order in seen), now)
    if len(seen) == MOST:
        Bookmark.objects.put(bookmark.name, bookmark.noted_at, seen[-1].mark, until=bookmark.until)
    else:
        Bookmark.objects.put(bookmark.name, now, bookmark.until, until=place)
    return found


def _notice(keys: Iterable[str], now: datetime) -> int:
    wanted = list(dict.fromkeys(keys))
    return sum(_attempt(wanted[index : index + AT_ONCE], now) for index in range(0, len(wanted), AT_ONCE))


def _attempt(keys: Sequence[str], now: datetime) -> int:
    """One that cannot be looked at stops no other."""
    try:
        return _compare(keys, now)
    except OperationalError:
        raise
    except Exception:
        if len(keys) == 1:
            logger.exception("order %s could not be compared with the shop", keys[0])
            return 0
    return sum(_attempt([key], now) for key in keys)


def _compare(keys: Sequence[str], now: datetime) -> int:
    facts = current_shop().facts(keys)
    elsewhere = sorted({key for key, _ in _differing(facts, standing_of(keys))})
    if not elsewhere:
        return 0
    # What the ledger holds comes in by itself. Asked in this order, since another worker may just be following it.
    coming = unfollowed_of(elsewhere)
    standing = standing_of(elsewhere)
    differing = _differing({key: facts[key] for key in elsewhere}, standing) - coming
    events = [_event(facts[key], flow, standing, now) for key, flow in sorted(differing)]
    StatusChange.objects.append(events)
    return len(events)


def _differing(facts: Mapping[str, OrderFacts], standing: Standing) -> set[OrderFlow]:
    return {
        (key, flow)
        for key, order in facts.items()
        for flow, status in order.statuses.items()
        if status and status != standing.get((key, flow), ("",))[0]
    }


def _event(order: OrderFacts, flow: str, standing: Standing, now: datetime) -> StatusEvent:
    status, since = standing.get((order.key, flow), ("", None))
    return StatusEvent(
        order.key,
        flow,
        order.statuses[flow],
        _occurred_at(order.modified_at, since, now),
        order_number=order.number,
        via=StatusChange.Via.RECONCILE,
        event_id=_event_id(order.key, flow, status, order.statuses[flow], str(since)),
    )


def _occurred_at(modified_at: datetime | None, since: datetime | None, now: datetime) -> datetime:
    """When the order was modified, where that fits; `update()` often leaves the column as it was."""
    if modified_at is None or modified_at > now or (since and modified_at <= since):
        return max(now, since or now)
    return modified_at


def _event_id(*parts: str) -> str:
    """The same for two workers that see the same change at once."""
    return "reconcile:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
