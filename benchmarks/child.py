"""One benchmark on one database, in a process of its own:  python -m benchmarks.child NAME DATABASE"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.db import OperationalError, connection

from benchmarks.frame import Missing


def main(name: str, database: str) -> None:
    django.setup()
    benchmark = importlib.import_module(f"benchmarks.bench_{name}")
    if database not in benchmark.DATABASES:
        return
    with _fresh_database():
        for row in benchmark.rows(database):
            print(row.dump(), flush=True)


@contextmanager
def _fresh_database() -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    try:
        connection.ensure_connection()
    except OperationalError as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        sys.exit(Missing.STATUS)
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
