"""A shop that has been open for weeks: products, staff, customers, and orders that came and went as orders do.

The same arguments make the same shop. Orders are made and moved by the model's own methods, in the order of time,
so whatever listens to them learns this history as it would have lived it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.timezone import localtime

from example_project.providers.services import sign_contracts
from example_project.providers.timing import Course
from example_project.shop import values
from example_project.shop.models import Order, OrderLine, Product
from example_project.shop.samples import HOURS, PRODUCTS, REGIONS, Region

Clock = Callable[[datetime], None]
STAFF, CUSTOMER = "staff@example.com", "zofia.nowak@example.com"
DECLINED = 0.02  # share of card payments that the bank refuses


@dataclass(frozen=True)
class Seeded:
    """Who can sign in with `password`, and how much history there is."""

    staff: User
    customer: User
    password: str
    orders: int


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    phone: str
    region: Region
    user: User | None = None


@dataclass(frozen=True)
class Event:
    """At this time this order takes this step; `placed` makes it."""

    at: datetime
    step: str
    order: Order


def seed(
    *,
    now: datetime,
    products: int = len(PRODUCTS),
    history_days: int = 21,
    orders_per_day: float = 40,
    clock: Clock = lambda at: None,
    password: str = "",
) -> Seeded:
    """Fill an empty shop. `clock` is told each moment of the history before it happens, oldest first."""
    dice = Random(f"{products} {history_days} {orders_per_day}")
    password = password or get_random_string(12)
    with transaction.atomic():
        sign_contracts()
        shelf = stock_shelves(products)
        staff, customer = _accounts(password)
        people = _people(dice, customer, max(20, int(orders_per_day * history_days / 2)))
        times = _arrivals(dice, now, history_days, orders_per_day)
        numbers = dice.sample(range(100_000, 1_000_000), len(times))
        orders = [_order(dice, f"KT-{n}", at, dice.choice(people)) for n, at in zip(numbers, times, strict=True)]
        lines = [line for order in orders for line in _lines(dice, order, shelf)]
        live(orders, now, clock)
        OrderLine.objects.bulk_create(lines)
    return Seeded(staff, customer, password, len(orders))


def stock_shelves(products: int = len(PRODUCTS)) -> list[Product]:
    """The first so many of the samples, as products with enough in stock."""
    return [
        Product.objects.get_or_create(
            slug=slugify(sample.name), defaults={**vars(sample), "stock": 60 if sample.price > 40 else 250}
        )[0]
        for sample in PRODUCTS[:products]
    ]


def live(orders: Iterable[Order], now: datetime, clock: Clock = lambda at: None) -> None:
    """Let orders that are not saved yet happen up to now, each step at its time, all of them in one line."""
    happened = (event for order in orders for event in _course(order) if event.at <= now)
    for event in sorted(happened, key=lambda event: event.at):
        clock(event.at)
        if event.step == "placed":
            event.order.save(force_insert=True)
        else:
            event.order.take(event.step, event.at)


def _course(order: Order) -> list[Event]:
    """What becomes of the order while every provider works: just what `work` would do as time goes on."""
    course = Course(order.number, order.payment_provider, order.carrier)
    paid = order.placed_at + course.confirmed_after()
    packed = paid + course.packed_after()
    placed = Event(order.placed_at, "placed", order)
    if order.payment_method == Order.Method.CARD and Random(order.number).random() < DECLINED:
        return [placed, Event(paid, "payment_failed", order)]
    return [
        placed,
        Event(paid, "payment_confirmed", order),
        Event(packed, "handed_over", order),
        Event(packed + course.scanned_after(), "moved_on", order),
        Event(packed + course.delivered_after(), "delivered", order),
    ]


def _accounts(password: str) -> tuple[User, User]:
    """Somebody on the staff and a customer. Hashing is slow on purpose, so it is done once for both."""
    kept = make_password(password)
    staff = {"password": kept, "email": STAFF, "first_name": "Iga", "is_staff": True, "is_superuser": True}
    customer = {"password": kept, "email": CUSTOMER, "first_name": "Zofia", "last_name": "Nowak"}
    return (
        User.objects.update_or_create(username=STAFF, defaults=staff)[0],
        User.objects.update_or_create(username=CUSTOMER, defaults=customer)[0],
    )


def _people(dice: Random, customer: User, count: int) -> list[Person]:
    """Invented people; every third has an account."""
    people = [_person(dice, place) for place in range(count)]
    users = User.objects.bulk_create(
        User(username=person.email, email=person.email, password=make_password(None)) for person in people[::3]
    )
    people[::3] = [replace(person, user=user) for person, user in zip(people[::3], users, strict=True)]
    return [Person("Zofia Nowak", CUSTOMER, "+48 600 000 001", REGIONS[0], user=customer), *people]


def _person(dice: Random, place: int) -> Person:
    region = dice.choices(REGIONS, [region.share for region in REGIONS])[0]
    first, last = dice.choice(region.first), dice.choice(region.last)
    phone = f"{region.prefix} {dice.randrange(100_000, 1_000_000)}" if dice.random() < 0.6 else ""
    return Person(f"{first} {last}", f"{slugify(first)}.{slugify(last)}.{place}@example.com", phone, region)


def _arrivals(dice: Random, now: datetime, days: int, per_day: float) -> list[datetime]:
    """When orders come in: few at night, most in the evening."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    times = []
    for _ in range(int(days * per_day)):
        hour = dice.choices(range(24), HOURS)[0]
        at = midnight + timedelta(days=-dice.randrange(days), hours=hour, seconds=dice.randrange(3600))
        times.append(at if at <= now else at - timedelta(days=days))
    return sorted(times)


def _order(dice: Random, number: str, at: datetime, person: Person) -> Order:
    region = person.region
    postcode, city = dice.choice(region.towns)
    method = Order.Method.CARD if dice.random() < 0.8 else Order.Method.TRANSFER
    carrier = Order.Carrier.SWIFT if dice.random() < 0.6 else Order.Carrier.HARBOUR
    authorised = method == Order.Method.CARD
    return Order(
        number=number,
        user=person.user,
        email=person.email,
        phone=person.phone,
        language=region.language,
        accepts_marketing=dice.random() < 0.3,
        name=person.name,
        street=f"{dice.choice(region.streets)} {dice.randrange(1, 90)}",
        postcode=postcode,
        city=city,
        country=region.country,
        payment_method=method,
        payment_provider=values.PAYMENT_PROVIDERS[method],
        payment_status=Order.PaymentStatus.AUTHORISED if authorised else Order.PaymentStatus.PENDING,
        carrier=carrier,
        shipping=values.CARRIERS[carrier].fee,
        placed_at=at,
        promised_on=values.promised_on(localtime(at).date(), carrier),
    )


def _lines(dice: Random, order: Order, shelf: Sequence[Product]) -> list[OrderLine]:
    """One to three products; the order's sums follow from them."""
    chosen = dice.sample(shelf, min(len(shelf), dice.choices((1, 2, 3), (5, 3, 2))[0]))
    lines = [
        OrderLine(order=order, product=product, name=product.name, price=product.price, quantity=dice.randint(1, 2))
        for product in chosen
    ]
    order.subtotal = sum((line.total for line in lines), Decimal(0))
    order.total = order.subtotal + order.shipping
    return lines
