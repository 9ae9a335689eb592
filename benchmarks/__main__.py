"""python3 manage.py bench [NAME …] [--json]

Each NAME is a module `bench_NAME.py`. Prints a table of ratios, or with --json one object a line; what a missing
service forbids is named on stderr. Ends with status 1 where a bound is not kept, and 2 for a NAME that is unknown.
PostgreSQL is looked for at BENCH_POSTGRESQL_URL, else at postgres://postgres@127.0.0.1:5432/postgres.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.frame import Missing, Row

HERE = Path(__file__).parent
POSTGRESQL = os.environ.get("BENCH_POSTGRESQL_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def main() -> int:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    names, as_json = _arguments()
    if unknown := [name for name in names if name not in known]:
        print(f"bench: there is no benchmark {unknown[0]!r}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    rows = _measured(names or known)
    kept = _print_json(rows) if as_json else _print_table(rows)
    return 0 if kept else 1


def _arguments() -> tuple[list[str], bool]:
    parser = argparse.ArgumentParser(prog="manage.py bench", description="Prices as ratios, interleaved with a peer.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args()
    return given.names, given.json


def _measured(names: Iterable[str]) -> Iterator[Row]:
    for name in names:
        for database in ("sqlite", "postgresql"):
            try:
                yield from _in_a_child(name, database)
            except Missing as missing:
                print(f"bench: {name} on {database} is skipped: {missing}", file=sys.stderr)


def _in_a_child(name: str, database: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        url = POSTGRESQL if database == "postgresql" else f"sqlite:///{folder}/shop.sqlite3"
        env = {"DATABASE_URL": url, "SHOP_DIR": folder, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
        line = [sys.executable, "-m", "benchmarks.child", name, database]
        done = subprocess.run(line, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if done.returncode == Missing.STATUS:
        raise Missing(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        sys.exit(f"{done.stderr}bench: {name} on {database} broke; its own words stand above.")
    for line_ in done.stdout.splitlines():
        yield Row(**json.loads(line_))


def _print_json(rows: Iterable[Row]) -> bool:
    kept = True
    for row in rows:
        print(row.as_json(), flush=True)
        kept = kept and row.kept
    return kept


def _print_table(rows: Iterable[Row]) -> bool:
    kept = True
    print(f"{'':<44} {'ours':>10} {'peer':>10} {'ratio':>6}  {'bound':<12} kept")
    for row in rows:
        times = f"{row.ours * 1e3:>7.3f} ms {row.peer * 1e3:>7.3f} ms"
        bound = f"{row.sense} {row.bound:g}"
        print(f"{row.name:<44} {times} {row.ratio:>6.2f}  {bound:<12} {'yes' if row.kept else 'NO'}")
        print(f"    {row.what}", flush=True)
        kept = kept and row.kept
    return kept


if __name__ == "__main__":
    sys.exit(main())
