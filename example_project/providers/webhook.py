"""How a payment provider tells the shop what became of a payment: a signed message, here and over HTTP alike."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from example_project.shop import fulfilment
from example_project.shop.models import Order, WrongMove

# Older messages are refused: a stolen one cannot be sent again later.
MAX_AGE = timedelta(minutes=5)
STEPS = {
    "payment.authorised": "payment_authorised",
    "payment.confirmed": "payment_confirmed",
    "payment.failed": "payment_failed",
}


class BadSignature(Exception):
    """Not signed by the provider, or too long ago."""


class BadMessage(Exception):
    """Signed, and yet not understood. Sending it again does not help."""


def sign(body: bytes, secret: str, at: datetime) -> str:
    """`t=<unix time>,v1=<HMAC-SHA256 of "time.body" in hex>`, as the large providers do it."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_digest(body, secret, stamp)}"


def _digest(body: bytes, secret: str, stamp: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(body: bytes, signature: str, secret: str, at: datetime) -> None:
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise BadSignature("The signature has no time.")
    if not hmac.compare_digest(_digest(body, secret, stamp).encode(), given.encode()):
        raise BadSignature("The signature does not fit the body.")
    if abs(at.timestamp() - int(stamp)) > MAX_AGE.total_seconds():
        raise BadSignature("The message is too old.")


def message(order: Order, event: str) -> bytes:
    return json.dumps({"event": event, "order": order.number}).encode()


def receive(body: bytes, signature: str, secret: str, at: datetime) -> bool:
    """Do what the message says. True if the order changed; a message that comes twice changes nothing.

    Raises BadSignature or BadMessage.
    """
    verify(body, signature, secret, at)
    event, number = _read(body)
    order = Order.objects.with_number(number)
    if order is None:
        raise BadMessage(f"order: there is no order {number!r}.")
    try:
        fulfilment.go_on(order.pk, STEPS[event], at)
    except WrongMove:
        return False
    return True


def _read(body: bytes) -> tuple[str, str]:
    try:
        content: Any = json.loads(body)
    except ValueError:
        raise BadMessage("The body is not JSON.") from None
    if not isinstance(content, dict) or not isinstance(content.get("order"), str):
        raise BadMessage("order: must be the number of an order.")
    event = content.get("event")
    if not isinstance(event, str) or event not in STEPS:
        raise BadMessage(f"event: must be one of {', '.join(STEPS)}.")
    return event, content["order"]
