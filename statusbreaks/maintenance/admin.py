"""The shop's state by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm, Select
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.admin import PartInline, TableAdmin
from statusbreaks.maintenance import services
from statusbreaks.maintenance.models import AlternativeChannel, Closing, ClosingText
from statusbreaks.maintenance.scopes import known_scopes

STAMPS = ["closed_at", "opened_by", "ended_at", "ended_by"]


class ClosingTextInline(PartInline[ClosingText, Closing]):
    model = ClosingText


@admin.register(Closing)
class ClosingAdmin(TableAdmin[Closing]):
    """Closings are never deleted: they are the record of who closed the shop and why."""

    list_display = ["scope", "state", "incident", "reason", "begins_at", "expected_open_at", "ends_at", "ended_at"]
    list_filter = ["scope", "begins_at"]
    list_select_related = ["incident"]
    search_fields = ["reason", "scope"]
    readonly_fields = STAMPS
    autocomplete_fields = ["incident"]
    inlines = [ClosingTextInline]
    actions = ["close_now", "open_now"]

    @admin.display(description=_("state"))
    def state(self, closing: Closing) -> str:
        now = timezone.now()
        if closing.is_running(now):
            return str(_("closed"))
        return str(_("planned") if closing.ended_at is None and closing.begins_at > now else _("over"))

    def get_fields(self, request: HttpRequest, obj: Closing | None = None) -> Any:
        return [*services.DECIDED, *STAMPS] if obj else services.DECIDED

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "scope":
            kwargs["widget"] = Select(choices=[(scope, _label(scope)) for scope in known_scopes()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"ends_at": timezone.now() + services.AT_MOST, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Closing | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Closing, form: ModelForm[Closing], change: bool) -> None:
        if not change:
            obj.opened_by = request.user if request.user.is_authenticated else None
        services.keep(obj)

    @admin.action(description=_("Close now"), permissions=["change"])
    def close_now(self, request: HttpRequest, closings: QuerySet[Closing]) -> None:
        self._report(request, [services.close_again(closing, by=request.user) for closing in closings])

    @admin.action(description=_("Open now"), permissions=["change"])
    def open_now(self, request: HttpRequest, closings: QuerySet[Closing]) -> None:
        for closing in closings:
            services.open_shop(closing, by=request.user)
        self._report(request, list(closings.all()))

    def _report(self, request: HttpRequest, closings: list[Closing]) -> None:
        if all(services.is_shown(closing) for closing in closings):
            self.message_user(request, _("Done: this is what shoppers see now."))
        else:
            text = _("Saved, but shoppers do not see it yet: the state file was not written. See the log.")
            self.message_user(request, text, messages.ERROR)


def _label(scope: str) -> str:
    return f"{scope}: {label}" if (label := Closing(scope=scope).scope_label) != scope else scope


@admin.register(AlternativeChannel)
class AlternativeChannelAdmin(TableAdmin[AlternativeChannel]):
    list_display = ["label", "kind", "target", "hours", "language", "position", "is_active"]
    list_filter = ["kind", "language", "is_active"]
    list_editable = ["position", "is_active"]
    search_fields = ["label", "target", "note"]
    ordering = ["position", "pk"]

    def save_model(self, request: HttpRequest, obj: AlternativeChannel, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        services.show()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        obj.delete()
        services.show()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AlternativeChannel]) -> None:
        super().delete_queryset(request, queryset)
        services.show()
