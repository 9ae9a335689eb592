"""The shop in processes of its own, away from the settings of the tests."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

SERVICES = ("DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL", "BASE_URL", "NO_COLOR", "FORCE_COLOR")
PATIENCE = 240  # seconds, on a machine that has other things to do


def surroundings(folder, **more):
    kept = {name: value for name, value in os.environ.items() if name not in SERVICES}
    return {**kept, "DJANGO_SETTINGS_MODULE": "example_project.settings", "SHOP_DIR": str(folder), **more}


def run(folder, *command, **more):
    env = surroundings(folder, **more)
    return subprocess.run([sys.executable, "-m", *command], env=env, capture_output=True, text=True, check=False)


def run_demo(folder, *arguments, **more):
    return run(folder, "django", "demo", *arguments, **more)


@contextmanager
def running(folder, *command, **more):
    """A process that goes on; it is ended at the latest when its time is over, so that no test waits for ever."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=surroundings(folder, PYTHONUNBUFFERED="1", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def read_until(process, *patterns):
    """All that it says until each of the patterns has come, in whatever order."""
    said, open_ = "", list(patterns)
    for line in process.stdout:
        said += line
        open_ = [pattern for pattern in open_ if not re.search(pattern, line)]
        if not open_:
            return said
    raise AssertionError(f"it ended and never said {open_}:\n{said}")
