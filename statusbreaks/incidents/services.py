"""The verbs of an incident. Every face (admin, API, commands, stages) calls these and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from statusbreaks import signals
from statusbreaks.core.events import emit
from statusbreaks.exceptions import InvalidTransition
from statusbreaks.flows.models import StatusBreak, Watch
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
    open_key,
)
from statusbreaks.shop.models import by_source, facts_of, find_order
from statusbreaks.shop.values import OrderFacts

Status = Incident.Status

STEPS: Mapping[str, tuple[str, ...]] = {
    Status.SUSPECTED: (
        Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED, Status.DISMISSED,
    ),
    Status.INVESTIGATING: (Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED, Status.DISMISSED),
    Status.IDENTIFIED: (Status.INVESTIGATING, Status.MONITORING, Status.RESOLVED, Status.DISMISSED),
    Status.MONITORING: (Status.INVESTIGATING, Status.IDENTIFIED, Status.RESOLVED),
    Status.RESOLVED: (Status.INVESTIGATING, Status.POSTMORTEM),
    Status.POSTMORTEM: (Status.INVESTIGATING,),
    Status.DISMISSED: (Status.INVESTIGATING,),
    Status.MERGED: (),
}  # fmt: skip

OVER = frozenset({Status.RESOLVED, Status.POSTMORTEM, Status.DISMISSED, Status.MERGED})


@dataclass(frozen=True)
class Draft:
    """What is to be said: `texts` are (headline, body) by language code; times are promises to the public."""

    texts: Mapping[str, tuple[str, str]]
    status: str = ""
    notifies: bool = True
    eta_at: datetime | None = None
    next_update_at: datetime | None = None


@dataclass(frozen=True)
class NewIncident:
    """What is known of an incident when it opens. `open_key` lets it absorb what is found later."""

    kind: str
    title: str
    status: str = Status.INVESTIGATING
    impact: str = "minor"
    flow: str = ""
    segment: str = ""
    playbook: Playbook | None = None
    impact_started_at: datetime | None = None
    detected_at: datetime = field(default_factory=timezone.now)
    is_automatic: bool = False
    open_key: str | None = None


@transaction.atomic
def open_incident(new: NewIncident, *, by: Any = None, at: datetime | None = None) -> Incident:
    """A new incident, with what its playbook says: the components it touches, and its first words if it publishes."""
    incident = Incident.objects.create(opened_by=by, **vars(new))
    if new.playbook:
        incident.components.set(new.playbook.components.all())
    note(incident, "opened", new.title, by=by, at=at)
    emit(signals.incident_opened, Incident, incident=incident)
    if new.playbook and new.playbook.publishes:
        say_prepared(incident, PlaybookText.Event.OPENED, by=by, at=at)
    return incident


@transaction.atomic
def post_update(incident: Incident, draft: Draft, *, by: Any = None, at: datetime | None = None) -> IncidentUpdate:
    """Say something in public, and move the incident if the draft has a status.

    The customers concerned are told by the next tick if `draft.notifies`. Raises InvalidTransition, and says nothing,
    where the step is not possible or somebody else took one meanwhile.
    """
    at = at or timezone.now()
    if draft.status and draft.status != incident.status:
        change_status(incident, draft.status, by=by, at=at)
    elif not Incident.objects.move(incident, sources=[incident.status], to=incident.status):
        raise InvalidTransition(_changed_meanwhile(incident))
    update = _publish(incident, draft, by, at)
    current = {"current_update": update, "announced_at": None} if draft.notifies else {}
    _stamp(incident, published_at=incident.published_at or at, **current)
    Incident.objects.only_this(incident).mark_changed()
    _colour_components(incident)
    note(incident, "update", incident.get_status_display(), by=by, at=at)
    emit(signals.incident_updated, Incident, incident=incident, update=update)
    return update


@transaction.atomic
def publish(update: IncidentUpdate, *, by: Any = None, at: datetime | None = None) -> IncidentUpdate:
    """Post what stands in a draft, as a new row: it comes after all that was said while the draft lay there.

    Raises InvalidTransition, and leaves the draft, where somebody else published it or its step is not possible.
    """
    # Ordered, and so read now: what was prefetched may be what the texts were before somebody changed them.
    texts = {text.language: (text.headline, text.body) for text in update.texts.order_by("pk")}
    if not IncidentUpdate.objects.take_draft(update):
        raise InvalidTransition(_("This update is public already."))
    draft = Draft(texts, update.status, update.notifies, update.eta_at, update.next_update_at)
    return post_update(update.incident, draft, by=by, at=at)


def _publish(incident: Incident, draft: Draft, by: Any, at: datetime) -> IncidentUpdate:
    update = IncidentUpdate.objects.create(
        incident=incident,
        status=incident.status,
        author=by,
        notifies=draft.notifies,
        eta_at=draft.eta_at,
        next_update_at=draft.next_update_at,
        published_at=at,
    )
    for language, (headline, body) in draft.texts.items():
        UpdateText.objects.create(update=update, language=language, headline=headline, body=body)
    return update


@transaction.atomic
def change_status(incident: Incident, to: str, *, by: Any = None, at: datetime | None = None) -> None:
    """One step of the lifecycle by compare-and-set. Raises InvalidTransition with the steps that are possible."""
    at, before = at or timezone.now(), incident.status
    possible = STEPS[before]
    if to not in possible:
        raise InvalidTransition(_refusal(incident, to, possible))
    if not Incident.objects.move(incident, sources=[before], to=to, **_stamps(incident, to, at)):
        raise InvalidTransition(_changed_meanwhile(incident))
    _colour_components(incident)
    note(incident, to, by=by, at=at)
    if to == Status.RESOLVED:
        emit(signals.incident_resolved, Incident, incident=incident)


def _changed_meanwhile(incident: Incident) -> str:
    return _("Somebody else changed %(incident)s meanwhile.") % {"incident": incident.reference}


def _refusal(incident: Incident, to: str, possible: Iterable[str]) -> str:
    said = {
        "incident": incident.reference,
        "now": incident.get_status_display(),
        "to": Status(to).label,
        "possible": ", ".join(str(Status(step).label) for step in possible) or _("none"),
    }
    return _("%(incident)s is “%(now)s” and cannot become “%(to)s”. Possible: %(possible)s.") % said


def _stamps(incident: Incident, to: str, at: datetime) -> dict[str, Any]:
    """What else a step writes. A reopened incident forgets its end, and absorbs what comes as it did before."""
    if to == Status.RESOLVED:
        return {"resolved_at": at, "open_key": None}
    if to == Status.DISMISSED:
        return {"dismissed_at": at, "open_key": None}
    if incident.status in OVER and to not in OVER:
        fresh = dict.fromkeys(("resolved_at", "dismissed_at", "compensated_at", "asked_at", "quiet_at"))
        return {**fresh, "open_key": _free_key(incident)}
    return {}


def _free_key(incident: Incident) -> str | None:
    """None where another incident absorbs by now what is found, or where this one never did."""
    free = incident.is_automatic and not Incident.objects.absorbing(incident.flow, incident.segment)
    return open_key(incident.flow, incident.segment) if free else None


def resolve(incident: Incident, *, by: Any = None, draft: Draft | None = None, at: datetime | None = None) -> None:
    """It is over. With a draft the public hears of it; so it does, by the playbook's text, if it heard before."""
    if draft:
        post_update(incident, replace(draft, status=Status.RESOLVED), by=by, at=at)
        return
    with transaction.atomic():
        change_status(incident, Status.RESOLVED, by=by, at=at)
        if incident.published_at:
            say_prepared(incident, PlaybookText.Event.RESOLVED, by=by, at=at)


def dismiss(incident: Incident, *, by: Any = None, at: datetime | None = None) -> None:
    """It was nothing."""
    change_status(incident, Status.DISMISSED, by=by, at=at)


def say_prepared(incident: Incident, event: str, *, by: Any = None, at: datetime | None = None) -> bool:
    """Publish the text that the playbook holds ready for this moment; False where it holds none."""
    texts = incident.playbook.texts_for(event) if incident.playbook else []
    if not texts:
        return False
    post_update(incident, Draft({text.language: (text.headline, text.body) for text in texts}), by=by, at=at)
    return True


def note(incident: Incident, what: str, detail: str = "", *, by: Any = None, at: datetime | None = None) -> None:
    """Write a line of the incident's audit."""
    IncidentEvent.objects.create(incident=incident, what=what, detail=detail[:300], actor=by, at=at or timezone.now())


def add_orders(
    incident: Incident, watches: Iterable[Watch], *, reason: str = "", breaks: Iterable[StatusBreak] = ()
) -> int:
    """Let these watched orders join, frozen as the shop knows them now. `breaks` are their status breaks, if any.

    An order joins once, and one that staff removed stays removed. Returns how many were looked at.
    """
    by_watch = {one.watch_id: one for one in breaks}
    count = 0
    for source, group in by_source(watches).items():
        facts = facts_of(source, [watch.order_key for watch in group])
        rows = [
            _affected(incident, watch, facts.get(watch.order_key), reason, by_watch.get(watch.pk)) for watch in group
        ]
        AffectedOrder.objects.join(rows)
        count += len(group)
    if count:
        Incident.objects.only_this(incident).mark_changed()
    return count


def add_orders_by_number(incident: Incident, numbers: Iterable[str], *, reason: str, by: Any = None) -> list[str]:
    """Let the orders with these numbers join, watched or not; one that was removed joins anew.

    Returns the numbers that no shop knows.
    """
    found = {number: find_order(number) for number in numbers}
    watches = _watches_of(incident, {order: number for number, order in found.items() if order})
    with transaction.atomic():
        AffectedOrder.objects.of(incident).restore(watches)
        if add_orders(incident, watches, reason=reason):
            note(incident, "orders added", f"{len(watches)}: {reason}", by=by)
    return [number for number, order in found.items() if order is None]


def _watches_of(incident: Incident, orders: Mapping[tuple[str, str], str]) -> list[Watch]:
    """Their rows of the watch list in the incident's flow; where there is none, one that says as much as is known."""
    known: dict[tuple[str, str], Watch] = {}
    for source in {source for source, _key in orders}:
        keys = [key for of, key in orders if of == source]
        rows = Watch.objects.of_orders(source, keys)
        known |= {(source, watch.order_key): watch for watch in rows if watch.flow == incident.flow}
    return [known.get(order) or _unwatched(incident, order, number) for order, number in orders.items()]


def _unwatched(incident: Incident, order: tuple[str, str], number: str) -> Watch:
    source, key = order
    where = {"flow": incident.flow, "segment": incident.segment}
    return Watch(source=source, order_key=key, order_number=number, changed_at=timezone.now(), **where)


@transaction.atomic
def remove_orders(orders: AffectedOrderQuerySet, *, by: Any = None, at: datetime | None = None) -> int:
    """These were not concerned after all: they are told nothing more, and owed nothing. Returns how many."""
    incidents = Counter(order.incident for order in orders.kept().select_related("incident"))
    removed = orders.remove(at or timezone.now())
    for incident, count in incidents.items():
        note(incident, "orders removed", str(count), by=by, at=at)
    return removed


@transaction.atomic
def amend(incident: Incident, changed: Iterable[str], *, before: Iterable[Component], by: Any = None) -> None:
    """Staff corrected these fields: write it down, and colour the components that it touches, or touched `before`."""
    for component in {*before, *incident.components.all()}:
        Component.objects.recolour(component)
    note(incident, "amended", ", ".join(changed), by=by)


def _affected(
    incident: Incident, watch: Watch, facts: OrderFacts | None, reason: str, of: StatusBreak | None
) -> AffectedOrder:
    return AffectedOrder(
        incident=incident,
        source=watch.source,
        order_key=watch.order_key,
        order_number=watch.order_number,
        flow=watch.flow,
        segment=watch.segment,
        status_break=of,
        user_id=facts.customer.user_id or None if facts else None,
        reason=(reason or _("waits in “%(status)s”") % {"status": watch.status})[:160],
        value=facts.value if facts else None,
        currency=facts.currency if facts else "",
        stuck_since=watch.changed_at,
    )


def _stamp(incident: Incident, **values: Any) -> None:
    Incident.objects.only_this(incident).update(**values)
    for name, value in values.items():
        setattr(incident, name, value)


def _colour_components(incident: Incident) -> None:
    """A component is as bad as the worst public incident on it."""
    for component in incident.components.all():
        Component.objects.recolour(component)
