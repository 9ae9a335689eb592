"""The payment providers and carriers the shop works with, here played by code."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderQuerySet(models.QuerySet["Provider"]):
    def payment(self) -> ProviderQuerySet:
        return self.filter(kind=Provider.Kind.PAYMENT)

    def carriers(self) -> ProviderQuerySet:
        return self.filter(kind=Provider.Kind.CARRIER)

    def answering(self) -> ProviderQuerySet:
        return self.exclude(mode=Provider.Mode.STALL)

    def stalled(self) -> ProviderQuerySet:
        return self.filter(mode=Provider.Mode.STALL)

    def codes(self) -> models.QuerySet[Provider, str]:
        return self.values_list("code", flat=True)


class Provider(models.Model):
    class Kind(models.TextChoices):
        PAYMENT = "payment", _("payments")
        CARRIER = "carrier", _("parcels")

    class Mode(models.TextChoices):
        CONFIRM = "confirm", _("works")
        STALL = "stall", _("stalls: answers nothing")
        REFUSE = "refuse", _("refuses: payments fail, parcels come back")

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.CONFIRM)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["-kind", "name"]
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.name

    @property
    def working(self) -> bool:
        return self.mode == self.Mode.CONFIRM

    def switch(self, mode: str, at: datetime) -> None:
        """Play an outage, or its end. A failure that goes on keeps the time at which it began."""
        self.mode = self.Mode(mode)
        self.failing_since = None if self.working else (self.failing_since or at)
        self.save(update_fields=["mode", "failing_since"])
