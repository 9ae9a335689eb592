"""The state file: written so that no reader ever sees half of it, read without a database, a cache or a lock.

A process looks at the file at most once a second. What it cannot read changes nothing: the last good state holds, from
memory or from the copy that is kept beside it. Where nothing was ever known, the shop is open.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import locks
from django.core.signals import setting_changed

from statusbreaks.conf import conf
from statusbreaks.exceptions import StateUnreadable
from statusbreaks.maintenance.codec import decode, encode
from statusbreaks.maintenance.state import OPEN, Snapshot

logger = logging.getLogger("statusbreaks")

NAME, KEPT, LOCK = "state", "state.kept", "state.lock"
FILE_MODE, DIRECTORY_MODE = 0o640, 0o750
LOOK_EVERY = 1.0
COMPLAIN_EVERY = 60.0

Signature = tuple[int, int, int]


def state_dir() -> Path | None:
    """STATE_DIR, else `.statusbreaks` in BASE_DIR; None where the settings name neither."""
    if conf().state_dir:
        return Path(conf().state_dir)
    base = getattr(settings, "BASE_DIR", None)
    return Path(base) / ".statusbreaks" if base else None


def load(directory: Path) -> Snapshot | None:
    """The state as it was last published, from the kept copy if need be; None if there never was one.

    Raises StateUnreadable where there is something and none of it can be read.
    """
    problem: StateUnreadable | None = None
    for name in (NAME, KEPT):
        try:
            return decode(_bytes(directory / name))
        except FileNotFoundError:
            continue
        except StateUnreadable as error:
            problem = problem or error
    if problem:
        raise problem
    return None


def read(path: Path) -> Snapshot:
    """This one file. Raises FileNotFoundError or StateUnreadable."""
    return decode(_bytes(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StateUnreadable(f"{path}: {error.strerror}") from error


def has_any(directory: Path) -> bool:
    """Whether anything was ever published here."""
    return any((directory / name).exists() for name in (NAME, KEPT))


def is_whole(directory: Path) -> bool:
    """Whether the file and the copy that is kept are both there and say the same."""
    try:
        return read(directory / NAME).version == read(directory / KEPT).version
    except (FileNotFoundError, StateUnreadable):
        return False


def save(directory: Path, snapshot: Snapshot) -> None:
    """Put it where all processes find it, whole or not at all. Raises OSError where that cannot be done."""
    data = encode(snapshot)
    _replace(directory / NAME, data)
    _replace(directory / KEPT, data)


def _replace(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.chmod(temporary, FILE_MODE)  # before the rename: nobody may find it with other rights, not for a moment
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def exclusively(directory: Path) -> Iterator[None]:
    """One publisher at a time: who reads the tables first must not write last."""
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    with open(directory / LOCK, "ab") as file:
        locks.lock(file, locks.LOCK_EX)
        yield


class Reader:
    """One process's view of the state file."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Look again at the next question, as after publishing in this very process."""
        self._snapshot = OPEN
        self._directory: Path | None = None
        self._signature: Signature | None = None
        self._look_at = self._complain_at = float("-inf")

    def look_again(self) -> None:
        self._look_at = float("-inf")

    def current(self) -> Snapshot:
        """Never raises, never waits for anything but a local `stat`."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._look()
        return self._snapshot

    def _look(self) -> None:
        directory = state_dir()
        if directory != self._directory:
            self._directory, self._signature, self._snapshot = directory, None, OPEN
        if directory is None:
            return
        try:
            self._refresh(directory)
        except Exception as error:
            self._complain(directory, error)

    def _refresh(self, directory: Path) -> None:
        try:
            signature = _signature(directory / NAME)
            if signature == self._signature:
                return
            self._snapshot = read(directory / NAME)
            self._signature = signature
        except (OSError, StateUnreadable) as error:
            self._fall_back(directory, error)

    def _fall_back(self, directory: Path, error: Exception) -> None:
        """What is in memory holds; a fresh process takes the kept copy. A shop that never closed has neither."""
        self._signature = None
        known = load(directory) if self._snapshot is OPEN else self._snapshot
        if known is not None:
            self._snapshot = known
            self._complain(directory, error)

    def _complain(self, directory: Path, error: Exception) -> None:
        now = self._clock()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAIN_EVERY
            logger.error("the shop's state in %s cannot be read (%s); see manage.py check", directory, error)


def _signature(path: Path) -> Signature:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


reader = Reader()


def _settings_changed(*, setting: str, **_: Any) -> None:
    if setting in ("STATUSBREAKS", "BASE_DIR"):
        reader.forget()


setting_changed.connect(_settings_changed, dispatch_uid="statusbreaks.maintenance.store")
