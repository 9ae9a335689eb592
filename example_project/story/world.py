"""The shop while its clock is moved: shoppers come and buy, providers answer, the worker ticks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.test import Client
from django.utils import timezone
from django.utils.text import slugify
from time_machine import Traveller

from example_project.providers.services import process_payments, work
from example_project.shop import baskets
from example_project.shop.checkout import Buyer, place_order
from example_project.shop.models import Basket, Order, Product
from example_project.shop.samples import HOURS, REGIONS
from example_project.story.telling import promise
from statusbreaks.maintenance.middleware import STATUS
from statusbreaks.pipeline import tick

OFTEN = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
SELDOM = timedelta(hours=2)


@dataclass
class World:
    """`per_day`: how many shoppers come in a day."""

    clock: Traveller
    shelf: list[Product]
    per_day: float
    dice: Random = field(default_factory=lambda: Random("demo"))
    coming: deque[datetime] = field(default_factory=deque)
    known_until: datetime = field(default_factory=timezone.now)
    parcels_at: datetime = field(default_factory=timezone.now)
    turned_away: int = 0
    ticks: int = 0

    def live(self, until: datetime, step: timedelta = OFTEN) -> None:
        """Let time pass: shoppers come at their times, and after each step the worker has a round."""
        while timezone.now() < until:
            target = min(timezone.now() + step, until)
            for at in self._arrivals(target):
                self.clock.move_to(at)
                self._shop()
            self.clock.move_to(target)
            self.round()

    def round(self) -> dict[str, int | None]:
        """What the worker does each time: the shop's own work, then a tick. Returns what the tick did."""
        now = timezone.now()
        if now >= self.parcels_at:  # they move in hours; to look at each of them every few minutes would take long
            self.parcels_at = now + SELDOM
            work(now)
        else:
            process_payments(now)
        done = tick(now)
        self.ticks += 1
        promise(None not in done.values(), f"a stage of the tick stopped: {done}")
        return done

    def _arrivals(self, until: datetime) -> Iterator[datetime]:
        while self.known_until <= until:
            hour = timezone.localtime(self.known_until).hour
            expected = self.per_day * HOURS[hour] / sum(HOURS)
            count = int(expected) + (self.dice.random() < expected % 1)
            self.coming += sorted(self.known_until + timedelta(seconds=self.dice.randrange(3600)) for _ in range(count))
            self.known_until += HOURLY
        while self.coming and self.coming[0] <= until:
            yield self.coming.popleft()

    def _shop(self) -> None:
        if STATUS.is_open("checkout"):
            self.buy(self._somebody())
        else:
            self._be_turned_away()

    def buy(self, buyer: Buyer) -> Order:
        """An order by the shop's own checkout code."""
        basket = Basket.objects.create()
        for product in self.dice.sample(self.shelf, self.dice.choices((1, 2, 3), (5, 3, 2))[0]):
            baskets.add(basket, product, self.dice.choices((1, 2), (4, 1))[0])
        order = place_order(basket, buyer, timezone.now())
        basket.delete()
        return order

    def _be_turned_away(self) -> None:
        visitor = visitor_client()
        choose(visitor, self.dice.choice(self.shelf))
        answer = visitor.get("/checkout/")
        promise(answer.status_code == 503, f"the checkout is closed, and yet it answered {answer.status_code}")
        self.turned_away += 1

    def _somebody(self) -> Buyer:
        """An invented person."""
        region = self.dice.choices(REGIONS, [region.share for region in REGIONS])[0]
        first, last = self.dice.choice(region.first), self.dice.choice(region.last)
        postcode, city = self.dice.choice(region.towns)
        return Buyer(
            email=f"{slugify(first)}.{slugify(last)}.{self.dice.randrange(1000, 10000)}@example.com",
            name=f"{first} {last}",
            phone="",
            language=region.language,
            street=f"{self.dice.choice(region.streets)} {self.dice.randrange(1, 90)}",
            postcode=postcode,
            city=city,
            country=region.country,
            payment_method="card" if self.dice.random() < 0.85 else "transfer",
            carrier=self.dice.choice(["swift", "harbour"]),
            accepts_marketing=self.dice.random() < 0.3,
        )


def visitor_client() -> Client:
    """A browser, as far as the shop can tell: requests go through all of its middleware."""
    return Client(SERVER_NAME="localhost", headers={"accept": "text/html", "accept-language": "en"})


def choose(client: Client, product: Product, quantity: int = 1) -> None:
    answer = client.post(f"{product.get_absolute_url()}add/", {"quantity": quantity})
    promise(answer.status_code == 302, f"{product} could not be put into the basket: {answer.status_code}")
