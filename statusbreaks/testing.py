"""For the tests of what you build on statusbreaks: contracts that an adapter must keep, and fakes.

    from statusbreaks.testing import ShopContract

    class TestMyShop(ShopContract):
        def make_shop(self): ...

A contract is a base class of plain `test_…` methods with plain assertions: pytest and unittest both run it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from statusbreaks.core.plugins import plugin
from statusbreaks.exceptions import DeliveryFailed
from statusbreaks.flows.services import record
from statusbreaks.notifications.channels import Channel, Outcome, channel
from statusbreaks.notifications.models import Message
from statusbreaks.shop.port import Recorder, Shop, current_shop
from statusbreaks.shop.values import Customer, Flow, OrderFacts, StatusEvent

AT_ONCE = 500  # keys in one call of `facts`


class MemoryShop(Shop):
    """A shop that is a dict. `put` is all that its staff can do."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderFacts] = {}
        self.final: dict[str, frozenset[str]] = {}
        self._record: Recorder = record

    def connect(self, record: Recorder) -> None:
        self._record = record

    def put(self, order: OrderFacts) -> None:
        """The order is from now on as it is described here; each status that this changes is recorded."""
        known = self.orders.get(order.key)
        before = known.statuses if known else {}
        self.orders[order.key] = order
        changed = {flow: status for flow, status in order.statuses.items() if before.get(flow) != status}
        now = timezone.now()
        if changed:
            self._record(*(StatusEvent(order.key, flow, status, now) for flow, status in changed.items()))

    def facts(self, keys: Sequence[str]) -> Mapping[str, OrderFacts]:
        return {key: self.orders[key] for key in keys if key in self.orders}

    def final_statuses(self, flow: str) -> frozenset[str]:
        return self.final.get(flow, frozenset())

    def key_of(self, number: str) -> str | None:
        return next((order.key for order in self.orders.values() if order.number == number), None)


class RecordingChannel(Channel):
    """A channel that reaches everyone with an e-mail address and keeps what it would have sent.

    `refuses` maps addresses to the DeliveryFailed that they answer with.
    """

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.refuses: dict[str, DeliveryFailed] = {}

    def address(self, customer: Customer) -> str:
        return customer.email

    def send(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        for message in messages:
            failure = self.refuses.get(message.recipient)
            if failure is None:
                self.sent.append(message)
            yield message, failure


@contextmanager
def memory_shop() -> Iterator[MemoryShop]:
    """Within this block the shop is an empty `MemoryShop`."""
    with _settings(SHOP="statusbreaks.testing.MemoryShop"):
        shop = current_shop()
        assert isinstance(shop, MemoryShop)
        yield shop


@contextmanager
def recording_channel(name: str = "email") -> Iterator[RecordingChannel]:
    """Within this block there is one channel, and it sends nothing."""
    with _settings(CHANNELS={name: "statusbreaks.testing.RecordingChannel"}):
        recording = channel(name)
        assert isinstance(recording, RecordingChannel)
        yield recording


@contextmanager
def _settings(**changed: Any) -> Iterator[None]:
    plugin.cache_clear()
    with override_settings(STATUSBREAKS={**getattr(settings, "STATUSBREAKS", {}), **changed}):
        yield
    plugin.cache_clear()


class ShopContract(ABC):
    """What every shop adapter must do. Say in a subclass how your shop gets its orders."""

    @abstractmethod
    def make_shop(self) -> Shop:
        """The adapter; its `connect` was not called yet."""

    @abstractmethod
    def place_order(self) -> str:
        """A new order in the shop, with a customer who has an e-mail address; returns its key."""

    @abstractmethod
    def change_status(self, key: str) -> tuple[str, str]:
        """Move one flow of the order on; returns (flow, status)."""

    @abstractmethod
    def remove_order(self, key: str) -> None:
        """Delete the order."""

    def test_an_order_is_known_by_its_key(self) -> None:
        key = self.place_order()
        assert self.make_shop().facts([key])[key].key == key

    def test_an_order_has_a_number_and_a_customer(self) -> None:
        key = self.place_order()
        facts = self.make_shop().facts([key])[key]
        assert facts.number, "people name an order by its number"
        assert "@" in facts.customer.email

    def test_a_customer_can_be_told_from_others(self) -> None:
        key = self.place_order()
        once, again = (self.make_shop().facts([key])[key].customer.identity for _ in range(2))
        assert once == again != ""

    def test_keys_that_cannot_be_are_left_out(self) -> None:
        impossible = ["", "no such order", "💥", "-1", "9" * 40, "00000000-0000-0000-0000-000000000000"]
        assert self.make_shop().facts(impossible) == {}

    def test_no_keys_no_orders(self) -> None:
        assert self.make_shop().facts([]) == {}

    def test_an_order_that_is_gone_is_left_out(self) -> None:
        gone, kept = self.place_order(), self.place_order()
        self.remove_order(gone)
        assert set(self.make_shop().facts([gone, kept])) == {kept}

    def test_many_orders_can_be_asked_for_at_once(self) -> None:
        key = self.place_order()
        many = [key, *(str(number) for number in range(10**6, 10**6 + AT_ONCE - 1))]
        assert key in self.make_shop().facts(many)

    def test_a_status_is_told_as_it_is_now(self) -> None:
        key, shop = self.place_order(), self.make_shop()
        flow, status = self.change_status(key)
        assert flow in Flow.values
        assert shop.facts([key])[key].statuses[flow] == status

    def test_times_have_a_zone(self) -> None:
        key = self.place_order()
        facts = self.make_shop().facts([key])[key]
        for moment in (facts.placed_at, facts.promised_at):
            assert moment is None or timezone.is_aware(moment)

    def test_each_flow_has_final_statuses_in_words(self) -> None:
        for flow in Flow.values:
            final = self.make_shop().final_statuses(flow)
            assert isinstance(final, frozenset)
            assert all(isinstance(status, str) for status in final)

    def test_a_number_leads_to_its_order_or_nowhere(self) -> None:
        key, shop = self.place_order(), self.make_shop()
        assert shop.key_of(shop.facts([key])[key].number) in (key, None)
        assert shop.key_of("no such number") is None


class ChannelContract(ABC):
    """What every channel must do. Say in a subclass whom it reaches, and what arrived."""

    @abstractmethod
    def make_channel(self) -> Channel:
        """The channel, set up so that nothing leaves the test."""

    @abstractmethod
    def reachable(self) -> Customer:
        """Somebody whom it reaches."""

    @abstractmethod
    def arrived(self) -> list[str]:
        """The addresses to which something was sent, in that order."""

    def test_a_customer_has_an_address(self) -> None:
        assert self.make_channel().address(self.reachable())

    def test_a_customer_of_whom_nothing_is_known_has_no_address(self) -> None:
        assert self.make_channel().address(Customer()) == ""

    def test_each_message_is_sent_once_and_told_of_once_in_order(self) -> None:
        messages = [self._message(1), self._message(2), self._message(3)]
        outcomes = list(self.make_channel().send(messages))
        assert outcomes == [(message, None) for message in messages]
        assert self.arrived() == [message.recipient for message in messages]

    def test_what_was_taken_is_told_before_the_next_is_begun(self) -> None:
        taken: list[int] = []

        def two() -> Iterator[Message]:
            for number in (1, 2):
                taken.append(number)
                yield self._message(number)

        outcomes = iter(self.make_channel().send(two()))
        next(outcomes)
        assert taken == [1], "a worker that dies now must leave the second message as it was"
        assert len(self.arrived()) == 1
        list(outcomes)

    def test_no_messages_no_outcomes(self) -> None:
        assert list(self.make_channel().send([])) == []
        assert self.arrived() == []

    def _message(self, number: int) -> Message:
        address = self.make_channel().address(self.reachable())
        return Message(pk=number, topic=f"contract:{number}", recipient=address, subject="Hello", body="One line.\n")
