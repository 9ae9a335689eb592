"""`manage.py demo`: a disruption from the first silence to the last rating; then the shop on localhost."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import override_settings

from example_project.replay import replay
from example_project.shop.seed import Seeded
from example_project.story import after, database, play
from example_project.story.serving import free_port, serve
from example_project.story.telling import PromiseBroken, Teller


def existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is not a file")
    return path


class Command(BaseCommand):
    help = "Tells what statusbreaks does, on the example shop; then serves that shop on localhost."
    requires_system_checks = ()  # `check` does that; here the first line should come at once

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="end after the story")
        parser.add_argument("--port", type=int, metavar="N", help="where to serve (8000, or the next that is free)")
        parser.add_argument("--orders", type=existing_file, metavar="FILE.csv", help="replay these orders instead")
        parser.add_argument("--known", type=existing_file, metavar="FILE.json", help="outages known to be in them")

    def handle(self, *args: Any, no_serve: bool, port: int | None, **options: Any) -> None:
        if options["known"] and not options["orders"]:
            raise CommandError("--known goes with --orders.", returncode=2)
        out = cast(TextIO, self.stdout)
        teller = Teller.to(out, plain=options["no_color"])
        port = None if no_serve else free_port(port)
        if options["orders"]:
            replay(options["orders"], options["known"], out)
            if no_serve:
                return
        with database.alone(), _at(port):
            seeded = self._play(teller, play.stock if options["orders"] else play.tell)
            if port is not None:
                serve(port, ready=lambda: after.invite(teller, seeded))
                teller.say("Stopped.")

    def _play(self, teller: Teller, piece: Callable[[Teller], Seeded]) -> Seeded:
        after.refuse_other_workers()
        database.refuse_what_is_not_ours()
        try:
            return piece(teller)
        except PromiseBroken as broken:
            raise CommandError(f"The story did not come true: {broken}.") from broken


def _at(port: int | None) -> override_settings:
    """Links lead to where the shop is served, unless BASE_URL says that it is reached in another way."""
    base = settings.BASE_URL if port is None or os.environ.get("BASE_URL") else f"http://localhost:{port}"
    return override_settings(BASE_URL=base, STATUSBREAKS={**settings.STATUSBREAKS, "BASE_URL": base})
