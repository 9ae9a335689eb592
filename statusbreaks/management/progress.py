"""How far a long command has come, for whoever looks at a terminal; a pipe or a log gets nothing."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from django.core.management.base import OutputWrapper

WIDTH = 30
PAUSE = 0.2  # seconds between two drawings


class Progress:
    """A bar with the time that is left, as long as `total` rows take."""

    def __init__(self, stream: OutputWrapper, total: int) -> None:
        self.stream, self.total, self.done = stream, max(total, 1), 0
        self.began = monotonic()
        self.drawn = 0.0
        self.is_shown = stream.isatty()

    def advance(self, rows: int) -> None:
        self.done += rows
        if self.is_shown and monotonic() - self.drawn >= PAUSE:
            self.drawn = monotonic()
            self._write(self._line())

    def end(self) -> None:
        if self.is_shown:
            self._write("")

    def _line(self) -> str:
        share = min(1.0, self.done / self.total)
        left = (monotonic() - self.began) * (1 - share) / share if share else 0
        bar = "#" * round(WIDTH * share)
        return f"[{bar:<{WIDTH}}] {share:4.0%} {self.done:,} of {self.total:,}, {timedelta(seconds=round(left))} left"

    def _write(self, text: str) -> None:
        self.stream.write(f"\r\x1b[K{text}", style_func=str, ending="")
        self.stream.flush()
