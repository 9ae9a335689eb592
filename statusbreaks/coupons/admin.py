"""Goodwill by hand: rules, campaigns to approve, coupons to take back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from statusbreaks.core.admin import LedgerAdmin, TableAdmin, link
from statusbreaks.coupons import services
from statusbreaks.coupons.codes import is_well_formed, normalised
from statusbreaks.coupons.models import Campaign, Coupon, CouponPolicy, CouponQuerySet, Grant

ORDER = ["order_key__exact", "order_number__exact"]
WORTH = ("kind", "value", "currency", "at_most", "minimum_order")


@admin.register(CouponPolicy)
class CouponPolicyAdmin(TableAdmin[CouponPolicy]):
    list_display = ["name", "worth", "budget", "currency", "valid_for", "playbook", "is_bound", "is_active"]
    list_filter = ["is_active", "kind"]
    list_select_related = ["playbook"]
    search_fields = ["name"]
    fields = ["name", WORTH, "valid_for", "budget", "is_bound", "playbook", "is_active"]

    @admin.display(description=_("worth"))
    def worth(self, policy: CouponPolicy) -> str:
        return policy.worth


@admin.register(Campaign)
class CampaignAdmin(TableAdmin[Campaign]):
    """Planned here, approved by somebody who may; its coupons come with the next ticks once the incident is over."""

    list_display = ["__str__", "status", "budget", "reserved", "approved_by", "approved_at", "issued_at"]
    list_filter = ["status"]
    list_select_related = ["incident", "policy", "approved_by"]
    search_fields = ["incident__title", "policy__name"]
    autocomplete_fields = ["incident", "policy"]
    actions = ["approve", "stop"]

    def get_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[Any]:
        planned = ["incident", "policy"]
        state = ["status", "budget", "reserved", "approved_by", "approved_at", "issued_at", "granted"]
        return [*planned, *state] if obj else planned

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[Any]:
        fields = self.get_fields(request, obj) if obj else []
        return [name for name in fields if name != "budget" or (obj and obj.status not in services.APPROVABLE)]

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Campaign.Status.DRAFT)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.approve_campaign")

    @admin.display(description=_("grants"))
    def granted(self, campaign: Campaign) -> str:
        return link("grant_changelist", _("all of this campaign"), campaign__id__exact=campaign.pk)

    def save_model(self, request: HttpRequest, obj: Campaign, form: ModelForm[Campaign], change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            vars(obj).update(vars(services.plan_campaign(obj.incident, obj.policy)))

    @admin.action(description=_("Approve the selected campaigns"), permissions=["approve"])
    def approve(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        rows = campaigns.select_related("incident", "policy")
        self.to_each(request, rows, lambda row: services.approve(row, by=request.user), _("Approved: %(count)d."))

    @admin.action(description=_("Stop the selected campaigns"), permissions=["approve"])
    def stop(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        rows = campaigns.select_related("incident", "policy")
        self.to_each(request, rows, lambda row: services.stop(row, by=request.user), _("Stopped: %(count)d."))


@admin.register(Grant)
class GrantAdmin(LedgerAdmin[Grant]):
    list_display = ["__str__", "customer", "source", "cost", "granted_at"]
    list_select_related = ["incident"]
    search_fields = ORDER


@admin.register(Coupon)
class CouponAdmin(LedgerAdmin[Coupon]):
    """A code is money: only who may view coupons sees it."""

    list_filter = ["kind", ("redeemed_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["grant__incident"]
    actions = ["revoke"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._code(request), "worth", "grant", "expires_at", "redeemed_at", "redeemed_order", "revoked_at"]

    def get_fields(self, request: HttpRequest, obj: Coupon | None = None) -> list[Any]:
        used = ("redeemed_at", "redeemed_order", "discount", "revoked_at")
        return [self._code(request), "grant", *WORTH, "expires_at", *used]

    def get_readonly_fields(self, request: HttpRequest, obj: Coupon | None = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        order = ["grant__order_key__exact", "grant__order_number__exact"]
        return ["code__exact", *order] if self._may_see(request) else order

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Coupon], search_term: str
    ) -> tuple[QuerySet[Coupon], bool]:
        code = normalised(search_term)
        return super().get_search_results(request, queryset, code if is_well_formed(code) else search_term)

    def has_view_permission(self, request: HttpRequest, obj: Coupon | None = None) -> bool:
        return self._may_see(request) or self.has_revoke_permission(request)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.change_coupon")

    def _may_see(self, request: HttpRequest) -> bool:
        return request.user.has_perm("statusbreaks.view_coupon")

    def _code(self, request: HttpRequest) -> str:
        return "shown" if self._may_see(request) else "masked"

    @admin.display(description=_("code"), ordering="pk")
    def shown(self, coupon: Coupon) -> str:
        return coupon.shown

    @admin.display(description=_("code"), ordering="pk")
    def masked(self, coupon: Coupon) -> str:
        return str(coupon)

    @admin.display(description=_("worth"))
    def worth(self, coupon: Coupon) -> str:
        return coupon.worth

    @admin.action(description=_("Take back what was not yet redeemed"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, coupons: CouponQuerySet) -> None:
        count = services.revoke(coupons)
        said = ngettext("%(count)d coupon was taken back.", "%(count)d coupons were taken back.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
