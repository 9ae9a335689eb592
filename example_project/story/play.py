"""The whole story, from an empty database to now."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from unittest.mock import patch

import time_machine
from django.utils import timezone
from time_machine import Traveller

from example_project.shop import checkout
from example_project.shop.models import Product
from example_project.shop.seed import Seeded, seed
from example_project.story import acts, database, ending, scene
from example_project.story.telling import Teller, plural
from example_project.story.world import World
from statusbreaks.pipeline import tick

# Local times: an evening has the most shoppers, and all of it is over when today begins.
BEGINS, FAILS, NEXT_EVENING = 16, 18, 19
PAST = timedelta(days=2)
BUSY, CALM = 300.0, 40.0  # shoppers a day


def tell(teller: Teller) -> Seeded:
    """Tell it all. Raises PromiseBroken where a step does not come true. Afterwards the clock is right again."""
    today = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    begins = (today - timedelta(days=2)).replace(hour=BEGINS)
    with _moved_to(begins - PAST) as clock:
        seeded = _a_past(teller, clock, begins)
        world = World(clock, list(Product.objects.order_by("pk")), BUSY)
        story = acts.Story(teller, world, seeded.staff, seeded.customer, failing_since=begins.replace(hour=FAILS))
        story.browser.force_login(seeded.customer)
        _act(story, (begins + timedelta(days=1)).replace(hour=NEXT_EVENING))
    return seeded


def stock(teller: Teller) -> Seeded:
    """The shop as it is on any day, without the story."""
    now = timezone.now()
    with _moved_to(now - PAST) as clock:
        return _a_past(teller, clock, now)


def _a_past(teller: Teller, clock: Traveller, now: datetime) -> Seeded:
    """Two days of trade, on an empty database."""
    teller.chapter("A new shop")
    teller.tell("Kettle & Thread opens: tea, kettles and yarn. statusbreaks watches its orders.")
    began = time.perf_counter()
    database.make_fresh()
    teller.add(f"A fresh database: {database.name()} ({time.perf_counter() - began:.1f} s)")
    scene.set_up()
    seeded = seed(now=now, history_days=PAST.days, orders_per_day=BUSY, clock=clock.move_to)
    clock.move_to(now)
    tick(now)
    teller.tell(f"{plural(seeded.orders, 'order')} later it knows how long things take here.")
    return seeded


def _act(story: acts.Story, next_evening: datetime) -> None:
    for act in (
        acts.a_normal_afternoon,
        acts.the_provider_falls_silent,
        acts.the_app_notices,
        acts.the_checkout_closes,
        acts.the_customers_are_told,
        acts.staff_find_the_cause,
        acts.the_provider_recovers,
        ending.goodwill,
    ):
        act(story)
    story.world.per_day = CALM
    ending.the_next_day(story, next_evening)
    ending.until_now(story, _really_now())
    ending.sum_up(story)


def _really_now() -> datetime:
    return time_machine.escape_hatch.datetime.datetime.now(tz=UTC)


@contextmanager
def _moved_to(begins: datetime) -> Iterator[Traveller]:
    with time_machine.travel(begins, tick=False) as clock, _quiet(), _repeatable():
        yield clock


@contextmanager
def _repeatable() -> Iterator[None]:
    """How long a payment or a parcel takes follows from the order's number: the same numbers, the same story."""
    dice = Random("story")
    with patch.object(checkout, "new_number", lambda: f"KT-{dice.randrange(100_000, 1_000_000)}"):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """A closed shop answers 503 and a used code 409, on purpose: the log need not repeat what the story tells."""
    loggers = [logging.getLogger(name) for name in ("django.request", "statusbreaks")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
