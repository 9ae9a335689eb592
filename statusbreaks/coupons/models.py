"""Who is owed what, and the coupons they get for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from statusbreaks.core.queries import OpenIndex, RowQuerySet, stand_in
from statusbreaks.coupons.codes import grouped
from statusbreaks.coupons.money import rounded_down
from statusbreaks.incidents.models import Incident, Playbook
from statusbreaks.shop.values import SHOP, Person


class Kind(models.TextChoices):
    PERCENT = "percent", _("percent")
    AMOUNT = "amount", _("amount")


def money(label: Any, **options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(label, max_digits=14, decimal_places=3, validators=[MinValueValidator(0)], **options)


class Worth(models.Model):
    """What a coupon takes off an order."""

    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.AMOUNT)
    value = money(_("value"), help_text=_("Percent, or units of the currency."))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    at_most = money(_("at most"), null=True, blank=True, help_text=_("For percentages: the most one coupon takes off."))
    minimum_order = money(_("minimum order"), default=0)

    class Meta:
        abstract = True

    def off(self, total: Decimal) -> Decimal:
        """What it takes off an order of `total`, in units of the currency, rounded down to the minor unit."""
        worth: Decimal = total * self.value / 100 if self.kind == Kind.PERCENT else self.value
        if self.at_most is not None:
            worth = min(worth, self.at_most)
        return rounded_down(min(worth, total), self.currency)

    @property
    def worth(self) -> str:
        """For people: "10 %" or "5.00 EUR"."""
        if self.kind == Kind.PERCENT:
            return f"{self.value.normalize():f} %"
        return f"{rounded_down(self.value, self.currency)} {self.currency}"

    @property
    def least(self) -> str:
        """The minimum order, for people: "20.00 EUR"."""
        return f"{rounded_down(self.minimum_order, self.currency)} {self.currency}"


class CouponPolicyQuerySet(RowQuerySet["CouponPolicy"]):
    def by_itself_after(self, incident: Incident) -> Self:
        """Those that an incident's playbook brings into force without anybody asking."""
        return self.filter(is_active=True, playbook__isnull=False, playbook=incident.playbook)


class CouponPolicy(Worth, TimeStampedModel):
    """A rule of goodwill: how much, for how long, and what it may cost."""

    name = models.CharField(_("name"), max_length=80)
    playbook = models.ForeignKey(
        Playbook,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("applies by itself after"),
    )
    valid_for = models.DurationField(_("valid for"), default=timedelta(days=60))
    budget = money(_("budget per incident"), help_text=_("In units of the currency: never passed."))
    is_bound = models.BooleanField(_("only for the customer who got it"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = CouponPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon policy")
        verbose_name_plural = _("coupon policies")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.kind == Kind.PERCENT and self.at_most is None:
            raise ValidationError({"at_most": _("A percentage needs a limit, or its cost cannot be kept in a budget.")})
        if self.kind == Kind.PERCENT and self.value is not None and self.value > 100:
            raise ValidationError({"value": _("At most 100 percent.")})

    @property
    def cost(self) -> Decimal:
        """The most that one coupon can cost, which is what the budget is charged with."""
        limit: Decimal | None = self.at_most if self.kind == Kind.PERCENT else self.value
        assert limit is not None  # clean() sees to it
        return limit


class CampaignQuerySet(RowQuerySet["Campaign"]):
    def open(self) -> Self:
        """Approved, and not yet through with its incident."""
        return self.filter(status=Campaign.Status.APPROVED)

    def issuable(self) -> Self:
        """Approved, of an incident that is over."""
        over = [Incident.Status.RESOLVED, Incident.Status.POSTMORTEM]
        return self.open().filter(incident__status__in=over).select_related("incident", "policy")

    def held(self, campaign: Campaign) -> Campaign:
        """The row as it is now, locked, so that issuers of one campaign take turns."""
        return self.select_related("incident", "policy").select_for_update(of=self._own_table()).get(pk=campaign.pk)

    def reserve(self, campaign: Campaign, count: int, cost: Decimal) -> bool:
        """Charge the budget with `count` coupons, or leave it alone where that would pass it."""
        amount = count * cost
        return bool(
            self.filter(pk=campaign.pk, reserved__lte=F("budget") - amount).update(reserved=F("reserved") + amount)
        )


class Campaign(TimeStampedModel):
    """One policy for one incident."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPROVED = "approved", _("approved")
        ISSUED = "issued", _("issued")
        EXHAUSTED = "exhausted", _("budget used up")
        STOPPED = "stopped", _("stopped")

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="campaigns", verbose_name=_("incident"))
    policy = models.ForeignKey(CouponPolicy, models.PROTECT, related_name="campaigns", verbose_name=_("policy"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    budget = money(_("budget"))
    reserved = money(_("reserved"), default=0, editable=False)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [models.UniqueConstraint(fields=["incident", "policy"], name="sb_campaign_unique")]
        permissions = [("approve_campaign", _("Can approve campaigns"))]

    def __str__(self) -> str:
        return f"{self.incident.reference}: {self.policy}"


class GrantQuerySet(RowQuerySet["Grant"]):
    def customers_of(self, incident: Incident, identities: Iterable[str]) -> set[str]:
        rows = self.filter(incident=incident, customer__in=list(identities))
        return set(rows.values_list("customer", flat=True))

    def of_person(self, person: Person) -> Self:
        return self.filter(Q(user__in=person.users) | Q(customer__in=person.identities))

    def forget(self) -> int:
        return self.update(customer=stand_in("forgotten:"), user=None)

    def issue(self, grants: list[Grant]) -> list[Grant]:
        return self.bulk_create(grants, batch_size=500)


class Grant(models.Model):
    """One customer is owed goodwill for one incident."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="grants", verbose_name=_("campaign"))
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="grants", verbose_name=_("incident"))
    customer = models.CharField(_("customer"), max_length=64, help_text=_("A user's key or a hash: no address."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(_("source"), max_length=40, default=SHOP)
    order_key = models.CharField(_("order key"), max_length=64)
    order_number = models.CharField(_("order number"), max_length=64, blank=True)
    cost = money(_("cost at most"))
    granted_at = models.DateTimeField(_("granted at"), default=timezone.now)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [models.UniqueConstraint(fields=["incident", "customer"], name="sb_grant_unique")]

    def __str__(self) -> str:
        return f"{self.incident.reference} → {self.order_number or self.order_key}"


class CouponQuerySet(RowQuerySet["Coupon"]):
    def issue(self, coupons: list[Coupon]) -> list[Coupon]:
        return self.bulk_create(coupons, batch_size=500)

    def named(self, code: str) -> Coupon | None:
        return self.select_related("grant__incident", "grant__campaign__policy").filter(code=code).first()

    def usable(self, at: datetime) -> Self:
        return self.filter(redeemed_at__isnull=True, revoked_at__isnull=True, expires_at__gt=at)

    def take(self, coupon: Coupon, order_key: str, discount: Decimal, at: datetime) -> bool:
        """One conditional UPDATE: of any number at once, one wins."""
        rows = self.usable(at).filter(pk=coupon.pk)
        taken = rows.update(redeemed_at=at, redeemed_order=order_key, discount=discount)
        if taken:
            coupon.redeemed_at, coupon.redeemed_order, coupon.discount = at, order_key, discount
        return bool(taken)

    def give_back(self, order_key: str) -> int:
        """The order came to nothing: its coupons can be used again, for as long as they last."""
        rows = self.filter(redeemed_order=order_key, redeemed_at__isnull=False)
        return rows.update(redeemed_at=None, redeemed_order="", discount=None)

    def revoke(self, at: datetime) -> int:
        return self.filter(redeemed_at__isnull=True, revoked_at__isnull=True).update(revoked_at=at)


class Coupon(Worth):
    """A code that takes something off one order, once."""

    grant = models.OneToOneField(Grant, models.CASCADE, related_name="coupon", verbose_name=_("grant"))
    code = models.CharField(_("code"), max_length=16, unique=True)
    expires_at = models.DateTimeField(_("expires at"))
    redeemed_at = models.DateTimeField(_("redeemed at"), null=True, blank=True)
    redeemed_order = models.CharField(_("redeemed with order"), max_length=64, blank=True)
    discount = money(_("taken off"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        indexes = [
            OpenIndex(fields=["redeemed_order"], where=Q(redeemed_at__isnull=False), name="sb_coupon_redeemed_order")
        ]

    def __str__(self) -> str:
        return f"…{self.code[-4:]}"

    @property
    def shown(self) -> str:
        return grouped(self.code)
