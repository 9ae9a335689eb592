"""Incidents, what is said of them, whom they touched, and the plans for handling them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from statusbreaks.conf import conf
from statusbreaks.core.queries import OpenIndex, RowQuerySet
from statusbreaks.flows.models import Alarm, OrderRow, StatusBreak, Watch, WatchQuerySet
from statusbreaks.shop.values import Flow, Person


class Impact(models.TextChoices):
    NONE = "none", _("none")
    MINOR = "minor", _("minor")
    MAJOR = "major", _("major")
    CRITICAL = "critical", _("critical")


class ComponentQuerySet(RowQuerySet["Component"]):
    def recolour(self, component: Component) -> None:
        """Give it the status of the worst public incident on it; a maintenance is not overruled."""
        worst = Incident.objects.worst_on(component)
        rows = self.filter(pk=component.pk).exclude(status=Component.Status.MAINTENANCE)
        rows.update(status=STATUS_BY_IMPACT[worst])


class Component(TimeStampedModel):
    """A part of the shop that has a public status."""

    class Status(models.TextChoices):
        OPERATIONAL = "operational", _("operational")
        DEGRADED = "degraded_performance", _("degraded")
        PARTIAL_OUTAGE = "partial_outage", _("partial outage")
        MAJOR_OUTAGE = "major_outage", _("major outage")
        MAINTENANCE = "under_maintenance", _("under maintenance")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("short name"), unique=True)
    status = models.CharField(_("status"), max_length=24, choices=Status, default=Status.OPERATIONAL)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        verbose_name = _("component")
        verbose_name_plural = _("components")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


STATUS_BY_IMPACT = {
    Impact.NONE: Component.Status.OPERATIONAL,
    Impact.MINOR: Component.Status.DEGRADED,
    Impact.MAJOR: Component.Status.PARTIAL_OUTAGE,
    Impact.CRITICAL: Component.Status.MAJOR_OUTAGE,
}


class TextRow(models.Model):
    """A text in one language."""

    language = models.CharField(_("language"), max_length=12)
    headline = models.CharField(_("headline"), max_length=120)
    body = models.TextField(_("text"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.language}: {self.headline}"


class PlaybookQuerySet(RowQuerySet["Playbook"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def best_for(self, flow: str, segment: str) -> Playbook | None:
        """The plan for this flow and segment, else the one for the whole flow."""
        return self.active().filter(flow=flow, segment__in=["", segment]).order_by("-segment", "pk").first()


class Playbook(TimeStampedModel):
    """The action plan for a kind of incident: what happens by itself, and the texts prepared for it."""

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind of incident"), max_length=20, default="payment")
    flow = models.CharField(_("flow"), max_length=10, choices=Flow, blank=True)
    segment = models.CharField(_("segment"), max_length=64, blank=True, help_text=_("Empty: every segment."))
    impact = models.CharField(_("impact"), max_length=10, choices=Impact, default=Impact.MAJOR)
    opens_from = models.PositiveIntegerField(
        _("opens an incident from"), default=3, help_text=_("Status breaks of the same flow and segment.")
    )
    publishes = models.BooleanField(
        _("tells the customers by itself"),
        default=False,
        help_text=_("Else incidents stay private until staff say so."),
    )
    closes = models.JSONField(
        _("closes"), default=list, blank=True, help_text=_('Parts of the shop to close, as a list: ["checkout"].')
    )
    resolves_after = models.DurationField(
        _("resolves by itself after"), null=True, blank=True, help_text=_("With nothing wrong any more; empty: never.")
    )
    asks_after = models.DurationField(
        _("asks for a rating after"), null=True, blank=True, help_text=_("Counted from the resolution; empty: never.")
    )
    components = models.ManyToManyField(Component, blank=True, verbose_name=_("components"))
    is_active = models.BooleanField(_("active"), default=True)

    objects = PlaybookQuerySet.as_manager()

    class Meta:
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")

    def __str__(self) -> str:
        return self.name

    def texts_for(self, event: str) -> list[PlaybookText]:
        return list(self.texts.filter(event=event))


class PlaybookText(TextRow):
    """A text prepared for one moment of an incident, per language."""

    class Event(models.TextChoices):
        OPENED = "opened", _("opened")
        RESOLVED = "resolved", _("resolved")

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="texts", verbose_name=_("playbook"))
    event = models.CharField(_("when"), max_length=12, choices=Event)

    class Meta:
        verbose_name = _("prepared text")
        verbose_name_plural = _("prepared texts")
        constraints = [models.UniqueConstraint(fields=["playbook", "event", "language"], name="sb_playbook_text")]


class IncidentQuerySet(RowQuerySet["Incident"]):
    def active(self) -> Self:
        return self.filter(status__in=Incident.ACTIVE)

    def public(self) -> Self:
        return self.filter(published_at__isnull=False)

    def absorbing(self, flow: str, segment: str) -> Incident | None:
        """The open incident that further breaks and alarms of this flow and segment belong to."""
        return self.filter(open_key=open_key(flow, segment)).first()

    def unannounced(self) -> Self:
        """Of which somebody concerned may not have been told the current update."""
        return self.filter(announced_at__isnull=True, current_update__isnull=False)

    def with_update(self) -> Self:
        return self.select_related("current_update").prefetch_related("current_update__texts")

    def resolved(self) -> Self:
        return self.filter(status__in=[Incident.Status.RESOLVED, Incident.Status.POSTMORTEM])

    def uncompensated(self) -> Self:
        """Over, and nobody has looked yet whether something is owed."""
        return self.resolved().filter(compensated_at__isnull=True)

    def mark_compensated(self, incident: Incident, at: datetime) -> None:
        self.only_this(incident).update(compensated_at=at)

    def unasked(self, at: datetime) -> Self:
        """Over for as long as their playbook wants to wait before it asks."""
        due = F("resolved_at") + F("playbook__asks_after")
        return (
            self.resolved()
            .filter(asked_at__isnull=True, playbook__asks_after__isnull=False)
            .alias(due=due)
            .filter(due__lte=at)
        )

    def mark_asked(self, incident: Incident, at: datetime) -> None:
        self.only_this(incident).update(asked_at=at)

    def quiet(self) -> Self:
        """With nothing wrong any more: the flow runs again, or, where no alarm rang, no order waits any more."""
        alarms = Alarm.objects.filter(incidents=OuterRef("pk"))
        waiting = AffectedOrder.objects.waiting().filter(incident=OuterRef("pk"))
        return self.active().filter(~Exists(alarms.open()), Exists(alarms) | ~Exists(waiting))

    def has(self, incident: Incident) -> bool:
        return self.only_this(incident).exists()

    def mark_quiet(self, incident: Incident, at: datetime | None) -> None:
        self.only_this(incident).update(quiet_at=at)
        incident.quiet_at = at

    def to_watch(self) -> Self:
        """That the app opened and that are not over."""
        return self.active().filter(is_automatic=True).select_related("playbook")

    def only_this(self, incident: Incident) -> Self:
        return self.filter(pk=incident.pk)

    def mark_changed(self) -> int:
        """There is something new to tell: an update, or an order that joined."""
        return self.update(announced_at=None, version=F("version") + 1)

    def mark_announced(self, incident: Incident, at: datetime) -> bool:
        """False when an update or an order came in meanwhile: then there is more to tell."""
        return bool(self.only_this(incident).filter(version=incident.version).update(announced_at=at))

    def worst_on(self, component: Component) -> Impact:
        impacts = self.active().public().filter(components=component).values_list("impact", flat=True)
        return max((Impact(impact) for impact in impacts), key=list(Impact).index, default=Impact.NONE)


def open_key(flow: str, segment: str) -> str:
    return f"{flow}:{segment}"


class Incident(TimeStampedModel):
    """A disruption that staff handle: what breaks share, or an outage."""

    class Kind(models.TextChoices):
        ORDER = "order", _("order")
        PAYMENT = "payment", _("payment")
        DELIVERY = "delivery", _("delivery")
        STOCK = "stock", _("stock")
        OUTAGE = "outage", _("shop outage")
        SUPPLIER = "supplier", _("supplier")
        MAINTENANCE = "maintenance", _("maintenance")

    class Status(models.TextChoices):
        SUSPECTED = "suspected", _("suspected")
        INVESTIGATING = "investigating", _("looking into it")
        IDENTIFIED = "identified", _("cause found")
        MONITORING = "monitoring", _("watching")
        RESOLVED = "resolved", _("resolved")
        POSTMORTEM = "postmortem", _("post-mortem")
        DISMISSED = "dismissed", _("dismissed")
        MERGED = "merged", _("merged")

    ACTIVE = (Status.SUSPECTED, Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    title = models.CharField(_("title"), max_length=160)
    status = models.CharField(_("status"), max_length=14, choices=Status, default=Status.INVESTIGATING)
    impact = models.CharField(_("impact"), max_length=10, choices=Impact, default=Impact.MINOR)
    severity = models.PositiveSmallIntegerField(
        _("severity"), null=True, blank=True, help_text=_("Internal: 1 is the worst, 4 the least.")
    )
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    flow = models.CharField(_("flow"), max_length=10, choices=Flow, blank=True)
    segment = models.CharField(_("segment"), max_length=64, blank=True)
    is_automatic = models.BooleanField(_("opened by the app"), default=False, editable=False)
    playbook = models.ForeignKey(Playbook, models.SET_NULL, null=True, blank=True, verbose_name=_("playbook"))
    components = models.ManyToManyField(Component, blank=True, verbose_name=_("components"))
    alarms = models.ManyToManyField(Alarm, blank=True, related_name="incidents", verbose_name=_("alarms"))
    impact_started_at = models.DateTimeField(_("began at"), null=True, blank=True)
    detected_at = models.DateTimeField(_("noticed at"), default=timezone.now)
    quiet_at = models.DateTimeField(_("quiet since"), null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True, blank=True)
    published_at = models.DateTimeField(_("public since"), null=True, blank=True)
    announced_at = models.DateTimeField(null=True, blank=True, editable=False)
    compensated_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    current_update = models.ForeignKey(
        "statusbreaks.IncidentUpdate", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("opened by")
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    # Null once it is over: one open incident absorbs all of a flow and segment, on every database.
    open_key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-detected_at"]
        permissions = [("publish_incident", _("Can publish updates of incidents"))]
        indexes = [
            OpenIndex(
                fields=["id"],
                where=Q(announced_at__isnull=True, current_update__isnull=False),
                name="sb_incident_unannounced",
            ),
            models.Index(fields=["status", "detected_at"], name="sb_incident_status"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    @property
    def reference(self) -> str:
        """How people name it, such as SB-17."""
        return f"{conf().incident_prefix}-{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def began_at(self) -> datetime:
        """When it began as far as that is known, else when it was noticed."""
        return self.impact_started_at or self.detected_at

    def affected_orders(self) -> list[str]:
        """The keys of the orders it happened to."""
        return list(self.affected.kept().order_by("pk").values_list("order_key", flat=True))


class IncidentEvent(models.Model):
    """The audit: who did what when. Rows are only ever added."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="events", verbose_name=_("incident"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    what = models.CharField(_("what"), max_length=40)
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("incident event")
        verbose_name_plural = _("incident events")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.what} {self.detail}".strip()


class IncidentUpdateQuerySet(RowQuerySet["IncidentUpdate"]):
    def published(self) -> Self:
        return self.filter(published_at__isnull=False).order_by("published_at", "pk")

    def take_draft(self, update: IncidentUpdate) -> bool:
        """Of any number at once who want to publish a draft, one gets it."""
        return bool(self.filter(pk=update.pk, published_at__isnull=True).delete()[0])


class IncidentUpdate(TimeStampedModel):
    """The only thing that speaks to the public."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="updates", verbose_name=_("incident"))
    status = models.CharField(_("status then"), max_length=14, choices=Incident.Status)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    notifies = models.BooleanField(_("tell the customers concerned"), default=True)
    eta_at = models.DateTimeField(_("solved by, as far as we know"), null=True, blank=True)
    next_update_at = models.DateTimeField(_("next update by"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = IncidentUpdateQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident update")
        verbose_name_plural = _("incident updates")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.get_status_display()} ({self.created:%Y-%m-%d %H:%M})"

    def text_in(self, language: str) -> UpdateText | None:
        """The text in this language, else in its base, else in the site's, else whichever there is."""
        texts = {text.language: text for text in self.texts.all()}
        for wanted in (language, language.split("-")[0], settings.LANGUAGE_CODE, settings.LANGUAGE_CODE.split("-")[0]):
            if wanted in texts:
                return texts[wanted]
        return next(iter(texts.values()), None)


class UpdateText(TextRow):
    update = models.ForeignKey(IncidentUpdate, models.CASCADE, related_name="texts", verbose_name=_("update"))

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["update", "language"], name="sb_update_text")]


class AffectedOrderQuerySet(RowQuerySet["AffectedOrder"]):
    def kept(self) -> Self:
        return self.filter(removed_at__isnull=True)

    def under_way(self) -> Self:
        return self.filter(incident__in=Incident.objects.active())

    def of_person(self, person: Person) -> Self:
        return self.filter(user__in=person.users)

    def forget(self) -> int:
        return self.update(user=None)

    def waiting(self) -> Self:
        return self.kept().filter(recovered_at__isnull=True)

    def untold(self, update_id: int) -> Self:
        """Who has not been told this update. Earlier ones that were missed are not sent any more, and whose order went
        on before a word was said is left in peace."""
        return self.kept().filter(told_through__lt=update_id).exclude(told_through=0, recovered_at__isnull=False)

    def mark_told(self, orders: Iterable[AffectedOrder], update_id: int) -> None:
        self.filter(pk__in=[order.pk for order in orders]).update(told_through=update_id)

    def mark_compensated(self, orders: Iterable[AffectedOrder], at: datetime) -> None:
        self.filter(pk__in=[order.pk for order in orders]).update(compensated_at=at)

    def mark_asked(self, orders: Iterable[AffectedOrder], at: datetime) -> None:
        self.filter(pk__in=[order.pk for order in orders]).update(asked_at=at)

    def uncompensated(self) -> Self:
        return self.kept().filter(compensated_at__isnull=True)

    def unasked(self) -> Self:
        return self.kept().filter(asked_at__isnull=True)

    def of(self, incident: Incident) -> Self:
        return self.filter(incident=incident)

    def not_yet_among(self, watches: WatchQuerySet, incident: Incident) -> WatchQuerySet:
        """Those of the watches whose order has not joined the incident."""
        same = self.of(incident).filter(source=OuterRef("source"), order_key=OuterRef("order_key"))
        return watches.filter(~Exists(same))

    def held_up_elsewhere(self, watches: WatchQuerySet, flow: str) -> tuple[Incident | None, int]:
        """The open incident of another flow that holds up most of the watched orders, and how many of them."""
        same = watches.filter(source=OuterRef("source"), order_key=OuterRef("order_key"))
        held = self.waiting().filter(Exists(same), incident__in=Incident.objects.active()).exclude(incident__flow=flow)
        most = held.values_list("incident").annotate(count=Count("pk")).order_by("-count").first()
        return (Incident.objects.get(pk=most[0]), most[1]) if most else (None, 0)

    def join(self, rows: Iterable[AffectedOrder]) -> None:
        self.bulk_create(rows, ignore_conflicts=True, batch_size=500)

    def remove(self, at: datetime) -> int:
        return self.kept().update(removed_at=at)

    def restore(self, watches: Iterable[Watch]) -> int:
        """Those of these that had been removed."""
        same = [Q(source=watch.source, order_key=watch.order_key) for watch in watches]
        return self.filter(reduce(or_, same, Q(pk=None)), removed_at__isnull=False).update(removed_at=None)

    def recover(self, at: datetime) -> int:
        """Note which of these have gone on since: their watch has left the status in which it was stuck."""
        same = Watch.objects.filter(source=OuterRef("source"), order_key=OuterRef("order_key"), flow=OuterRef("flow"))
        gone_on = same.filter(Q(changed_at__gt=OuterRef("stuck_since")) | Q(ended_at__isnull=False))
        return self.waiting().filter(Exists(gone_on)).update(recovered_at=at)


class AffectedOrder(OrderRow):
    """Whom an incident happened to, and why we think so. Frozen when it joins."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="affected", verbose_name=_("incident"))
    flow = models.CharField(_("flow"), max_length=10, choices=Flow, blank=True)
    segment = models.CharField(_("segment"), max_length=64, blank=True)
    status_break = models.ForeignKey(StatusBreak, models.SET_NULL, null=True, blank=True, related_name="affected")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=160, blank=True)
    value = models.DecimalField(_("value at risk"), max_digits=14, decimal_places=3, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    stuck_since = models.DateTimeField(_("stuck since"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now)
    recovered_at = models.DateTimeField(_("went on at"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)
    told_through = models.BigIntegerField(default=0, editable=False)
    compensated_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AffectedOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected order")
        verbose_name_plural = _("affected orders")
        constraints = [
            models.UniqueConstraint(fields=["incident", "source", "order_key"], name="sb_affected_order_unique")
        ]
        indexes = [
            models.Index(fields=["source", "order_key"], name="sb_affected_order"),
            models.Index(fields=["incident", "told_through"], name="sb_affected_untold"),
            OpenIndex(
                fields=["incident"],
                where=Q(recovered_at__isnull=True, removed_at__isnull=True),
                name="sb_affected_waiting",
            ),
        ]
