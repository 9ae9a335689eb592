"""Several at once, in real threads, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

IS_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")

needs_threads = pytest.mark.skipif(
    IS_SQLITE, reason="SQLite in memory has one connection: run with DATABASE_URL of PostgreSQL or MariaDB"
)


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """What each job returned, or the exception that it raised; all begin at the same moment."""
    gate = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            gate.wait(timeout=20)
            return job()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))
