"""A person is forgotten: what we hold of them goes, and the figures stay."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from statusbreaks.coupons.models import Grant
from statusbreaks.feedback.models import Survey
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.incidents.services import note
from statusbreaks.notifications.models import Message
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.shop.values import Person

logger = logging.getLogger("statusbreaks")


@transaction.atomic
def forget(person: Person, now: datetime, *, keeps: bool = True) -> Mapping[str, int]:
    """All or nothing. Returns how many rows of each kind that were; without `keeps` it was a rehearsal.

    Incidents note that and how much was forgotten, and not of whom.
    """
    affected = AffectedOrder.objects.of_person(person)
    messages = Message.objects.to_person(person)
    grants, surveys = Grant.objects.of_person(person), Survey.objects.of_person(person)
    concerned = affected.incident_ids() | messages.incident_ids() | grants.incident_ids() | surveys.incident_ids()
    counts = {
        "reported orders": ReportedOrder.objects.of_contacts(person.contacts).forget(),
        "affected orders": affected.forget(),
        "messages": messages.forget(now),
        "grants": grants.forget(),
        "surveys": surveys.forget(),
    }
    for incident in Incident.objects.in_bulk(concerned).values():
        note(incident, "customer forgotten", at=now)
    if not keeps:
        transaction.set_rollback(True)
    elif any(counts.values()):
        logger.info("a customer was forgotten: %s", counts)
    return counts
