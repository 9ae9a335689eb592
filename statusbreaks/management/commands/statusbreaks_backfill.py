"""`manage.py statusbreaks_backfill`: orders from before the installation are watched, too."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from statusbreaks.flows.backfill import TakeOver, place_of, take_over
from statusbreaks.management.progress import Progress
from statusbreaks.shop.port import current_shop


class Command(BaseCommand):
    help = "Takes over the orders that existed before. Stop it at any time: the next run goes on there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=TakeOver.batch, help="orders in one transaction (5000)")
        parser.add_argument("--since", metavar="DATE", help="only orders placed on this day or later, as 2026-03-31")
        parser.add_argument("--judge", action="store_true", help="what is overdue already is a status break, too")
        parser.add_argument("--dry-run", action="store_true", help="say what would be added, and add nothing")
        parser.add_argument("--no-input", action="store_true", help="for scripts; nothing is ever asked")

    def handle(self, *args: Any, batch: int, since: str | None, judge: bool, dry_run: bool, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch takes a number of orders above 0.")
        plan = TakeOver(batch, _day(since) if since else None, judge, not dry_run)
        total = current_shop().count_orders(plan.since)
        if total is None:
            raise CommandError(_not_listed(plan))
        if place := place_of(plan):
            self.stdout.write(f"Going on after the order {place}, where an earlier run was stopped.")
        orders, watches = self._run(plan, total)
        said = "would be added" if dry_run else "added"
        self.stdout.write(f"{orders:,} orders looked at, {watches:,} watches {said}.")

    def _run(self, plan: TakeOver, total: int) -> tuple[int, int]:
        progress, watches = Progress(self.stderr, total), 0
        for taken in take_over(plan, timezone.now()):
            watches += taken.watches
            progress.advance(taken.orders)
        progress.end()
        return progress.done, watches


def _day(said: str) -> datetime:
    try:
        return timezone.make_aware(datetime.combine(date.fromisoformat(said), time.min))
    except ValueError as error:
        raise CommandError(f"--since takes a day such as 2026-03-31, not {said!r}.") from error


def _not_listed(plan: TakeOver) -> str:
    if plan.since and current_shop().count_orders() is not None:
        return "--since needs to know when an order was placed: name the column in STATUSBREAKS['ORDERS']['PLACED_AT']."
    return "There are no orders to list: STATUSBREAKS['ORDERS'] names no MODEL, or your adapter lists none."
