"""The outbox: one row per (what, channel, recipient)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.queries import OpenIndex, RowQuerySet, stand_in
from statusbreaks.incidents.models import Incident
from statusbreaks.shop.values import Person

LEASE = timedelta(minutes=5)
TRIES = 8


class MessageQuerySet(RowQuerySet["Message"]):
    def put(self, messages: Iterable[Message]) -> None:
        """Into the outbox; what is in it already stays as it is."""
        self.bulk_create(messages, ignore_conflicts=True, batch_size=500)

    def queued(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def due(self, at: datetime) -> Self:
        """Not sent, not set aside, not held by a worker that lives, and their time has come."""
        return self.queued().filter(not_before__lte=at)

    def claim(self, worker: str, at: datetime, size: int) -> list[Message]:
        """Take up to `size` due rows for `worker`; should it die, they are due again after the lease.

        Urgent classes first. Rows that another worker is taking are passed over, and where the database cannot do
        that, its one writer at a time or the condition on the UPDATE sees to it: two workers never hold the same row.
        """
        ranks = [
            When(recipient_class=name, then=Value(rank)) for rank, name in enumerate(Message.RecipientClass.values)
        ]
        due = self.due(at).order_by(Case(*ranks, default=Value(len(ranks))), "not_before", "pk")
        if not self.due(at).exists():
            return []
        with transaction.atomic(using=self.db):
            keys = [message.pk for message in due.only("pk").locked()[:size]]
            taken = self.due(at).filter(pk__in=keys)
            if not keys or not taken.update(claimed_by=worker, not_before=at + LEASE, tries=F("tries") + 1):
                return []
            return list(self.queued().filter(pk__in=keys, claimed_by=worker).order_by("pk"))

    def held_by(self, message: Message) -> Self:
        """The row, if the worker that claimed it still has it."""
        return self.filter(pk=message.pk, claimed_by=message.claimed_by, closed_at__isnull=True)

    def mark_sent(self, message: Message, at: datetime) -> None:
        self.filter(pk=message.pk).update(status=Message.Status.SENT, sent_at=at, closed_at=at, claimed_by="", error="")

    def mark_failed(self, message: Message, error: str, at: datetime) -> None:
        """Set aside: no more tries."""
        self.held_by(message).update(status=Message.Status.FAILED, closed_at=at, claimed_by="", error=error[:300])

    def retry(self, message: Message, error: str, at: datetime) -> None:
        """Again later, each time twice as long: 30 s, 1 min, … about an hour in all."""
        pause = timedelta(seconds=30 * 2 ** (message.tries - 1))
        self.held_by(message).update(not_before=at + pause, claimed_by="", error=error[:300])

    def requeue(self, at: datetime) -> int:
        """Those that were set aside are tried anew, as if for the first time."""
        failed = self.filter(status=Message.Status.FAILED)
        return failed.update(status=Message.Status.QUEUED, closed_at=None, not_before=at, tries=0, error="")

    def to_person(self, person: Person) -> Self:
        addresses = [Q(recipient__iexact=contact) for contact in person.contacts | person.phones]
        return self.filter(reduce(or_, addresses, Q(user__in=person.users)))

    def forget(self, at: datetime) -> int:
        """Whom these were for and what they said. What is queued is not sent any more."""
        self.queued().update(status=Message.Status.SKIPPED, closed_at=at, claimed_by="")
        return self.update(recipient=stand_in("forgotten-"), user=None, subject="", body="", html="", error="")

    def closed_before(self, moment: datetime) -> Self:
        """Sent or set aside before then, of no incident that is going on."""
        return self.filter(closed_at__lt=moment).exclude(incident__in=Incident.objects.active())

    def withdraw_updates(self, incident: Incident, *, but: str, at: datetime) -> int:
        """What is still queued of earlier updates is not sent any more."""
        queued = self.queued().filter(incident=incident, topic__startswith="update:")
        # What a worker holds it may be sending at this moment; what a dead one held is free after its lease.
        free = queued.filter(Q(claimed_by="") | Q(not_before__lte=at))
        return free.exclude(topic=but).update(status=Message.Status.SKIPPED, closed_at=at, error="outdated")


class Message(models.Model):
    """One text to one recipient over one channel."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")

    class RecipientClass(models.TextChoices):
        """Which rules of consent hold, in the order of their urgency."""

        SERVICE = "service", _("service")
        SUBSCRIBED = "subscribed", _("subscribed")
        MARKETING = "marketing", _("marketing")

    topic = models.CharField(_("about"), max_length=60)
    channel = models.CharField(_("channel"), max_length=20, default="email")
    recipient = models.CharField(_("recipient"), max_length=254)
    recipient_class = models.CharField(_("recipient class"), max_length=12, choices=RecipientClass)
    language = models.CharField(_("language"), max_length=12, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, blank=True, related_name="messages")
    order_number = models.CharField(_("order number"), max_length=64, blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.QUEUED)
    created_at = models.DateTimeField(_("queued at"), default=timezone.now)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    claimed_by = models.CharField(max_length=40, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    error = models.CharField(_("error"), max_length=300, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [models.UniqueConstraint(fields=["topic", "channel", "recipient"], name="sb_message_unique")]
        indexes = [OpenIndex(fields=["not_before"], where=Q(closed_at__isnull=True), name="sb_message_due")]

    def __str__(self) -> str:
        return f"{self.topic} ({self.channel})"

    @classmethod
    def skipped(cls, recipient: str, why: str, at: datetime, **common: Any) -> Message:
        """A row that says why nothing was sent."""
        return cls(**common, recipient=recipient, status=cls.Status.SKIPPED, closed_at=at, error=why)
