"""Incidents by hand: open, tell, add orders, resolve; and the plans for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db.models import Field, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from statusbreaks.conf import conf
from statusbreaks.core.admin import GlanceInline, LedgerAdmin, M, P, PartInline, TableAdmin, link
from statusbreaks.incidents import services
from statusbreaks.incidents.forms import OrdersForm, PlaybookForm, UpdateForm
from statusbreaks.incidents.models import (
    AffectedOrder,
    AffectedOrderQuerySet,
    Component,
    Incident,
    IncidentEvent,
    IncidentUpdate,
    Playbook,
    PlaybookText,
    UpdateText,
)

PUBLISH = "statusbreaks.publish_incident"
NULL = admin.EmptyFieldListFilter
ORDER = ["order_key__exact", "order_number__exact"]
OPENING = ("kind", "title", "status", "impact", "flow", "segment", "playbook", "impact_started_at")
STAMPS = ("detected_at", "published_at", "resolved_at", "dismissed_at", "opened_by")


@admin.register(Component)
class ComponentAdmin(TableAdmin[Component]):
    list_display = ["name", "status", "position"]
    list_editable = ["position"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    ordering = ["position", "name"]


class TextInline(PartInline[M, P]):
    """Texts, the first of them in the language of the site."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            kwargs["initial"] = settings.LANGUAGE_CODE
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class PlaybookTextInline(TextInline[PlaybookText, Playbook]):
    model = PlaybookText
    fields = ["event", "language", "headline", "body"]


@admin.register(Playbook)
class PlaybookAdmin(TableAdmin[Playbook]):
    form = PlaybookForm
    list_display = ["name", "kind", "flow", "segment", "impact", "opens_from", "publishes", "is_active"]
    list_filter = ["is_active", "flow"]
    search_fields = ["name"]
    autocomplete_fields = ["components"]
    inlines = [PlaybookTextInline]
    fieldsets = [
        (None, {"fields": ["name", "is_active"]}),
        (_("When"), {"fields": ["kind", "flow", "segment", "opens_from"]}),
        (
            _("What happens by itself"),
            {"fields": ["impact", "components", "publishes", "closes", "resolves_after", "asks_after"]},
        ),
    ]


def money(order: AffectedOrder) -> str:
    return "" if order.value is None else f"{order.value:.2f} {order.currency}"


class UpdateGlance(GlanceInline[IncidentUpdate, Incident]):
    model = IncidentUpdate
    fields = readonly_fields = ("headline", "status", "notifies", "published_at", "author")
    ordering = ["-pk"]
    show_change_link = True
    verbose_name_plural = _("updates, the last 20")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        return super().get_queryset(request).select_related("author").prefetch_related("texts")

    @admin.display(description=_("headline"))
    def headline(self, update: IncidentUpdate) -> str:
        text = update.text_in("")
        return text.headline if text else ""


class AffectedGlance(GlanceInline[AffectedOrder, Incident]):
    model = AffectedOrder
    fields = readonly_fields = ("reason", "at_risk", "joined_at", "recovered_at", "removed_at")
    ordering = ["-pk"]
    verbose_name_plural = _("affected orders, the last 20")

    @admin.display(description=_("value at risk"))
    def at_risk(self, order: AffectedOrder) -> str:
        return money(order)


class EventGlance(GlanceInline[IncidentEvent, Incident]):
    model = IncidentEvent
    fields = readonly_fields = ("at", "what", "detail", "actor")
    ordering = ["-pk"]
    verbose_name_plural = _("what was done, the last 20 steps")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentEvent]:
        return super().get_queryset(request).select_related("actor")


@admin.register(Incident)
class IncidentAdmin(TableAdmin[Incident]):
    """An incident is never deleted: what was nothing is dismissed."""

    list_display = ["titled", "status", "impact", "detected_at", "resolved_at"]
    list_filter = ["status", "impact", "kind", "flow"]
    search_fields = ["title", "segment", "=id"]
    autocomplete_fields = ["components", "playbook"]
    inlines = [UpdateGlance, AffectedGlance, EventGlance]
    actions = ["investigate", "monitor", "resolve", "dismiss"]

    def get_fieldsets(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": OPENING})]
        return [
            (None, {"fields": ["named", "status", "next_steps"]}),
            (_("What it is"), {"fields": ["title", "impact", "severity", "cause", "components", "playbook"]}),
            (_("Where"), {"fields": ["kind", "flow", "segment"]}),
            (_("When"), {"fields": ["impact_started_at", *STAMPS]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> list[Any]:
        return ["named", "status", "next_steps", "kind", "flow", "segment", *STAMPS] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Incident | None) -> Any:
        return self.inlines if obj else []

    def formfield_for_choice_field(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "status":  # only chosen when it opens; later it moves by its own steps
            kwargs["choices"] = [(step.value, step.label) for step in Incident.ACTIVE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Incident], search_term: str
    ) -> tuple[QuerySet[Incident], bool]:
        return super().get_search_results(request, queryset, search_term.removeprefix(f"{conf().incident_prefix}-"))

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return False

    @admin.display(description=_("incident"), ordering="pk")
    def titled(self, incident: Incident) -> str:
        return str(incident)

    @admin.display(description=_("reference"))
    def named(self, incident: Incident) -> str:
        return incident.reference

    @admin.display(description=_("next steps"))
    def next_steps(self, incident: Incident) -> str:
        links = [
            link("incidentupdate_add", _("Write an update"), incident=incident.pk),
            link("incident_orders", _("Add orders by number"), incident.pk),
            link("affectedorder_changelist", _("All affected orders"), incident__id__exact=incident.pk),
            link("message_changelist", _("Messages"), incident__id__exact=incident.pk),
            link("campaign_add", _("Plan a campaign"), incident=incident.pk),
        ]
        return format_html_join(" · ", "{}", ((one,) for one in links))

    def save_model(self, request: HttpRequest, obj: Incident, form: ModelForm[Incident], change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        new = services.NewIncident(**{name: form.cleaned_data[name] for name in OPENING})
        vars(obj).update(vars(services.open_incident(new, by=request.user)))

    def save_related(
        self, request: HttpRequest, form: ModelForm[Incident], formsets: Iterable[Any], change: bool
    ) -> None:
        before = list(form.instance.components.all()) if change else []
        super().save_related(request, form, formsets, change)
        if change and form.changed_data:
            services.amend(form.instance, form.changed_data, before=before, by=request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.orders_view)
        return [path("<int:pk>/orders/", view, name="statusbreaks_incident_orders"), *super().get_urls()]

    def orders_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Orders that no flow has shown, by their numbers."""
        incident = get_object_or_404(Incident, pk=pk)
        if not self.has_change_permission(request, incident):
            raise PermissionDenied
        form: Any = OrdersForm(request.POST or None)
        if form.is_valid():
            self._add_orders(request, incident, form.cleaned_data["numbers"], form.cleaned_data["reason"])
            return HttpResponseRedirect(reverse("admin:statusbreaks_incident_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add orders to %(incident)s") % {"incident": incident},
            "original": incident,
            "adminform": AdminForm(form, [(None, {"fields": list(form.fields)})], {}, model_admin=self),
            "inline_admin_formsets": [],
            "errors": form.errors,
            "media": self.media + form.media,
            "is_popup": False,
            "to_field": None,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
        }
        return self.render_change_form(request, context, change=True, obj=incident)

    def _add_orders(self, request: HttpRequest, incident: Incident, numbers: list[str], reason: str) -> None:
        unknown = services.add_orders_by_number(incident, numbers, reason=reason, by=request.user)
        count = len(numbers) - len(unknown)
        if count:
            said = ngettext("%(count)d order is part of it now.", "%(count)d orders are part of it now.", count)
            self.message_user(request, said % {"count": count}, messages.SUCCESS)
        if unknown:
            text = _("No order has the number: %(numbers)s") % {"numbers": ", ".join(unknown)}
            self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Start looking into it"), permissions=["change"])
    def investigate(self, request: HttpRequest, incidents: QuerySet[Incident]) -> None:
        self._step(request, incidents, Incident.Status.INVESTIGATING)

    @admin.action(description=_("Only watch it from now on"), permissions=["change"])
    def monitor(self, request: HttpRequest, incidents: QuerySet[Incident]) -> None:
        self._step(request, incidents, Incident.Status.MONITORING)

    def _step(self, request: HttpRequest, incidents: QuerySet[Incident], to: str) -> None:
        self.to_each(
            request,
            incidents,
            lambda incident: services.change_status(incident, to, by=request.user),
            _("Incidents changed: %(count)d."),
        )

    @admin.action(description=_("Resolve"), permissions=["change"])
    def resolve(self, request: HttpRequest, incidents: QuerySet[Incident]) -> None:
        self.to_each(
            request, incidents, lambda one: services.resolve(one, by=request.user), _("Incidents resolved: %(count)d.")
        )

    @admin.action(description=_("Dismiss: it was nothing"), permissions=["change"])
    def dismiss(self, request: HttpRequest, incidents: QuerySet[Incident]) -> None:
        self.to_each(
            request, incidents, lambda one: services.dismiss(one, by=request.user), _("Incidents dismissed: %(count)d.")
        )


class UpdateTextInline(TextInline[UpdateText, IncidentUpdate]):
    model = UpdateText
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"validate_min": True, **kwargs})


@admin.register(IncidentUpdate)
class IncidentUpdateAdmin(TableAdmin[IncidentUpdate]):
    """A draft until it is published; from then on it stands as it is."""

    form = UpdateForm
    list_display = ["headline", "incident", "status", "notifies", "published_at"]
    list_filter = [("published_at", NULL), "status"]
    list_select_related = ["incident"]
    autocomplete_fields = ["incident"]
    inlines = [UpdateTextInline]
    actions = ["publish"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        return super().get_queryset(request).prefetch_related("texts")

    def get_fields(self, request: HttpRequest, obj: IncidentUpdate | None = None) -> list[Any]:
        fields = ["incident", "status", "notifies", "eta_at", "next_update_at"]
        if obj and obj.published_at:
            return [*fields, "published_at", "author"]
        return [*fields, "publishes"] if self.has_publish_permission(request) else fields

    def get_readonly_fields(self, request: HttpRequest, obj: IncidentUpdate | None = None) -> list[Any]:
        return ["incident", "published_at", "author"] if obj else []

    @admin.display(description=_("headline"))
    def headline(self, update: IncidentUpdate) -> str:
        text = update.text_in("")
        return text.headline if text else "–"

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PUBLISH)

    def has_change_permission(self, request: HttpRequest, obj: IncidentUpdate | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.published_at)

    def has_delete_permission(self, request: HttpRequest, obj: IncidentUpdate | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.published_at)

    def save_model(
        self, request: HttpRequest, obj: IncidentUpdate, form: ModelForm[IncidentUpdate], change: bool
    ) -> None:
        if not change:
            obj.author_id = request.user.pk
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: ModelForm[IncidentUpdate], formsets: Iterable[Any], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if form.cleaned_data.get("publishes") and self.has_publish_permission(request):
            self._publish(request, [form.instance])

    @admin.action(description=_("Publish the selected drafts"), permissions=["publish"])
    def publish(self, request: HttpRequest, updates: QuerySet[IncidentUpdate]) -> None:
        self._publish(request, updates.select_related("incident"))

    def _publish(self, request: HttpRequest, drafts: Iterable[IncidentUpdate]) -> None:
        def publish(draft: IncidentUpdate) -> None:
            vars(draft).update(vars(services.publish(draft, by=request.user)))

        self.to_each(request, drafts, publish, _("Published: %(count)d."))


@admin.register(AffectedOrder)
class AffectedOrderAdmin(LedgerAdmin[AffectedOrder]):
    list_display = ["__str__", "incident", "reason", "at_risk", "joined_at", "recovered_at", "removed_at"]
    list_filter = ["flow", ("recovered_at", NULL), ("removed_at", NULL)]
    list_select_related = ["incident"]
    search_fields = ORDER
    actions = ["remove"]

    @admin.display(description=_("value at risk"), ordering="value")
    def at_risk(self, order: AffectedOrder) -> str:
        return money(order)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.change_affectedorder")

    @admin.action(description=_("Remove: not concerned after all"), permissions=["remove"])
    def remove(self, request: HttpRequest, orders: AffectedOrderQuerySet) -> None:
        count = services.remove_orders(orders, by=request.user)
        said = ngettext("%(count)d order was removed.", "%(count)d orders were removed.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)


@admin.register(IncidentEvent)
class IncidentEventAdmin(LedgerAdmin[IncidentEvent]):
    list_display = ["at", "incident", "what", "detail", "actor"]
    list_filter = ["what"]
    list_select_related = ["incident", "actor"]
    search_fields = ["detail"]
