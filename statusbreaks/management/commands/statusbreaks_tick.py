"""`manage.py statusbreaks_tick [--loop] [--every SECONDS]`: the worker, for those without Celery."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from statusbreaks.pipeline import tick


class Command(BaseCommand):
    help = "Runs every stage once: watch, group, announce, deliver, … Run it each minute, or with --loop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until stopped (Ctrl-C or SIGTERM)")
        parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="pause in the loop (10)")

    def handle(self, *args: Any, loop: bool, every: float, **options: Any) -> None:
        if every <= 0:
            raise CommandError("--every takes a number of seconds above 0.")
        if not loop:
            self._once()
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        self.stdout.write(f"Ticking every {every:g} s. Stop with Ctrl-C.")
        while not stopped.is_set():
            close_old_connections()  # else one that the server cut would stay broken for ever
            done = tick()
            if any(done.values()):
                self._report(done)
            stopped.wait(every)

    def _once(self) -> None:
        failed = self._report(tick())
        if failed:
            raise CommandError(f"These stages stopped: {', '.join(failed)}. The log says why; the next tick goes on.")

    def _report(self, done: dict[str, int | None]) -> list[str]:
        worked = ", ".join(f"{name} {count}" for name, count in done.items() if count)
        self.stdout.write(worked or "nothing to do")
        return [name for name, count in done.items() if count is None]
