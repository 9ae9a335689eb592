"""`manage.py statusbreaks_prune --older-than 400d`: what is long over is dropped."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from statusbreaks.management.progress import Progress
from statusbreaks.pruning import Rows, drop, outdated

UNITS = {"d": "days", "w": "weeks"}
LONGEST = 36_500  # days


class Command(BaseCommand):
    help = "Drops status changes, ended watches, healed breaks and messages that are long over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", required=True, metavar="AGE", help="in days or weeks: 400d, 60w")
        parser.add_argument("--dry-run", action="store_true", help="say what would be dropped, and drop nothing")

    def handle(self, *args: Any, older_than: str, dry_run: bool, **options: Any) -> None:
        rows = outdated(timezone.now() - _age(older_than))
        counts = {name: each.count() for name, each in rows.items()}
        if not dry_run:
            counts = self._drop(rows, sum(counts.values()))
        for name, count in counts.items():
            self.stdout.write(f"{count:>9,} {name} {'would be dropped' if dry_run else 'dropped'}")

    def _drop(self, rows: Rows, total: int) -> dict[str, int]:
        progress = Progress(self.stderr, total)
        dropped = {name: drop(each, progress.advance) for name, each in rows.items()}
        progress.end()
        return dropped


def _age(said: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([dw])", said.strip())
    age = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
    if not 1 <= age.days <= LONGEST:
        raise CommandError(f"--older-than takes an age in days or weeks, such as 400d or 60w, not {said!r}.")
    return age
