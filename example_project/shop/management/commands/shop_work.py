"""The shop's own work: payments are answered, parcels packed and moved."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from example_project.providers.services import work


class Command(BaseCommand):
    help = "Does what is due in the shop: answers payments, packs and moves parcels."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until stopped")
        parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="pause between two rounds")

    def handle(self, *args: Any, loop: bool, every: float, **options: Any) -> None:
        self._round()
        try:
            while loop:
                time.sleep(every)
                self._round()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _round(self) -> None:
        moved = work(timezone.now())
        if moved:
            self.stdout.write(f"{timezone.localtime():%H:%M:%S} {moved} orders went on")
