"""The stage `group`: breaks and alarms become incidents, orders join them, and they end by themselves."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from statusbreaks.core.queries import each, work_through
from statusbreaks.exceptions import InvalidTransition
from statusbreaks.flows.models import Alarm, StatusBreak, Watch
from statusbreaks.incidents.models import AffectedOrder, Incident, Playbook, open_key
from statusbreaks.incidents.services import NewIncident, add_orders, change_status, note, open_incident, resolve
from statusbreaks.shop.values import Flow

logger = logging.getLogger("statusbreaks")

Status = Incident.Status

OPENS_FROM = 3  # breaks, where no playbook says otherwise
QUIET_FOR = timedelta(hours=2)  # where no playbook says otherwise, and nobody took the incident in hand
OVERLAP = timedelta(minutes=10)  # orders do not arrive in the exact order of their times
KINDS = {Flow.ORDER: Incident.Kind.ORDER, Flow.PAYMENT: Incident.Kind.PAYMENT, Flow.DELIVERY: Incident.Kind.DELIVERY}


def group(now: datetime) -> int:
    """Bring breaks, alarms, orders and incidents together. Returns how many rows found their place."""
    done = work_through(Alarm.objects.ungrouped(), lambda alarms: _take_alarms(alarms, now))
    for flow, segment, count in StatusBreak.objects.ungrouped().counts():
        done += _group_breaks(flow, segment, count, now)
    each(Incident.objects.to_watch(), lambda incident: _watch(incident, now))
    return done


def _take_alarms(alarms: list[Alarm], now: datetime) -> None:
    # Causes before effects: payments come first in every order.
    for alarm in sorted(alarms, key=lambda alarm: alarm.flow != Flow.PAYMENT):
        incident = (
            Incident.objects.absorbing(alarm.flow, alarm.segment)
            or _explaining(alarm, now)
            or _open(alarm.flow, alarm.segment, alarm.since, now)
        )
        incident.alarms.add(alarm)
        note(incident, "alarm", alarm.sentence, at=now)
        _absorb(incident, alarm, now)
        if incident.status == Status.MONITORING:
            change_status(incident, Status.INVESTIGATING, at=now)
    Alarm.objects.mark_grouped(alarms, now)


def _explaining(alarm: Alarm, now: datetime) -> Incident | None:
    """The incident that holds up most of the orders that wait there: what is not paid is not packed either.

    It lasts until that flow runs again too.
    """
    if alarm.flow == Flow.PAYMENT:
        return None
    waiting = Watch.objects.waiting_in(alarm.flow, alarm.segment, alarm.status).entered_since(_first_look(alarm, now))
    incident, count = AffectedOrder.objects.held_up_elsewhere(waiting, alarm.flow)
    return incident if 2 * count > waiting.count() else None


def _first_look(alarm: Alarm, now: datetime) -> datetime:
    """As long before the flow was unusual as it is unusual now: those who came then waited already."""
    return alarm.since - (now - alarm.since)


def _group_breaks(flow: str, segment: str, count: int, now: datetime) -> int:
    incident = Incident.objects.absorbing(flow, segment)
    playbook = incident.playbook if incident else Playbook.objects.best_for(flow, segment)
    if incident is None and count < (playbook.opens_from if playbook else OPENS_FROM):
        return 0

    def join(breaks: list[StatusBreak]) -> None:
        # Looked up anew: another worker may have opened it, or a batch that was rolled back not have.
        incident = Incident.objects.absorbing(flow, segment) or _open(
            flow, segment, min(one.due_at or one.opened_at for one in breaks), now
        )
        watches = Watch.objects.in_bulk([one.watch_id for one in breaks if one.watch_id])
        add_orders(incident, watches.values(), breaks=breaks)
        StatusBreak.objects.mark_grouped(breaks, now)

    return work_through(StatusBreak.objects.ungrouped().like(flow, segment), join)


def _open(flow: str, segment: str, since: datetime, now: datetime) -> Incident:
    playbook = Playbook.objects.best_for(flow, segment)
    return open_incident(
        NewIncident(
            kind=KINDS[Flow(flow)],
            title=_title(flow, segment),
            status=Status.SUSPECTED,
            impact=playbook.impact if playbook else "minor",
            flow=flow,
            segment=segment,
            playbook=playbook,
            impact_started_at=since,
            detected_at=now,
            is_automatic=True,
            open_key=open_key(flow, segment),
        ),
        at=now,
    )


def _title(flow: str, segment: str) -> str:
    titles = {
        Flow.ORDER: _("Orders are not processed"),
        Flow.PAYMENT: _("Payments are not confirmed"),
        Flow.DELIVERY: _("Parcels are late"),
    }
    return f"{titles[Flow(flow)]} ({segment})" if segment else titles[Flow(flow)]


@transaction.atomic
def _watch(incident: Incident, now: datetime) -> None:
    """Let late joiners in, note who went on, and end what is over."""
    if _was_merged(incident, now):
        return
    for alarm in incident.alarms.all():
        if alarm.ended_at is None:
            _absorb(incident, alarm, now)
    AffectedOrder.objects.of(incident).recover(now)
    _settle(incident, now)


def _was_merged(incident: Incident, now: datetime) -> bool:
    """What turns out to follow from another incident becomes a part of it, as long as nobody has heard of it."""
    if incident.status != Status.SUSPECTED or incident.published_at:
        return False
    alarms = list(incident.alarms.all())
    own = [alarm for alarm in alarms if alarm.flow == incident.flow and not alarm.ended_at]
    cause = next((found for alarm in own if (found := _explaining(alarm, now))), None)
    if cause is None or not Incident.objects.move(incident, sources=[incident.status], to=Status.MERGED, open_key=None):
        return False
    cause.alarms.add(*alarms)
    note(incident, "merged", cause.reference, at=now)
    note(cause, "merged", incident.reference, at=now)
    return True


def _absorb(incident: Incident, alarm: Alarm, now: datetime) -> None:
    """All that wait where the flow stands still are concerned; once looked through, only the new ones are looked at."""
    if alarm.flow != incident.flow:
        return  # it only stands still as well: not every order there waits for this
    since = alarm.absorbed_at - OVERLAP if alarm.absorbed_at else _first_look(alarm, now)
    waiting = Watch.objects.waiting_in(alarm.flow, alarm.segment, alarm.status).entered_since(since)
    reason = alarm.sentence

    def join(watches: list[Watch]) -> None:
        add_orders(incident, watches, reason=reason)

    missing = AffectedOrder.objects.not_yet_among(waiting, incident)
    work_through(missing, join)
    if not missing.exists():  # one that another worker holds at this moment joins with the next tick
        Alarm.objects.mark_absorbed(alarm, now)


def _settle(incident: Incident, now: datetime) -> None:
    """Quiet: the flow runs again, or without an alarm, no order waits. Quiet for long enough: resolved."""
    quiet = Incident.objects.quiet().has(incident)
    if quiet != bool(incident.quiet_at):
        Incident.objects.mark_quiet(incident, now if quiet else None)
    if not quiet:
        return
    try:
        if incident.status in (Status.SUSPECTED, Status.INVESTIGATING, Status.IDENTIFIED):
            change_status(incident, Status.MONITORING, at=now)
        after = incident.playbook.resolves_after if incident.playbook else QUIET_FOR
        if after is not None and incident.quiet_at and incident.quiet_at + after <= now:
            resolve(incident, at=now)
    except InvalidTransition:
        logger.info("%s was changed by somebody else; the next tick looks again", incident.reference)
