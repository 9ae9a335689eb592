"""The contract of a channel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import cast

from statusbreaks.conf import conf
from statusbreaks.core.plugins import plugin
from statusbreaks.exceptions import DeliveryFailed
from statusbreaks.notifications.models import Message
from statusbreaks.shop.values import Customer

Outcome = tuple[Message, DeliveryFailed | None]


class Channel(ABC):
    """One way to reach a person. Name yours in `STATUSBREAKS["CHANNELS"]`; `statusbreaks.testing` has its tests."""

    @abstractmethod
    def address(self, customer: Customer) -> str:
        """Where this customer is reached over this channel, or "" where that is not possible."""

    @abstractmethod
    def send(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        """Send one after the other, and yield each as soon as it was taken, or refused with a DeliveryFailed.

        What was yielded with None is never sent again, so yield after the acceptance and before the next one.
        """


def channel(name: str) -> Channel:
    return cast(Channel, plugin(conf().channels[name]))
