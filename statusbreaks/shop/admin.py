"""What shops in other processes told of their orders."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from statusbreaks.core.admin import LedgerAdmin
from statusbreaks.shop.models import Bookmark, ReportedOrder


@admin.register(ReportedOrder)
class ReportedOrderAdmin(LedgerAdmin[ReportedOrder]):
    """To look at, and to delete where a customer wants to be forgotten."""

    list_display = ["__str__", "source", "order_key", "email", "value", "currency", "placed_at", "promised_at"]
    search_fields = ["order_key__exact", "order_number__exact", "email__iexact"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("statusbreaks.delete_reportedorder")


@admin.register(Bookmark)
class BookmarkAdmin(LedgerAdmin[Bookmark]):
    list_display = ["name", "place", "noted_at"]
