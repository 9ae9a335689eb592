"""The words between the shop and us, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

SHOP = "shop"  # the source of the shop's own orders, in the same process


class Flow(models.TextChoices):
    """One status line of an order."""

    ORDER = "order", _("order")
    PAYMENT = "payment", _("payment")
    DELIVERY = "delivery", _("delivery")


@dataclass(frozen=True)
class StatusEvent:
    """An order's flow was seen in a status. An empty `status` means only: look at this order."""

    order_key: str
    flow: str
    status: str
    occurred_at: datetime
    source: str = SHOP
    order_number: str = ""
    segment: str = ""
    via: str = "signal"
    event_id: str | None = None


@dataclass(frozen=True)
class Customer:
    """Whom an order belongs to, read when it is needed and never kept by us."""

    user_id: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str = ""
    accepts_marketing: bool = False

    @property
    def identity(self) -> str:
        """The same for all orders of one person, and no personal data: a user's key, or the hash of an address."""
        if self.user_id:
            return f"user:{self.user_id}"
        contact = (self.email or self.phone).strip().lower()
        return "contact:" + hashlib.sha256(contact.encode()).hexdigest()[:40] if contact else ""


@dataclass(frozen=True)
class Person:
    """A customer as we may hold them: as users, by addresses in lower case, by identities, and by phone numbers."""

    users: tuple[Any, ...]
    contacts: frozenset[str]
    identities: frozenset[str]
    phones: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """An order that is new or was changed. `mark` is the place in the shop's list to go on from."""

    key: str
    mark: str


@dataclass(frozen=True)
class OrderFacts:
    """What the shop knows of one order now. `value` in units of `currency`; `statuses` and `segments` by flow."""

    key: str
    number: str
    statuses: Mapping[str, str]
    segments: Mapping[str, str] = field(default_factory=dict)
    placed_at: datetime | None = None
    modified_at: datetime | None = None
    promised_at: datetime | None = None
    value: Decimal | None = None
    currency: str = ""
    customer: Customer = field(default_factory=Customer)
    cancelled: bool = False
