"""The door in a Django project. Put it first in MIDDLEWARE: what stands before it runs while the shop is closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from statusbreaks.maintenance.answer import answer
from statusbreaks.maintenance.state import Visit, decide
from statusbreaks.maintenance.store import reader


@dataclass(frozen=True)
class ShopStatus:
    """`request.shop_status`: asks nothing until it is asked, in a template as in a view."""

    def is_open(self, scope: str) -> bool:
        return reader.current().is_open(scope, timezone.now())

    @property
    def closed(self) -> list[str]:
        """The parts that are closed now."""
        return sorted({lease.scope for lease in reader.current().running(timezone.now())})


STATUS = ShopStatus()


class MaintenanceMiddleware:
    """Answers for a shop, or a part of it, that is closed. No table is read, no template rendered, no cache asked."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        closed = shut(request)
        return closed if closed is not None else self.get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        closed = shut(request)
        return closed if closed is not None else await self.get_response(request)


def shut(request: HttpRequest) -> HttpResponseBase | None:
    """The closed shop's answer to this request; None where it may go through."""
    request.shop_status = STATUS  # type: ignore[attr-defined]
    snapshot = reader.current()
    if not snapshot.leases:
        return None
    now = timezone.now()
    lease = decide(snapshot, Visit(request.method or "GET", request.path_info), now).lease
    return answer(request, snapshot, lease, now) if lease else None
