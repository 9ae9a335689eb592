"""The stage `measure`: does a flow as a whole stand still?

A tick in which it is no gauge's turn costs one query; else it is four for up to fifty gauges (which they are, the same
once more to lock them, the orders that wait there, and to write down what was found), and two for each that learns its
pace anew, once a day. None of them looks at orders that do not wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy as _n

from statusbreaks.core.queries import work_through
from statusbreaks.flows.models import Alarm, FlowCounter, FlowGauge, Watch
from statusbreaks.flows.services import those_still_there
from statusbreaks.flows.statistics import HALF_LIFE, LONGEST, Pace, Reading, Turn, bucket
from statusbreaks.shop.values import Flow

DAY = timedelta(days=1)
UNTIL_KNOWN = timedelta(hours=6)  # between two looks at a flow that has not shown its pace yet
AT_MOST = timedelta(days=7)  # between two looks at any other
BATCH = 50  # gauges at once
LOOKS = 5  # in a turn, at a flow that is not calm
SAMPLE = 100  # of the orders that wait are looked up in the shop before an alarm rings
MOST = 1e9  # no odds are said to be longer: nobody's model of the world is that good

NONE_CAME = {
    Flow.ORDER: _("%(due)s orders were due to go on since %(since)s and none did; the odds are 1 in %(odds)s"),
    Flow.PAYMENT: _("%(due)s confirmations were due since %(since)s and none came; the odds are 1 in %(odds)s"),
    Flow.DELIVERY: _("%(due)s parcels were due to move on since %(since)s and none did; the odds are 1 in %(odds)s"),
}
SOME_CAME = {
    Flow.ORDER: _n(
        "%(due)s orders were due to go on since %(since)s and %(came)s did; the odds are 1 in %(odds)s",
        "%(due)s orders were due to go on since %(since)s and %(came)s did; the odds are 1 in %(odds)s",
        "came",
    ),
    Flow.PAYMENT: _n(
        "%(due)s confirmations were due since %(since)s and %(came)s came; the odds are 1 in %(odds)s",
        "%(due)s confirmations were due since %(since)s and %(came)s came; the odds are 1 in %(odds)s",
        "came",
    ),
    Flow.DELIVERY: _n(
        "%(due)s parcels were due to move on since %(since)s and %(came)s did; the odds are 1 in %(odds)s",
        "%(due)s parcels were due to move on since %(since)s and %(came)s did; the odds are 1 in %(odds)s",
        "came",
    ),
}


def measure(now: datetime) -> int:
    """Look at each flow whose turn it is; raise an alarm where it stands still, end it where it runs again.

    Returns the number of flows looked at.
    """
    return work_through(FlowGauge.objects.due(now), lambda gauges: _measure_all(gauges, now), by="next_at", size=BATCH)


def _measure_all(gauges: list[FlowGauge], now: datetime) -> None:
    waiting = Watch.objects.entered_since(now - timedelta(seconds=LONGEST)).waiting_at(gauges)
    for gauge in gauges:
        _measure(gauge, [(now - moment).total_seconds() for moment in waiting[gauge.place]], now)
    FlowGauge.objects.keep(gauges)


def _measure(gauge: FlowGauge, ages: Sequence[float], now: datetime) -> None:
    if gauge.learned_at is None or gauge.learned_at + DAY <= now:
        _learn(gauge, ages, now)
    pace = Pace(tuple(gauge.hazard), gauge.steps)
    reading = Reading(gauge.due, gauge.came, gauge.score)
    if pace.is_known and gauge.measured_at:
        elapsed = max(0.0, (now - gauge.measured_at).total_seconds())
        reading = reading.after(_turn(pace, ages, elapsed, gauge.unread))
    nobody_waits = not ages  # the last ones may have been cancelled: then no step will ever come to end it
    if nobody_waits or (reading.is_alarming and gauge.alarm_id is None and not _stands_still(gauge, now)):
        reading = Reading()
    _note(gauge, reading, now)
    gauge.next_at = now + _pause(pace, reading)


def _learn(gauge: FlowGauge, ages: Sequence[float], now: datetime) -> None:
    """The pace anew, from what the counters hold and from those that wait; and what was counted fades."""
    counters = FlowCounter.objects.of(gauge)
    if gauge.learned_at:
        counters.fade(0.5 ** ((now - gauge.learned_at) / timedelta(days=HALF_LIFE)))
    went_on: dict[int, float] = {}
    unfinished: dict[int, float] = {}
    for counter in counters:
        went_on[counter.bucket], unfinished[counter.bucket] = counter.went_on, counter.gave_up
    for age in ages:
        unfinished[bucket(age)] = unfinished.get(bucket(age), 0.0) + 1
    pace = Pace.learned(went_on, unfinished)
    gauge.hazard, gauge.steps, gauge.learned_at = [round(sum_, 5) for sum_ in pace.hazard], pace.steps, now


def _turn(pace: Pace, ages: Sequence[float], elapsed: float, came: int) -> Turn:
    due = sum(pace.due(age - elapsed, age) for age in ages)
    return Turn(due, sum(pace.due_slowly(age - elapsed, age) for age in ages), came)


def _pause(pace: Pace, reading: Reading) -> timedelta:
    if not pace.is_known:
        return UNTIL_KNOWN
    turn = min(timedelta(seconds=pace.turn), AT_MOST)
    return turn if reading.is_calm else turn / LOOKS


def _stands_still(gauge: FlowGauge, now: datetime) -> bool:
    """Whether the shop itself says so; a shop that changes statuses behind our hook only looks as if."""
    sample = Watch.objects.waiting_in(gauge.flow, gauge.segment, gauge.status).newest(SAMPLE)
    return 2 * len(those_still_there(sample, now)) > len(sample)


def _note(gauge: FlowGauge, reading: Reading, now: datetime) -> None:
    if reading.is_over or gauge.since is None:
        gauge.since = now
    if reading.is_alarming and gauge.alarm_id is None:
        gauge.alarm = Alarm.objects.ring(_alarm(gauge, reading, gauge.since, now))
    elif reading.is_over and gauge.alarm_id is not None:
        Alarm.objects.end(gauge.alarm_id, now)
        gauge.alarm = None
    gauge.due, gauge.came, gauge.score = reading.due, reading.came, reading.score
    gauge.unread, gauge.measured_at = 0, now


def _alarm(gauge: FlowGauge, reading: Reading, since: datetime, now: datetime) -> Alarm:
    return Alarm(
        rule=Alarm.Rule.SILENCE,
        flow=gauge.flow,
        segment=gauge.segment,
        status=gauge.status,
        since=since,
        raised_at=now,
        expected=reading.due,
        observed=reading.came,
        odds=reading.odds,
        sentence=sentence(gauge.flow, reading, since, now),
        open_key=":".join((Alarm.Rule.SILENCE, *gauge.place)),
    )


def sentence(flow: str, reading: Reading, since: datetime, now: datetime) -> str:
    """Why we think that the flow stands still, in one sentence of the language that is active."""
    values = {
        "due": number_format(reading.due, 1, use_l10n=True),
        "since": _moment(since, now),
        "came": reading.came,
        "odds": number_format(_two_digits(min(reading.odds, MOST)), 0, use_l10n=True, force_grouping=True),
    }
    return (SOME_CAME if reading.came else NONE_CAME)[Flow(flow)] % values


def _moment(since: datetime, now: datetime) -> str:
    local = timezone.localtime(since)
    form = "H:i" if local.date() == timezone.localtime(now).date() else "j F, H:i"
    return date_format(local, form)


def _two_digits(number: float) -> int:
    return int(float(f"{number:.1e}"))
