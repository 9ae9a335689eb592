"""How the story is told: plain text of at most 100 columns, with colours where a person looks at it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from django.utils import timezone

WIDTH = 100
MARGIN = 18  # "Sat 21 Nov 18:12  "
COLOURS = {"head": "1", "time": "2", "quiet": "2", "bad": "31", "good": "32", "link": "36"}


class PromiseBroken(Exception):
    """What was about to be told did not come true."""


def promise(kept: object, text: str) -> None:
    if not kept:
        raise PromiseBroken(text)


@dataclass
class Teller:
    """Writes to `out`, each line at once, with the shop's local time in front."""

    out: TextIO
    coloured: bool = False
    begun: bool = False

    @classmethod
    def to(cls, out: TextIO, *, plain: bool = False) -> Teller:
        wanted = not plain and not os.environ.get("NO_COLOR")
        return cls(out, wanted and out.isatty())

    def chapter(self, title: str) -> None:
        self._write("\n" * self.begun + self._in("head", title))
        self.begun = True

    def tell(self, text: str, tone: str = "") -> None:
        """What happened now."""
        stamp = f"{timezone.localtime():%a %d %b %H:%M}".ljust(MARGIN)
        for number, line in enumerate(_wrapped(text)):
            front = self._in("time", stamp) if number == 0 else " " * MARGIN
            self._write(front + self._in(tone, line))

    def add(self, text: str, tone: str = "quiet") -> None:
        """More of the same moment."""
        for line in _wrapped(text):
            self._write(" " * MARGIN + self._in(tone, line))

    def quote(self, lines: Sequence[str]) -> None:
        for line in lines:
            for part in textwrap.wrap(line, WIDTH - MARGIN - 2, break_on_hyphens=False) or [""]:
                self._write(" " * MARGIN + self._in("quiet", f"| {part}".rstrip()))

    def say(self, text: str = "", tone: str = "") -> None:
        """Outside of the story: no time in front."""
        for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False) or [""]:
            self._write(self._in(tone, line))

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        widest = max(len(name) for name, _ in rows)
        for name, value in rows:
            first, *more = textwrap.wrap(value, WIDTH - widest - 4, break_on_hyphens=False, break_long_words=False)
            self._write(f"  {self._in('quiet', name.ljust(widest))}  {first}")
            for line in more:
                self._write(" " * (widest + 4) + line)

    def _in(self, tone: str, text: str) -> str:
        return f"\x1b[{COLOURS[tone]}m{text}\x1b[0m" if self.coloured and tone else text

    def _write(self, line: str) -> None:
        self.out.write(line + "\n")
        self.out.flush()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - MARGIN, break_on_hyphens=False, break_long_words=False)


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def long(span: timedelta) -> str:
    """`52 min`, `4 h`, `2 h 5 min`."""
    minutes = round(span.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{rest} min" * bool(rest or not hours)) if part)
