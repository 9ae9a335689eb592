#!/usr/bin/env python3
"""Django's manage.py, which first makes the environment that it needs (`bootstrap.py`).

python3 manage.py demo | test [pytest's arguments] | bench [NAME ...] [--json] | any command of Django's
"""

import os
import runpy
import sys

import bootstrap

EXTRAS = {"test": "test", "bench": "bench"}  # of pyproject.toml; every other command needs `demo`
SERVICES = ("DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL")  # whose drivers stand in an extra of their own


def main(argv):
    command = argv[0] if argv else "help"
    usual = "demo,services" if any(map(os.environ.get, SERVICES)) else "demo"
    bootstrap.enter_environment(EXTRAS.get(command, usual), argv)
    {"test": test, "bench": bench}.get(command, django)(argv)


def test(argv):
    import pytest

    os.chdir(bootstrap.ROOT)
    sys.exit(pytest.main(argv[1:] or ["-n", "auto"]))


def bench(argv):
    os.chdir(bootstrap.ROOT)
    sys.argv = argv
    runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)


def django(argv):
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    execute_from_command_line(["manage.py", *argv])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
