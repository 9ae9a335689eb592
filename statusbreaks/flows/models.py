"""The ledger, the watch list, and what was found on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Self

from django.db import connections, models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from statusbreaks.core.queries import OpenIndex, RowQuerySet
from statusbreaks.shop.values import SHOP, Flow, StatusEvent

Place = tuple[str, str, str]  # flow, segment, status
COPIED = ("source", "order_key", "order_number", "flow", "status", "segment")


class OrderRow(models.Model):
    """An order is (source, key as text), with its number copied: no foreign key, so it survives what the shop does."""

    source = models.CharField(_("source"), max_length=40, default=SHOP)
    order_key = models.CharField(_("order key"), max_length=64)
    order_number = models.CharField(_("order number"), max_length=64, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.order_number or self.order_key


class FlowRow(OrderRow):
    flow = models.CharField(_("flow"), max_length=10, choices=Flow)
    status = models.CharField(_("status"), max_length=64, blank=True)
    segment = models.CharField(_("segment"), max_length=64, blank=True)

    class Meta:
        abstract = True


class StatusChangeQuerySet(RowQuerySet["StatusChange"]):
    def unfollowed(self) -> Self:
        return self.filter(followed_at__isnull=True)

    def followed_before(self, moment: datetime) -> Self:
        return self.filter(followed_at__lt=moment, recorded_at__lt=moment).of_no_order_in(Watch.objects.open())

    def of_order(self, source: str, order_key: str) -> Self:
        return self.filter(source=source, order_key=order_key).order_by("occurred_at", "pk")

    def append(self, events: Iterable[StatusEvent]) -> None:
        """Add these to the ledger; an event that is known by its `event_id` adds nothing."""
        self.bulk_create([StatusChange.of(event) for event in events], ignore_conflicts=True)

    def known_ids(self, event_ids: Iterable[str | None]) -> set[str | None]:
        return set(self.filter(event_id__in=list(event_ids)).values_list("event_id", flat=True))

    def mark_followed(self, changes: Iterable[StatusChange], at: datetime) -> None:
        self.filter(pk__in=[change.pk for change in changes]).update(followed_at=at)


class StatusChange(FlowRow):
    """The ledger: this order's flow was seen in this status at this time. Rows are only ever added."""

    class Via(models.TextChoices):
        SIGNAL = "signal", _("signal")
        TRIGGER = "trigger", _("database trigger")
        API = "api", _("API")
        RECONCILE = "reconcile", _("reconcile")

    via = models.CharField(_("seen by"), max_length=10, choices=Via, default=Via.SIGNAL)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    event_id = models.CharField(_("event id"), max_length=80, null=True, unique=True)  # noqa: DJ001 - many nulls, no two the same
    followed_at = models.DateTimeField(_("followed at"), null=True)

    objects = StatusChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [
            OpenIndex(fields=["id"], where=Q(followed_at__isnull=True), name="sb_change_unfollowed"),
            models.Index(fields=["source", "order_key"], name="sb_change_order"),
        ]

    @classmethod
    def of(cls, event: StatusEvent) -> StatusChange:
        return cls(**asdict(event))

    def refuse_nonsense(self) -> None:
        """Raises ValidationError where a value is missing, too long, or no flow."""
        self.clean_fields(exclude={name for name in ("event_id", "followed_at") if getattr(self, name) is None})


class WatchQuerySet(RowQuerySet["Watch"]):
    def of_orders(self, source: str, keys: Iterable[str]) -> Self:
        return self.filter(source=source, order_key__in=list(keys))

    def open(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def ended_before(self, moment: datetime) -> Self:
        return self.filter(ended_at__lt=moment).exclude(breaks__in=StatusBreak.objects.open())

    def overdue(self, at: datetime) -> Self:
        """Whose deadline has passed and of whom that was not yet said."""
        return self.filter(due_at__lte=at, breached_at__isnull=True, ended_at__isnull=True)

    def waiting_in(self, flow: str, segment: str, status: str) -> Self:
        return self.open().filter(flow=flow, segment=segment, status=status)

    def entered_since(self, moment: datetime) -> Self:
        return self.filter(changed_at__gte=moment)

    def waiting_at(self, places: Iterable[PlaceRow]) -> dict[Place, list[datetime]]:
        """Since when the orders at each of these places wait."""
        at = [Q(flow=place.flow, segment=place.segment, status=place.status) for place in places]
        found: dict[Place, list[datetime]] = defaultdict(list)
        rows = self.open().filter(reduce(or_, at)).values_list("flow", "segment", "status", "changed_at")
        for flow, segment, status, moment in rows:
            found[flow, segment, status].append(moment)
        return found

    def newest(self, number: int) -> list[Watch]:
        return list(self.order_by("-changed_at", "-pk")[:number])

    def held(self, source: str, keys: Iterable[str]) -> dict[tuple[str, str], Watch]:
        """These orders' watches by (key, flow), locked in one order so that two workers never wait in a ring."""
        rows = self.of_orders(source, keys).order_by("pk").select_for_update()
        return {(watch.order_key, watch.flow): watch for watch in rows}

    def make(self, watches: Iterable[Watch]) -> None:
        self.bulk_create(watches, ignore_conflicts=True)

    def mark_breached(self, watches: Iterable[Watch], at: datetime) -> None:
        self.filter(pk__in=[watch.pk for watch in watches]).update(breached_at=at)

    def end(self, watches: Iterable[Watch], at: datetime) -> None:
        self.filter(pk__in=[watch.pk for watch in watches]).update(ended_at=at, due_at=None)

    def put(self, watches: list[Watch]) -> None:
        """Insert or overwrite by (source, order, flow), in one statement."""
        fields = ["order_number", "status", "segment", "changed_at", "due_at", "expectation", "breached_at", "ended_at"]
        target = ["source", "order_key", "flow"] if self._names_its_conflicts() else None
        self.bulk_create(watches, update_conflicts=True, update_fields=fields, unique_fields=target)

    def _names_its_conflicts(self) -> bool:
        return connections[self.db].features.supports_update_conflicts_with_target


class Watch(FlowRow):
    """Where one flow of one order stands, and by when the next step must have come. One row per order and flow."""

    changed_at = models.DateTimeField(_("in this status since"))
    due_at = models.DateTimeField(_("next step due at"), null=True, blank=True)
    expectation = models.ForeignKey(
        "statusbreaks.Expectation", models.SET_NULL, null=True, blank=True, verbose_name=_("expectation")
    )
    breached_at = models.DateTimeField(_("found overdue at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("watch")
        verbose_name_plural = _("watches")
        constraints = [models.UniqueConstraint(fields=["source", "order_key", "flow"], name="sb_watch_order_flow")]
        indexes = [
            OpenIndex(
                fields=["due_at"],
                where=Q(due_at__isnull=False, breached_at__isnull=True, ended_at__isnull=True),
                name="sb_watch_due",
            ),
            OpenIndex(
                fields=["flow", "segment", "status", "changed_at"], where=Q(ended_at__isnull=True), name="sb_watch_open"
            ),
            OpenIndex(fields=["source", "ended_at", "id"], where=Q(ended_at__isnull=True), name="sb_watch_round"),
        ]


class ExpectationQuerySet(RowQuerySet["Expectation"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Expectation(TimeStampedModel):
    """After this status the next must come within this time."""

    flow = models.CharField(_("flow"), max_length=10, choices=Flow)
    after = models.CharField(_("after the status"), max_length=64)
    segment = models.CharField(_("segment"), max_length=64, blank=True, help_text=_("Empty: every segment."))
    within = models.DurationField(_("the next step comes within"), default=timedelta(hours=24))
    is_active = models.BooleanField(_("active"), default=True)

    objects = ExpectationQuerySet.as_manager()

    class Meta:
        verbose_name = _("expectation")
        verbose_name_plural = _("expectations")
        constraints = [
            models.UniqueConstraint(fields=["flow", "after", "segment"], name="sb_expectation_unique"),
        ]

    def __str__(self) -> str:
        place = f" ({self.segment})" if self.segment else ""
        return f"{self.get_flow_display()}: {self.after}{place} → {self.within}"


class StatusBreakQuerySet(RowQuerySet["StatusBreak"]):
    def open(self) -> Self:
        return self.filter(healed_at__isnull=True)

    def ungrouped(self) -> Self:
        return self.filter(grouped_at__isnull=True, healed_at__isnull=True)

    def healed_before(self, moment: datetime) -> Self:
        return self.filter(healed_at__lt=moment)

    def of_watches(self, watches: Iterable[Watch]) -> Self:
        return self.filter(watch__in=[watch.pk for watch in watches])

    def counts(self) -> list[tuple[str, str, int]]:
        """How many there are by flow and segment."""
        return list(self.values_list("flow", "segment").annotate(count=Count("pk")).order_by("flow", "segment"))

    def mark_grouped(self, breaks: Iterable[StatusBreak], at: datetime) -> None:
        self.filter(pk__in=[one.pk for one in breaks]).update(grouped_at=at)

    def mark_healed(self, at: datetime) -> int:
        return self.open().update(healed_at=at, open_key=None)

    def open_all(self, breaks: Sequence[StatusBreak]) -> list[StatusBreak]:
        """Insert these, and hand them back as rows of the table; one that is open already stays as it is."""
        self.bulk_create(breaks, ignore_conflicts=True)
        return list(self.filter(open_key__in=[one.open_key for one in breaks])) if breaks else []

    def like(self, flow: str, segment: str) -> Self:
        return self.filter(flow=flow, segment=segment)


class StatusBreak(FlowRow):
    """One order whose flow was interrupted. It heals when the flow goes on."""

    class Kind(models.TextChoices):
        OVERDUE = "overdue", _("overdue")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.OVERDUE)
    watch = models.ForeignKey(Watch, models.SET_NULL, null=True, blank=True, related_name="breaks")
    began_at = models.DateTimeField(_("in this status since"))
    due_at = models.DateTimeField(_("was due at"), null=True, blank=True)
    opened_at = models.DateTimeField(_("noticed at"))
    healed_at = models.DateTimeField(_("healed at"), null=True, blank=True)
    grouped_at = models.DateTimeField(_("part of an incident since"), null=True, blank=True)
    # Null once healed: an open break is unique on every database, also where there are no partial unique indexes.
    open_key = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001

    objects = StatusBreakQuerySet.as_manager()

    class Meta:
        verbose_name = _("status break")
        verbose_name_plural = _("status breaks")
        indexes = [
            OpenIndex(
                fields=["flow", "segment", "id"],
                where=Q(grouped_at__isnull=True, healed_at__isnull=True),
                name="sb_break_ungrouped",
            ),
            models.Index(fields=["source", "order_key"], name="sb_break_order"),
        ]

    @classmethod
    def of(cls, watch: Watch, now: datetime) -> StatusBreak:
        copied = {name: getattr(watch, name) for name in COPIED}
        return cls(
            **copied,
            watch=watch,
            began_at=watch.changed_at,
            due_at=watch.due_at,
            opened_at=now,
            open_key=f"{cls.Kind.OVERDUE}:{watch.pk}",
        )

    @property
    def lasted(self) -> timedelta | None:
        """From the deadline to the healing; None while it lasts."""
        return self.healed_at - (self.due_at or self.opened_at) if self.healed_at else None


class AlarmQuerySet(RowQuerySet["Alarm"]):
    def open(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def ungrouped(self) -> Self:
        return self.filter(grouped_at__isnull=True)

    def mark_grouped(self, alarms: Iterable[Alarm], at: datetime) -> None:
        self.filter(pk__in=[alarm.pk for alarm in alarms]).update(grouped_at=at)

    def mark_absorbed(self, alarm: Alarm, at: datetime) -> None:
        self.filter(pk=alarm.pk).update(absorbed_at=at)

    def ring(self, alarm: Alarm) -> Alarm:
        """This alarm, or the one that is open for the same."""
        values = {field.name: getattr(alarm, field.name) for field in alarm._meta.fields if not field.primary_key}
        return self.get_or_create(open_key=alarm.open_key, defaults=values)[0]

    def end(self, pk: int, at: datetime) -> None:
        self.filter(pk=pk).update(ended_at=at, open_key=None)


class Alarm(models.Model):
    """A flow as a whole is unusual. The sentence says why we think so, the odds how sure that is."""

    class Rule(models.TextChoices):
        SILENCE = "silence", _("silence")
        DEADLINES = "deadlines", _("deadlines missed")

    rule = models.CharField(_("rule"), max_length=20, choices=Rule)
    flow = models.CharField(_("flow"), max_length=10, choices=Flow)
    status = models.CharField(_("status"), max_length=64, blank=True)
    segment = models.CharField(_("segment"), max_length=64, blank=True)
    since = models.DateTimeField(_("unusual since"))
    raised_at = models.DateTimeField(_("raised at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    expected = models.FloatField(_("expected"))
    observed = models.FloatField(_("observed"))
    odds = models.FloatField(_("one in"), help_text=_("How rarely this happens by chance."))
    sentence = models.CharField(_("explanation"), max_length=300)
    grouped_at = models.DateTimeField(_("part of an incident since"), null=True, blank=True)
    absorbed_at = models.DateTimeField(null=True, blank=True, editable=False)
    open_key = models.CharField(max_length=160, null=True, unique=True, editable=False)  # noqa: DJ001

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        indexes = [OpenIndex(fields=["id"], where=Q(grouped_at__isnull=True), name="sb_alarm_ungrouped")]

    def __str__(self) -> str:
        return self.sentence


class PlaceRow(models.Model):
    """A status of a flow, in one segment."""

    flow = models.CharField(_("flow"), max_length=10, choices=Flow)
    segment = models.CharField(_("segment"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return " · ".join(filter(None, self.place))

    @property
    def place(self) -> Place:
        return self.flow, self.segment, self.status


class FlowCounterQuerySet(RowQuerySet["FlowCounter"]):
    def of(self, place: PlaceRow) -> Self:
        return self.filter(flow=place.flow, segment=place.segment, status=place.status)

    def fade(self, share: float) -> None:
        self.update(went_on=F("went_on") * share, gave_up=F("gave_up") * share)


class FlowCounter(PlaceRow):
    """How many orders left a status after so long a time (a bucket of `statistics.EDGES`). Long ago counts less."""

    bucket = models.PositiveSmallIntegerField(_("length"))
    went_on = models.FloatField(_("went on"), default=0)
    gave_up = models.FloatField(_("given up"), default=0)

    objects = FlowCounterQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow counter")
        verbose_name_plural = _("flow counters")
        constraints = [
            models.UniqueConstraint(fields=["flow", "segment", "status", "bucket"], name="sb_counter_unique"),
        ]


class FlowGaugeQuerySet(RowQuerySet["FlowGauge"]):
    def due(self, at: datetime) -> Self:
        """Whose turn it is to be looked at."""
        return self.filter(next_at__lte=at)

    def keep(self, gauges: Iterable[FlowGauge]) -> None:
        """Write down what these, which are locked, hold; one statement."""
        fields = [field.name for field in self.model._meta.concrete_fields if not field.primary_key]
        target = ["id"] if connections[self.db].features.supports_update_conflicts_with_target else None
        self.bulk_create(gauges, update_conflicts=True, update_fields=fields, unique_fields=target)


class FlowGauge(PlaceRow):
    """How a flow runs where it leaves a status: its pace, learned from the counters, and what speaks for a stop."""

    hazard = models.JSONField(_("pace"), default=list, editable=False)
    steps = models.FloatField(_("learned from so many steps"), default=0)
    learned_at = models.DateTimeField(_("learned at"), null=True, blank=True)
    measured_at = models.DateTimeField(_("measured at"), null=True, blank=True)
    next_at = models.DateTimeField(_("next look at"))
    unread = models.PositiveIntegerField(_("steps since"), default=0)
    since = models.DateTimeField(_("unusual since"), null=True, blank=True)
    due = models.FloatField(_("steps due"), default=0)
    came = models.PositiveIntegerField(_("steps that came"), default=0)
    score = models.FloatField(_("score"), default=0)
    alarm = models.ForeignKey(Alarm, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("alarm"))

    objects = FlowGaugeQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow gauge")
        verbose_name_plural = _("flow gauges")
        constraints = [models.UniqueConstraint(fields=["flow", "segment", "status"], name="sb_gauge_unique")]
        indexes = [models.Index(fields=["next_at"], name="sb_gauge_next")]
