"""The orders pass through the shop in the order of their times, and the worker ticks in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple

from time_machine import Traveller

from example_project.replay.reading import Sale
from example_project.replay.stage import CURRENCY
from example_project.shop.models import Order
from statusbreaks.flows.measure import measure
from statusbreaks.flows.models import FlowGauge
from statusbreaks.flows.services import follow
from statusbreaks.flows.statistics import CALM
from statusbreaks.pipeline import tick

# The worker ticks every hour while payments move, else every four; every ten minutes while a flow looks unusual. All
# stages run when an alarm rings, and every hour while something is open. Else only these, for the others would find
# nothing to do.
OFTEN, HOURLY, RARELY = timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4)
MOVING = 3  # orders placed or paid since the last tick
PAYMENT = frozenset({"placed", "placed_and_paid", "paid"})
LOOKING = (follow, measure)
AFTER = timedelta(days=1)  # the play goes on so long after the last order; later the shop would sell nothing any more
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Event(NamedTuple):
    at: datetime
    sale: int
    step: int


@dataclass
class Play:
    """`told` is called after each tick with the number of orders that have begun; `is_anything_open`, of incidents."""

    sales: Sequence[Sale]
    clock: Traveller
    told: Callable[[int], None]
    is_anything_open: Callable[[], bool]
    open: dict[int, Order] = field(default_factory=dict)
    look: datetime | None = None  # the next that is due at a flow which looks unusual
    rung: set[int] = field(default_factory=set)
    begun: int = 0
    ticks: int = 0

    def run(self) -> None:
        events = deque(_events(self.sales))
        at, end = _full(events[0].at, OFTEN), self.sales[-1].began_at + AFTER
        while at <= end:
            while events and events[0].at <= at:
                self._take(events.popleft())
            self._work(at)
            at = self._next(at, events)

    def _take(self, event: Event) -> None:
        sale = self.sales[event.sale]
        self.clock.move_to(event.at.timestamp())
        name = sale.steps[event.step][0]
        if event.step == 0:
            self.open[event.sale] = _placed(sale, name)
            self.begun += 1
        else:
            STEPS[name](self.open[event.sale], event.at)
        if event.step == len(sale.steps) - 1:
            del self.open[event.sale]

    def _work(self, at: datetime) -> None:
        self.clock.move_to(at.timestamp())
        for stage in LOOKING:
            stage(at)
        restless = FlowGauge.objects.filter(score__gt=CALM).values_list("next_at", "alarm")
        self.look = min((next_at for next_at, _ in restless), default=None)
        alarms = {alarm for _, alarm in restless if alarm}
        if alarms - self.rung or (self.is_anything_open() and at == _full(at, HOURLY)):
            tick(at)
        self.rung = alarms
        self.ticks += 1
        self.told(self.begun)

    def _next(self, at: datetime, events: Sequence[Event]) -> datetime:
        following = _full(at + timedelta(microseconds=1), HOURLY)
        while following < at + RARELY and not self._is_moving(events, following):
            following += HOURLY
        return min(following, max(at + OFTEN, _full(self.look, OFTEN))) if self.look else following

    def _is_moving(self, events: Iterable[Event], until: datetime) -> bool:
        coming = takewhile(lambda event: event.at <= until, events)
        names = (self.sales[event.sale].steps[event.step][0] for event in coming)
        return len(list(islice(filter(PAYMENT.__contains__, names), MOVING))) == MOVING


STEPS: dict[str, Callable[[Order, datetime], None]] = {
    "paid": Order.payment_confirmed,
    "handed_over": Order.handed_over,
    "delivered": Order.delivered,
}


def _events(sales: Sequence[Sale]) -> list[Event]:
    return sorted(
        Event(at, number, step) for number, sale in enumerate(sales) for step, (_, at) in enumerate(sale.steps)
    )


def _full(moment: datetime, step: timedelta) -> datetime:
    """The next full hour, or ten minutes."""
    return EPOCH - (EPOCH - moment) // step * step


def _placed(sale: Sale, name: str) -> Order:
    order = Order(
        number=sale.key,
        email=f"{sale.customer}@example.com",
        city=sale.city,
        country="BR",
        payment_provider=sale.method,
        promised_on=sale.promised,
        total=sale.total,
        subtotal=sale.total,
        currency=CURRENCY,
        placed_at=sale.began_at,
    )
    if name == "placed_and_paid":
        order.status, order.payment_status = Order.Status.PROCESSING, Order.PaymentStatus.PAID
        order.paid_at = sale.began_at
    order.save(force_insert=True)
    return order
