"""What customers said, to read."""

from __future__ import annotations

from django.contrib import admin

from statusbreaks.core.admin import LedgerAdmin
from statusbreaks.feedback.models import Survey


@admin.register(Survey)
class SurveyAdmin(LedgerAdmin[Survey]):
    list_display = ["__str__", "incident", "rating", "comment", "asked_at", "answered_at"]
    list_filter = ["rating", ("answered_at", admin.EmptyFieldListFilter)]
    list_select_related = ["incident"]
    search_fields = ["order_key__exact", "order_number__exact", "comment"]
