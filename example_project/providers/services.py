"""The shop's own work, as time goes on: payments are answered, parcels packed and moved."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings

from example_project.providers import webhook
from example_project.providers.models import Provider
from example_project.providers.timing import Course
from example_project.shop import fulfilment
from example_project.shop.models import Order, WrongMove

PROVIDERS = (
    ("paywell", "Paywell Cards", Provider.Kind.PAYMENT),
    ("giro", "Giro Transfer", Provider.Kind.PAYMENT),
    ("swift", "Swift Post", Provider.Kind.CARRIER),
    ("harbour", "Harbour Parcels", Provider.Kind.CARRIER),
)


def sign_contracts() -> None:
    """Make the two payment providers and two carriers that are not there yet."""
    for code, name, kind in PROVIDERS:
        Provider.objects.get_or_create(code=code, defaults={"name": name, "kind": kind})


def work(now: datetime) -> int:
    """Everything that is due. Returns how many orders went on."""
    return process_payments(now) + pack(now) + move_parcels(now)


def process_payments(now: datetime) -> int:
    """Payments that are due are answered, through the webhook. What a stalled provider held back comes at its
    recovery, all at once."""
    return sum(_answer(provider, now) for provider in Provider.objects.payment().answering())


def _answer(provider: Provider, now: datetime) -> int:
    event = "payment.confirmed" if provider.working else "payment.failed"
    waiting = Order.objects.awaiting_payment(provider.code)
    due = (order for order in waiting if order.placed_at + course(order).confirmed_after() <= now)
    return sum(_send(webhook.message(order, event), now) for order in due)


def _send(body: bytes, now: datetime) -> bool:
    secret = settings.PAYMENTS_WEBHOOK_SECRET
    return webhook.receive(body, webhook.sign(body, secret, now), secret, now)


def pack(now: datetime) -> int:
    """Paid orders leave the warehouse, unless their carrier fetches nothing."""
    idle = set(Provider.objects.carriers().stalled().codes())
    orders = (order for order in Order.objects.to_pack() if order.carrier not in idle)
    return _step(orders, "handed_over", now, lambda order: _since(order.paid_at, course(order).packed_after()))


def move_parcels(now: datetime) -> int:
    """Parcels get on. A carrier that refuses brings them back instead."""
    return sum(_move(carrier, now) for carrier in Provider.objects.carriers().answering())


def _move(carrier: Provider, now: datetime) -> int:
    last = "delivered" if carrier.working else "returned"
    parcels = list(Order.objects.on_the_way(carrier.code))
    handed_over = [order for order in parcels if order.delivery_status == Order.DeliveryStatus.HANDED_OVER]
    scanned = _step(handed_over, "moved_on", now, lambda order: _since(order.shipped_at, course(order).scanned_after()))
    return scanned + _step(parcels, last, now, lambda order: _since(order.shipped_at, course(order).delivered_after()))


def _since(moment: datetime | None, delay: timedelta) -> datetime | None:
    return moment + delay if moment else None


def _step(orders: Iterable[Order], step: str, now: datetime, due: Callable[[Order], datetime | None]) -> int:
    ready = (order for order in orders if (moment := due(order)) and moment <= now)
    return sum(_go_on(order, step, now) for order in ready)


def _go_on(order: Order, step: str, now: datetime) -> bool:
    try:
        fulfilment.go_on(order.pk, step, now)
    except WrongMove:  # somebody on the staff was faster
        return False
    return True


def course(order: Order) -> Course:
    return Course(order.number, order.payment_provider, order.carrier, settings.SHOP_PACE)
