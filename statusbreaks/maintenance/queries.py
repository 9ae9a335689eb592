"""What the tables say about a closed shop, gathered into values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone, translation

from statusbreaks.incidents.models import Incident, IncidentUpdate
from statusbreaks.maintenance.answer import match_language
from statusbreaks.maintenance.channels import hours_problem, href
from statusbreaks.maintenance.facts import Facts, News, Told, Way, sorted_ways
from statusbreaks.maintenance.models import AlternativeChannel, Closing, ClosingText

SHOWN_UPDATES = 20


def incidents_that_close() -> QuerySet[Incident]:
    """Whose playbook closes a part of the shop while they last."""
    return (
        Incident.objects.active().exclude(playbook__closes=[]).filter(playbook__isnull=False).select_related("playbook")
    )


def updates_of(incidents: Iterable[int]) -> dict[int, list[IncidentUpdate]]:
    """What the public was told, latest first."""
    rows = IncidentUpdate.objects.published().filter(incident__in=set(incidents)).prefetch_related("texts")
    found: dict[int, list[IncidentUpdate]] = {}
    for update in rows.reverse():
        found.setdefault(update.incident_id, []).append(update)
    return found


def gather(closings: Sequence[Closing], languages: Sequence[str], now: datetime) -> tuple[Facts, ...]:
    """All that the pages of these closings say, in each language."""
    if not closings:
        return ()
    updates = updates_of(closing.incident_id for closing in closings if closing.incident_id)
    channels = list(AlternativeChannel.objects.active())
    ways = {language: _ways(channels, language, now) for language in languages}
    return tuple(_facts(closing, updates.get(closing.incident_id or 0, []), ways) for closing in closings)


def _facts(closing: Closing, updates: list[IncidentUpdate], ways: dict[str, tuple[Way, ...]]) -> Facts:
    latest = updates[0] if updates else None
    is_public = closing.incident is not None and closing.incident.published_at is not None
    return Facts(
        id=closing.pk,
        scope=closing.scope,
        begins_at=closing.begins_at,
        ends_at=closing.ends_at,
        expected_open_at=closing.expected_open_at or (latest.eta_at if latest else None),
        next_news_at=latest.next_update_at if latest else None,
        reference=closing.incident.reference if closing.incident and is_public else "",
        told=tuple(_told(closing, updates, language, of) for language, of in ways.items()),
    )


def _told(closing: Closing, updates: list[IncidentUpdate], language: str, ways: tuple[Way, ...]) -> Told:
    own = _own_text(closing, language)
    news = tuple(_news(update, language) for update in updates[:SHOWN_UPDATES])
    headline = own.headline if own else ""
    if own and own.body:
        return Told(language, headline, own.body, _if_other(own.language, language), news, ways)
    latest = news[0] if news else News(closing.begins_at, "")
    return Told(language, headline, latest.body or latest.headline, latest.language, news, ways)


def _if_other(code: str, language: str) -> str:
    return code if code.split("-")[0] != language.split("-")[0] else ""


def _own_text(closing: Closing, language: str) -> ClosingText | None:
    texts = {text.language: text for text in closing.texts.all()}
    found = match_language(language, list(texts))
    return texts[found] if found else None


def _news(update: IncidentUpdate, language: str) -> News:
    text = update.text_in(language)
    at = update.published_at or update.created
    if text is None:
        with translation.override(language):
            return News(at, update.get_status_display().capitalize())
    return News(at, text.headline, text.body, _if_other(text.language, language))


def _ways(channels: list[AlternativeChannel], language: str, now: datetime) -> tuple[Way, ...]:
    shown = [_way(channel) for channel in channels if _speaks(channel, language)]
    return sorted_ways(shown, timezone.localtime(now, timezone.get_default_timezone()))


def _speaks(channel: AlternativeChannel, language: str) -> bool:
    return not channel.language or match_language(language, [channel.language]) is not None


def _way(channel: AlternativeChannel) -> Way:
    return Way(
        kind=channel.kind,
        label=channel.label,
        target=channel.target,
        href=href(channel.kind, channel.target),
        note=channel.note,
        hours="" if hours_problem(channel.hours) else channel.hours,
        reply_time=channel.reply_time,
    )
