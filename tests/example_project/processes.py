"""The shop in processes of its own, away from the settings of the tests."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

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


@contextlib.contextmanager
def running(folder, *command, **more):
    """A process that goes on; it is ended at the latest when its time is over, so that no test waits for ever."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=surroundings(folder, PYTHONUNBUFFERED="1", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    guard = threading.Timer(PATIENCE, kill, [process])
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        kill(process)
        process.wait()
        process.stdout.close()


def kill(process):
    """With its children: a Celery worker has some, which would go on to take the work of the next one."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def read_until(process, *patterns):
    """All that it says until each of the patterns has come, in whatever order."""
    said, open_ = "", list(patterns)
    for line in process.stdout:
        said += line
        open_ = [pattern for pattern in open_ if not re.search(pattern, line)]
        if not open_:
            return said
    raise AssertionError(f"it ended and never said {open_}:\n{said}")
