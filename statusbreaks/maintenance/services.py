"""close_shop · open_shop · publish · shield"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from statusbreaks import signals
from statusbreaks.core.events import emit
from statusbreaks.exceptions import ShopStateError, StateUnreadable
from statusbreaks.incidents.models import Incident
from statusbreaks.maintenance.facts import Facts
from statusbreaks.maintenance.models import Closing
from statusbreaks.maintenance.pages import Site, design, editions
from statusbreaks.maintenance.queries import gather, incidents_that_close
from statusbreaks.maintenance.scopes import SITE, known_scopes
from statusbreaks.maintenance.state import Lease, Map, Snapshot
from statusbreaks.maintenance.store import exclusively, has_any, is_whole, load, reader, save, state_dir
from statusbreaks.maintenance.surroundings import shop_map, site

logger = logging.getLogger("statusbreaks")

AT_MOST = timedelta(hours=24)

DECIDED = ("scope", "incident", "reason", "begins_at", "expected_open_at", "ends_at")

Told = tuple[Signal, Closing]


def close_shop(
    *,
    scope: str = SITE,
    incident: Incident | None = None,
    reason: str = "",
    begins_at: datetime | None = None,
    expected_open_at: datetime | None = None,
    at_most: timedelta = AT_MOST,
    by: Any = None,
) -> Closing:
    """Close a part of the shop, now or from `begins_at`, until `open_shop`, and never for longer than `at_most`.

    Shoppers see it once the transaction has committed. Raises ShopStateError for a scope that does not exist.
    """
    if scope not in known_scopes():
        raise ShopStateError(f"{scope!r} is no part of the shop that can be closed. Known are: {known_scopes()}.")
    begins = begins_at or timezone.now()
    closing = Closing(
        scope=scope,
        incident=incident,
        reason=reason,
        begins_at=begins,
        expected_open_at=expected_open_at,
        ends_at=begins + at_most,
        opened_by=by,
    )
    keep(closing)
    return closing


@transaction.atomic
def keep(closing: Closing) -> None:
    """Save a closing, new or changed, and let it begin if it is time."""
    # Of a row that exists only what people decide: a worker may have begun or ended it meanwhile.
    closing.save(update_fields=DECIDED if closing.pk else None)
    show()
    if begun := _begun(closing, timezone.now()):
        emit(begun[0], Closing, closing=closing)


@transaction.atomic
def close_again(closing: Closing, *, by: Any = None) -> Closing:
    """Let a planned closing begin now; of one that is over, make another like it, with its texts."""
    now = timezone.now()
    if closing.is_running(now):
        show()
        return closing
    length, texts = closing.ends_at - closing.begins_at, list(closing.texts.all())
    if closing.ended_at or closing.ends_at <= now:
        closing = Closing(scope=closing.scope, incident=closing.incident, reason=closing.reason, opened_by=by)
    closing.begins_at, closing.ends_at = now, now + length
    keep(closing)
    closing.say(texts)
    return closing


def open_shop(closing: Closing, *, by: Any = None) -> bool:
    """End this closing. The shop is open when no other one runs. False if it had ended before."""
    with transaction.atomic():
        ended = Closing.objects.end(closing, timezone.now(), by)
        if ended:
            show()
            emit(signals.shop_opened, Closing, closing=closing)
    return ended


def show() -> None:
    """Publish once the transaction has committed. If that fails, it is logged, and the next tick tries again."""
    transaction.on_commit(lambda: publish(timezone.now()), robust=True)


def is_shown(closing: Closing) -> bool:
    """Whether the state file says of this closing what the table says: read back, not taken for granted."""
    directory = state_dir()
    known = _known(directory) if directory else None
    shown = {lease.id for lease in known.leases} if known else set()
    return (closing.pk in shown) == (closing.ended_at is None)


def publish(now: datetime) -> bool:
    """Bring the state file up to the tables. False if it says all that already.

    Raises ShopStateError where the file cannot be written.
    """
    directory = state_dir()
    if directory is None:
        raise ShopStateError("STATUSBREAKS['STATE_DIR'] or BASE_DIR must be set: the shop's state has no place.")
    try:
        with exclusively(directory):
            changed = _write(directory, now)
    except OSError as error:
        raise ShopStateError(f"The shop's state cannot be written to {directory}: {error.strerror}") from error
    if changed:
        reader.look_again()
    return changed


def _write(directory: Path, now: datetime) -> bool:
    around, where = site(), shop_map()
    facts = gather(list(Closing.objects.showable(now)), around.languages, now)
    known, fingerprint = _known(directory), _fingerprint(facts, around, where)
    if known and known.fingerprint == fingerprint and is_whole(directory):
        return False
    if not facts and not has_any(directory):
        return False  # a shop that never closed needs no file
    version = known.version + 1 if known else int(now.timestamp())
    leases = tuple(_lease(each, around, now) for each in facts)
    save(directory, Snapshot(version, now, fingerprint, leases, where, around.languages))
    return True


def _known(directory: Path) -> Snapshot | None:
    try:
        return load(directory)
    except StateUnreadable:
        return None


def _lease(facts: Facts, around: Site, now: datetime) -> Lease:
    return Lease(
        id=facts.id,
        scope=facts.scope,
        begins_at=facts.begins_at,
        ends_at=facts.ends_at,
        expected_open_at=facts.expected_open_at,
        editions=editions(facts, around, now),
        reference=facts.reference,
    )


def _fingerprint(facts: tuple[Facts, ...], around: Site, where: Map) -> str:
    """Of all that the file is made from."""
    return hashlib.sha256(repr((design(), facts, around, where)).encode()).hexdigest()


def shield(now: datetime) -> int:
    """Close what playbooks say while their incidents last, open it when those are over, and show what is new.

    Returns how many closings began or ended, and one more if the pages changed; 0 means that all stands as it should.
    """
    unsettled = list(Closing.objects.unsettled())
    told = [*_settle(unsettled, now), *_hold_new({closing.held_by for closing in unsettled}, now)]
    shown = _refresh(now) if told or unsettled or _is_stale() else False
    for signal, closing in told:
        emit(signal, Closing, closing=closing)
    return len(told) + shown


def _refresh(now: datetime) -> bool:
    try:
        return publish(now)
    except ShopStateError:
        logger.exception("what shoppers see of the shop's state is not up to date")
        return False


def _is_stale() -> bool:
    """Whether the file says closed though no closing is left, or is damaged, as after a crash."""
    directory = state_dir()
    if directory is None or not has_any(directory):
        return False
    known = _known(directory)
    return known is None or bool(known.leases) or not is_whole(directory)


def _settle(closings: Iterable[Closing], now: datetime) -> list[Told]:
    told = [step for closing in closings if (step := _step(closing, now))]
    over = [closing for closing in closings if closing.held_by and not _lasts(closing)]
    if over:
        Closing.objects.release(over)
    return told


def _step(closing: Closing, now: datetime) -> Told | None:
    """What is due for it: to end, because its incident or its time is over, or to begin."""
    if closing.held_by and not _lasts(closing):
        return _ended(closing, now)
    if closing.ends_at <= now:
        return _ended(closing, closing.ends_at)
    return _begun(closing, now)


def _lasts(closing: Closing) -> bool:
    return closing.incident is not None and closing.incident.is_active


def _ended(closing: Closing, at: datetime) -> Told | None:
    return (signals.shop_opened, closing) if Closing.objects.end(closing, at) else None


def _begun(closing: Closing, now: datetime) -> Told | None:
    is_due = closing.closed_at is None and closing.ended_at is None and closing.begins_at <= now
    return (signals.shop_closed, closing) if is_due and Closing.objects.begin(closing, now) else None


def _hold_new(held: Iterable[str | None], now: datetime) -> list[Told]:
    wanted = [
        (f"{incident.pk}:{scope}", scope, incident) for incident in incidents_that_close() for scope in _parts(incident)
    ]
    made = [_hold(key, scope, incident, now) for key, scope, incident in wanted if key not in held]
    return [step for step in made if step]


def _parts(incident: Incident) -> list[str]:
    closes = incident.playbook.closes if incident.playbook else []
    known = known_scopes()
    parts = [closes] if isinstance(closes, str) else list(closes)
    for unknown in (part for part in parts if part not in known):
        logger.warning(
            "playbook %s closes %r, which is no part of the shop; known are: %s", incident.playbook, unknown, known
        )
    return [part for part in parts if part in known]


def _hold(key: str, scope: str, incident: Incident, now: datetime) -> Told | None:
    facts = {"scope": scope, "incident": incident, "begins_at": now, "closed_at": now, "ends_at": now + AT_MOST}
    closing, made = Closing.objects.hold(key, reason=str(incident.playbook), **facts)
    return (signals.shop_closed, closing) if made else None
