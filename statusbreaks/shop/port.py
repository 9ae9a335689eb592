"""The contract of a shop adapter."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from statusbreaks.conf import conf
from statusbreaks.core.plugins import plugin
from statusbreaks.shop.values import OrderFacts, Seen

logger = logging.getLogger("statusbreaks")

Recorder = Callable[..., bool]  # record(*events)


class Shop(ABC):
    """How statusbreaks reads a shop. Name your own in `STATUSBREAKS["SHOP"]`; `statusbreaks.testing` has its tests."""

    def connect(self, record: Recorder) -> None:
        """Begin to watch: call `record(event, …)` for changes that are seen. Called once, when Django has started.

        The default watches nothing by itself: such a shop sends the signal `status_changed`. `record` takes all that
        one save changed at once, never raises, and returns False where nothing was recorded.
        """

    @property
    def has_orders(self) -> bool:
        """Whether `facts` knows all orders, so that one it leaves out is gone."""
        return True

    @abstractmethod
    def facts(self, keys: Sequence[str]) -> Mapping[str, OrderFacts]:
        """What is known now of these orders, by key; an order that is gone is left out. At most 500 keys a call."""

    @abstractmethod
    def final_statuses(self, flow: str) -> frozenset[str]:
        """The statuses after which nothing more is expected of this flow, in the shop's own words."""

    def key_of(self, number: str) -> str | None:
        """The key of the order with this number, as staff and customers write it; None where there is none."""
        return None

    @property
    def marks(self) -> str:
        """By what the shop lists new and changed orders, in a word of up to 180 characters; empty where it cannot."""
        return ""

    def last_mark(self) -> str:
        """The mark of the order that was new or changed last; empty where there is no order."""
        return ""

    def seen_since(self, mark: str, limit: int) -> Sequence[Seen]:
        """The first `limit` orders that were new or changed after `mark`, in that order; empty means from the first.

        A mark has at most 200 characters. What is not listed is found later, if the order is watched already.
        """
        return ()

    def orders_after(self, key: str, limit: int, since: datetime | None = None) -> Sequence[OrderFacts]:
        """The first `limit` orders after `key`, in a fixed order of keys; empty means from the first.

        `since` leaves out those that were placed before. The customer may be left out.
        """
        return ()

    def count_orders(self, since: datetime | None = None) -> int | None:
        """How many there are for `orders_after`; None where they cannot be listed."""
        return None


def current_shop() -> Shop:
    return cast(Shop, plugin(conf().shop))


def watch_shop(record: Recorder) -> None:
    """Begin to watch. A mistake in the settings keeps no shop from starting: it is logged, and the checks name it."""
    try:
        current_shop().connect(record)
    except Exception:
        logger.exception("the shop's orders are not watched; `manage.py check` says what is wrong with STATUSBREAKS")
