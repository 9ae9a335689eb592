"""The outbox, to look at, and to try again what failed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from statusbreaks.core.admin import LedgerAdmin
from statusbreaks.notifications import services
from statusbreaks.notifications.models import Message, MessageQuerySet

ABOUT = ("topic", "incident", "order_number", "user")
WHERE = ("channel", "recipient", "recipient_class", "language")
STATE = ("status", "created_at", "not_before", "tries", "sent_at", "error")
WORDS = ("subject", "body", "html")


@admin.register(Message)
class MessageAdmin(LedgerAdmin[Message]):
    list_display = ["subject", "recipient", "channel", "recipient_class", "status", "tries", "created_at", "sent_at"]
    list_filter = ["status", "channel", "recipient_class"]
    search_fields = ["recipient__iexact", "order_number__exact", "topic__exact"]
    actions = ["retry"]

    def get_fields(self, request: HttpRequest, obj: Message | None = None) -> list[Any]:
        # The text of a coupon's message has the code, which is money.
        hidden = obj is not None and obj.topic.startswith("grant:") and not self._may_see_coupons(request)
        return [*ABOUT, *WHERE, *STATE, *(("subject",) if hidden else WORDS)]

    def _may_see_coupons(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.view_coupon")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.change_message")

    @admin.action(description=_("Try again what failed"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: MessageQuerySet) -> None:
        count = services.retry(chosen)
        said = ngettext("%(count)d message is queued again.", "%(count)d messages are queued again.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
