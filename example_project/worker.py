"""A worker in the same process, for a shop without Celery: it does the shop's work and lets statusbreaks tick."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from django.db import close_old_connections, connection
from django.utils import timezone

from example_project.providers.services import work
from statusbreaks.pipeline import tick

logger = logging.getLogger(__name__)


def start(every: float = 2.0) -> Callable[[], None]:
    """Work every so many seconds in a thread, until the function that is returned is called."""
    stopped = Event()
    thread = Thread(target=_go_on, args=(every, stopped), name="shop worker", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()

    return stop


def _go_on(every: float, stopped: Event) -> None:
    while not stopped.is_set():
        close_old_connections()
        once()
        stopped.wait(every)
    connection.close()


def once() -> None:
    """One round. What fails is logged, and the next round tries again."""
    for step in (lambda: work(timezone.now()), tick):
        try:
            step()
        except Exception:
            logger.exception("The worker failed; it goes on.")
