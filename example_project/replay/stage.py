"""The stage for the play: a database of its own in memory, a folder of its own, no mail; and the staff's plan."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_save
from django.test import override_settings

from example_project.shop.models import Order
from statusbreaks.coupons.models import CouponPolicy
from statusbreaks.flows.services import record
from statusbreaks.incidents.models import Playbook, PlaybookText
from statusbreaks.shop.port import watch_shop

CURRENCY = "BRL"
# What is known of such orders is known of their payments; to watch all three flows takes half as long again.
FLOWS = ("payment",)
OPTIONS = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF;"}
NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"


@contextmanager
def set_up() -> Iterator[None]:
    """Nothing that happens inside touches the shop's own database, files or mail."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replay-")))
        stack.enter_context(_watching(_settings(folder)))
        stack.enter_context(_database_in_memory())
        call_command("migrate", verbosity=0, interactive=False)
        _plan()
        yield


def _settings(folder: Path) -> dict[str, Any]:
    mail: dict[str, Any] = {"EMAIL_BACKEND": NO_MAIL}
    if django.VERSION >= (6, 1):
        mail = {"MAILERS": {"default": {"BACKEND": NO_MAIL}}}
    watched: Any = settings.STATUSBREAKS
    orders = watched["ORDERS"]
    flows = {name: paths for name, paths in orders["FLOWS"].items() if name in FLOWS}
    own = {"STATE_DIR": folder, "CURRENCY": CURRENCY, "ORDERS": {**orders, "FLOWS": flows}}
    return {"STATUSBREAKS": {**watched, **own}, **mail}


@contextmanager
def _watching(values: dict[str, Any]) -> Iterator[None]:
    """With these settings, and the shop's orders watched by them; then as it was before."""
    try:
        with override_settings(**values):
            _watch_anew()
            yield
    finally:
        _watch_anew()


def _watch_anew() -> None:
    post_save.disconnect(sender=Order, dispatch_uid=f"statusbreaks.{Order._meta.label}")
    watch_shop(record)


@contextmanager
def _database_in_memory() -> Iterator[None]:
    alias = DEFAULT_DB_ALIAS
    before, held = connections.settings[alias], connections[alias]
    own = {alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": OPTIONS}}
    connections.settings[alias] = connections.configure_settings(own)[alias]
    connections[alias] = connections.create_connection(alias)
    try:
        yield
    finally:
        connections[alias].close()
        connections.settings[alias] = before
        connections[alias] = held


def _plan() -> None:
    """What this shop's staff would have prepared."""
    plan = Playbook.objects.create(
        name="Payments are not confirmed", flow="payment", publishes=True, resolves_after=timedelta(hours=2)
    )
    PlaybookText.objects.create(
        playbook=plan,
        event=PlaybookText.Event.OPENED,
        language="en",
        headline="Payments take longer than usual",
        body="Your order is safe. Please do not pay again; we write to you as soon as your payment is confirmed.",
    )
    PlaybookText.objects.create(
        playbook=plan,
        event=PlaybookText.Event.RESOLVED,
        language="en",
        headline="Payments are confirmed again",
        body="Thank you for your patience.",
    )
    CouponPolicy.objects.create(
        name="For having waited", playbook=plan, value=Decimal(10), currency=CURRENCY, budget=Decimal(1000)
    )
