"""What the door costs each visitor of an open shop, and what a closed shop saves. Whole requests through WSGI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from benchmarks.frame import Row, Step, interleaved, row
from example_project.shop.seed import stock_shelves
from statusbreaks.maintenance.services import close_shop
from statusbreaks.maintenance.store import reader

DATABASES = ("sqlite",)
ROUNDS = 400
DOOR = "statusbreaks.middleware.MaintenanceMiddleware"


def rows(database: str) -> Iterator[Row]:
    stock_shelves()
    with_door = WSGIHandler()
    with override_settings(MIDDLEWARE=[path for path in settings.MIDDLEWARE if path != DOOR]):
        without = WSGIHandler()

    measure = interleaved(getting(with_door, "/", 200), getting(without, "/", 200), rounds=ROUNDS)
    yield row("middleware.open", "a page of an open shop : the same without the middleware", measure, bound=1.02)

    close_shop(scope="checkout")
    reader.look_again()
    measure = interleaved(getting(with_door, "/", 200), getting(without, "/", 200), rounds=ROUNDS)
    yield row(
        "middleware.checkout-closed",
        "a page that stays open while the checkout is closed : no door",
        measure,
        bound=1.05,
    )

    measure = interleaved(getting(with_door, "/checkout/", 503), getting(with_door, "/", 200), rounds=ROUNDS)
    yield row("middleware.closed", "the closed page : a page of the open shop", measure, bound=0.35)


def getting(handler: WSGIHandler, path: str, status: int) -> Step:
    def get() -> None:
        response = handler(_environ(path), _ignore)
        body = b"".join(response)
        response.close()
        assert body
        assert response.status_code == status, f"{path} answered {response.status_code}"

    return get


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
    return bytes


def _environ(path: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "text/html",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
