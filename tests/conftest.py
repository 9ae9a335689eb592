"""Fixtures that many rooms share."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.utils import translation

from statusbreaks.maintenance import store
from statusbreaks.pipeline import tick as run_tick
from tests.factories import NOW


@pytest.fixture(autouse=True)
def nothing_stays_closed() -> Iterator[None]:
    """The shop's state is a file, which no rollback opens again."""
    directory = store.state_dir()
    yield
    if directory:
        for name in (store.NAME, store.KEPT):
            (directory / name).unlink(missing_ok=True)
    store.reader.forget()


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """A page that was asked for in Polish leaves its thread Polish; the next test begins in English again."""
    yield
    translation.deactivate()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at NOW until it is moved with `clock.shift()`."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tick() -> Callable[[], None]:
    """Run every stage once; a stage that fails fails the test."""

    def run() -> None:
        done = run_tick()
        assert None not in done.values(), done

    return run
