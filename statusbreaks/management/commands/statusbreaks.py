"""`manage.py statusbreaks close | open | status`: the shop's state from a shell, read back after each change."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from statusbreaks.exceptions import StateUnreadable, StatusBreaksError
from statusbreaks.maintenance import services
from statusbreaks.maintenance.models import Closing
from statusbreaks.maintenance.scopes import SITE
from statusbreaks.maintenance.state import OPEN, Lease, Snapshot
from statusbreaks.maintenance.store import load, state_dir


class Command(BaseCommand):
    help = "Closes the shop or a part of it, opens it, or tells how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        close = verbs.add_parser("close", help="close the shop or a part of it")
        close.add_argument(
            "--scope", default=SITE, help="site, storefront, checkout, account, writes, api, or your own"
        )
        close.add_argument("--reason", default="", help="why, for the record; shoppers do not see it")
        close.add_argument("--minutes", type=int, help="expected to take so long; shoppers are told")
        close.add_argument("--at-most", type=int, default=24 * 60, metavar="MINUTES", help="open by itself after this")
        reopen = verbs.add_parser("open", help="end the closings that run")
        reopen.add_argument("--scope", default="", help="only those of this part of the shop")
        status = verbs.add_parser("status", help="what shoppers meet now, as the state file says")
        status.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**options)
        except StatusBreaksError as error:
            raise CommandError(str(error)) from error

    def _close(self, *, scope: str, reason: str, minutes: int | None, at_most: int, **_: Any) -> None:
        if at_most < 1 or (minutes is not None and minutes < 1):
            raise CommandError("--minutes and --at-most take a number of minutes above 0.")
        now = timezone.now()
        expected = now + timedelta(minutes=minutes) if minutes else None
        # A closing that opens before it is expected to would break its word.
        longest = timedelta(minutes=max(at_most, minutes or 0))
        closing = services.close_shop(scope=scope, reason=reason, expected_open_at=expected, at_most=longest)
        self._read_back([closing])
        self.stdout.write(f"Closed: {scope}, until it is opened, at the latest {closing.ends_at:%Y-%m-%d %H:%M %Z}.")

    def _open(self, *, scope: str, **_: Any) -> None:
        running = [each for each in Closing.objects.unended() if each.is_running(timezone.now())]
        closings = [closing for closing in running if scope in ("", closing.scope)]
        for closing in closings:
            services.open_shop(closing)
        if not closings:
            services.publish(timezone.now())
        self._read_back(closings)
        left = sorted({closing.scope for closing in running if closing not in closings})
        self.stdout.write(f"Opened: {', '.join(closing.scope for closing in closings) or 'nothing was closed'}.")
        if left:
            self.stdout.write(f"Still closed: {', '.join(left)}.")

    def _read_back(self, closings: list[Closing]) -> None:
        if not all(services.is_shown(closing) for closing in closings):
            raise CommandError(
                "It was recorded, but the state file does not say so: shoppers see no change. See the log."
            )

    def _status(self, *, json: bool, **_: Any) -> None:
        told = _told(_snapshot())
        self.stdout.write(_as_json(told) if json else _as_text(told))


def _snapshot() -> Snapshot:
    directory = state_dir()
    try:
        return (load(directory) if directory else None) or OPEN
    except StateUnreadable as error:
        raise CommandError(f"The state cannot be read: {error}. Processes keep what they knew.") from error


def _told(snapshot: Snapshot) -> dict[str, Any]:
    now = timezone.now()
    running = snapshot.running(now)
    return {
        "state": "closed" if running else "open",
        "closed": sorted({lease.scope for lease in running}),
        "version": snapshot.version,
        "published_at": snapshot.published_at.isoformat() if snapshot.version else None,
        "closings": [_closing(lease) for lease in running],
        "planned": [_closing(lease) for lease in snapshot.leases if lease.begins_at > now],
    }


def _closing(lease: Lease) -> dict[str, Any]:
    return {
        "id": lease.id,
        "scope": lease.scope,
        "begins_at": lease.begins_at.isoformat(),
        "expected_open_at": lease.expected_open_at.isoformat() if lease.expected_open_at else None,
        "ends_at": lease.ends_at.isoformat(),
        "incident": lease.reference or None,
    }


def _as_json(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=2)


def _as_text(told: dict[str, Any]) -> str:
    lines = [f"The shop is open, but for: {', '.join(told['closed'])}." if told["closed"] else "The shop is open."]
    if SITE in told["closed"]:
        lines = ["The shop is closed."]
    lines += [f"  {_line(each)}" for each in told["closings"]]
    lines += [f"  planned: {_line(each)}" for each in told["planned"]]
    return "\n".join(lines)


def _line(closing: dict[str, Any]) -> str:
    return f"{closing['scope']} from {closing['begins_at']}, at the latest until {closing['ends_at']}"
