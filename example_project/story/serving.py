"""The shop on localhost, until Ctrl-C."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.base import CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from example_project import worker

HOST = "127.0.0.1"
USUAL = 8000
TRIED = 20


def free_port(wanted: int | None) -> int:
    """The wanted port, or from the usual one on the first that is free. Raises CommandError."""
    tried = [wanted] if wanted is not None else list(range(USUAL, USUAL + TRIED))
    for port in tried:
        if _is_free(port):
            return port
    raise CommandError(f"Port {tried[0]} is taken on {HOST}. Name another one: --port N")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def serve(port: int, ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; `ready` is called once the port is open. Without a broker, the worker's
    thread runs beside.
    """
    # A line for each picture and each closed page would bury the links; errors are told by django.request.
    logging.getLogger("django.server").setLevel(logging.CRITICAL)
    server = ThreadedWSGIServer((HOST, port), WSGIRequestHandler)
    server.set_app(WSGIHandler())
    with _stopped_by_signals(server), _work_beside():
        ready()
        server.serve_forever()
    server.server_close()


@contextmanager
def _stopped_by_signals(server: Any) -> Iterator[None]:
    # shutdown() waits for the loop that this very thread runs, so another one has to call it.
    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _work_beside() -> Iterator[None]:
    if settings.CELERY_BROKER_URL:
        yield
        return
    stop = worker.start()
    try:
        yield
    finally:
        stop()
