"""The record of who closed what and why, and the ways around a closed shop. What shoppers meet is the snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from statusbreaks.core.queries import OpenIndex, RowQuerySet
from statusbreaks.maintenance.channels import hours_problem, target_problem
from statusbreaks.maintenance.scopes import known_scopes


class ClosingQuerySet(RowQuerySet["Closing"]):
    def unsettled(self) -> Self:
        """Not ended yet, or still held by an incident that may have ended; with what the page needs to know."""
        return self.filter(Q(ended_at__isnull=True) | Q(held_by__isnull=False)).select_related("incident")

    def unended(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def showable(self, at: datetime) -> Self:
        """Running or planned, with what the page shows of them."""
        rows = self.unended().filter(ends_at__gt=at).order_by("begins_at", "pk")
        return rows.select_related("incident").prefetch_related("texts")

    def hold(self, held_by: str, **facts: Any) -> tuple[Closing, bool]:
        """The closing that an incident holds, and whether it was made now: once, whoever asks at the same moment."""
        return self.get_or_create(held_by=held_by, defaults=facts)

    def begin(self, closing: Closing, at: datetime) -> bool:
        return self._stamp(closing, closed_at=at)

    def end(self, closing: Closing, at: datetime, by: Any = None) -> bool:
        """True if it had not ended before: two who open it at once are told apart here."""
        return self._stamp(closing, ended_at=at, **({"ended_by": by} if by else {}))

    def _stamp(self, closing: Closing, **facts: Any) -> bool:
        first = next(iter(facts))
        stamped = self.filter(pk=closing.pk, **{f"{first}__isnull": True}).update(**facts)
        if stamped:
            for name, value in facts.items():
                setattr(closing, name, value)
        return bool(stamped)

    def release(self, closings: Iterable[Closing]) -> None:
        """Their incident is over; one that is reopened may close the shop again."""
        self.filter(pk__in=[closing.pk for closing in closings]).update(held_by=None)


class Closing(TimeStampedModel):
    """A lease on a part of the shop: closed from `begins_at` until it is ended, and never beyond `ends_at`.

    The shop is closed as long as one of them runs: who opens ends only a closing of their own.
    """

    class Scope(models.TextChoices):
        SITE = "site", _("the whole site")
        STOREFRONT = "storefront", _("the shop, but not accounts and the API")
        CHECKOUT = "checkout", _("checkout")
        ACCOUNT = "account", _("customer accounts")
        WRITES = "writes", _("everything that writes (read-only shop)")
        API = "api", _("API")

    # No choices: a name of your own in SCOPES is as good.
    scope = models.CharField(
        _("what is closed"),
        max_length=40,
        default=Scope.SITE,
        help_text=_("site, storefront, checkout, account, writes, api, or a name of your own from SCOPES"),
    )
    incident = models.ForeignKey(
        "statusbreaks.Incident",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="closings",
        verbose_name=_("incident"),
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True, help_text=_("Internal; shoppers never see it."))
    begins_at = models.DateTimeField(_("begins at"), default=timezone.now)
    expected_open_at = models.DateTimeField(_("expected to open at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("opens by itself at"), help_text=_("At the latest, so that nothing stays closed."))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("closing opened by"),
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("closing ended by"),
    )
    # "<incident>:<scope>" of a closing that a playbook made, null for all others and once the incident is over: it is
    # made once, and one that staff ended stays ended.
    held_by = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001

    objects = ClosingQuerySet.as_manager()

    class Meta:
        verbose_name = _("closing")
        verbose_name_plural = _("closings")
        ordering = ["-begins_at"]
        indexes = [OpenIndex(fields=["id"], where=Q(ended_at__isnull=True), name="sb_closing_unended")]

    def __str__(self) -> str:
        return f"{self.scope_label} {self.begins_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        if self.scope not in known_scopes():
            names = ", ".join(known_scopes())
            raise ValidationError({"scope": _("Not a known scope. Known are: %(names)s.") % {"names": names}})
        if self.ends_at and self.begins_at and self.ends_at <= self.begins_at:
            raise ValidationError({"ends_at": _("It must end after it begins.")})
        if self.ends_at and self.expected_open_at and self.ends_at < self.expected_open_at:
            raise ValidationError({"ends_at": _("It must not open by itself before it is expected to open.")})

    @property
    def scope_label(self) -> str:
        return str(self.Scope(self.scope).label) if self.scope in self.Scope.values else self.scope

    def say(self, texts: Iterable[ClosingText]) -> None:
        """Take over these words, of this closing or of another."""
        for text in texts:
            words = {"headline": text.headline, "body": text.body}
            self.texts.update_or_create(language=text.language, defaults=words)

    def is_running(self, at: datetime) -> bool:
        return self.ended_at is None and self.begins_at <= at < self.ends_at


class ClosingText(models.Model):
    """What shoppers read of a closing in one language, in place of what the incident's updates say."""

    closing = models.ForeignKey(Closing, models.CASCADE, related_name="texts", verbose_name=_("closing"))
    language = models.CharField(_("language"), max_length=12)
    headline = models.CharField(_("headline"), max_length=120, blank=True)
    body = models.TextField(_("text"), blank=True)

    class Meta:
        verbose_name = _("closing text")
        verbose_name_plural = _("closing texts")
        constraints = [models.UniqueConstraint(fields=["closing", "language"], name="sb_closing_text")]

    def __str__(self) -> str:
        return f"{self.language}: {self.headline}"


class AlternativeChannelQuerySet(RowQuerySet["AlternativeChannel"]):
    def active(self) -> Self:
        return self.filter(is_active=True).order_by("position", "pk")


class AlternativeChannel(TimeStampedModel):
    """How shoppers reach the shop while it is closed."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("phone")
        WHATSAPP = "whatsapp", _("WhatsApp")
        CHAT = "chat", _("chat")
        EMAIL = "email", _("e-mail")
        MARKETPLACE = "marketplace", _("marketplace")
        SITE = "site", _("other site")
        SHOP = "shop", _("shop to visit")
        CATALOGUE = "catalogue", _("catalogue")
        ORDER_FORM = "order_form", _("order form")
        SOCIAL = "social", _("social network")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    label = models.CharField(_("label"), max_length=80, help_text=_("As shoppers read it: Order by phone"))
    target = models.CharField(
        _("target"), max_length=300, help_text=_("A phone number, an e-mail address, a web address or a street address")
    )
    note = models.CharField(_("note"), max_length=160, blank=True, help_text=_("Card or cash on delivery; PDF, 3.1 MB"))
    hours = models.CharField(
        _("opening hours"),
        max_length=160,
        blank=True,
        help_text=_("Mo-Fr 08:00-20:00; Sa 09:00-14:00, or 24/7. Empty: not stated. In the time zone of the site."),
    )
    reply_time = models.CharField(_("reply time"), max_length=80, blank=True, help_text=_("Usual reply: 6 minutes"))
    language = models.CharField(_("language"), max_length=12, blank=True, help_text=_("Empty: all languages."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    objects = AlternativeChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("alternative channel")
        verbose_name_plural = _("alternative channels")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        problems = {"target": target_problem(self.kind, self.target), "hours": hours_problem(self.hours)}
        wrong = {field: text for field, text in problems.items() if text}
        if wrong:
            raise ValidationError(wrong)
