"""The ledger, the watch list and what was found, to look at; and the expectations, to set."""

from __future__ import annotations

from django.contrib import admin

from statusbreaks.core.admin import LedgerAdmin, TableAdmin
from statusbreaks.flows.models import Alarm, Expectation, FlowCounter, FlowGauge, StatusBreak, StatusChange, Watch

ORDER = ["order_key__exact", "order_number__exact"]
NULL = admin.EmptyFieldListFilter


@admin.register(Expectation)
class ExpectationAdmin(TableAdmin[Expectation]):
    list_display = ["flow", "after", "segment", "within", "is_active"]
    list_display_links = ["after"]
    list_filter = ["flow", "is_active"]
    search_fields = ["after", "segment"]
    ordering = ["flow", "after", "segment"]


@admin.register(StatusChange)
class StatusChangeAdmin(LedgerAdmin[StatusChange]):
    list_display = ["__str__", "flow", "status", "segment", "occurred_at", "recorded_at", "via", "source"]
    list_filter = ["flow", "via", ("followed_at", NULL)]
    search_fields = ORDER


@admin.register(Watch)
class WatchAdmin(LedgerAdmin[Watch]):
    list_display = ["__str__", "flow", "status", "segment", "changed_at", "due_at", "breached_at", "ended_at", "source"]
    list_filter = ["flow", ("breached_at", NULL), ("ended_at", NULL)]
    search_fields = ORDER


@admin.register(StatusBreak)
class StatusBreakAdmin(LedgerAdmin[StatusBreak]):
    list_display = ["__str__", "kind", "flow", "status", "segment", "due_at", "opened_at", "healed_at", "grouped_at"]
    list_filter = ["flow", "kind", ("healed_at", NULL), ("grouped_at", NULL)]
    search_fields = ORDER


@admin.register(Alarm)
class AlarmAdmin(LedgerAdmin[Alarm]):
    list_display = ["sentence", "rule", "flow", "segment", "since", "raised_at", "ended_at"]
    list_filter = ["rule", "flow", ("ended_at", NULL)]
    search_fields = ["sentence", "segment"]


@admin.register(FlowCounter)
class FlowCounterAdmin(LedgerAdmin[FlowCounter]):
    list_display = ["flow", "segment", "status", "bucket", "went_on", "gave_up"]
    list_display_links = ["status"]
    list_filter = ["flow"]
    search_fields = ["segment", "status"]
    ordering = ["flow", "segment", "status", "bucket"]


@admin.register(FlowGauge)
class FlowGaugeAdmin(LedgerAdmin[FlowGauge]):
    list_display = ["flow", "segment", "status", "steps", "due", "came", "score", "since", "measured_at"]
    list_display_links = ["status"]
    list_filter = ["flow", ("since", NULL)]
    search_fields = ["segment", "status"]
    ordering = ["flow", "segment", "status"]
