"""What is shown of the play: incidents as they happen, a bar on stderr, the table, and the last line."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import time_machine
from django.utils import timezone

from example_project.replay.known import Outage, Verdict, judge, read_known
from example_project.replay.play import Play
from example_project.replay.reading import Reading, read
from example_project.replay.stage import set_up
from statusbreaks import signals
from statusbreaks.coupons.models import Coupon
from statusbreaks.flows.models import Alarm
from statusbreaks.incidents.models import AffectedOrder, Incident
from statusbreaks.notifications.models import Message

JUDGED = ("payment", "credit_card")  # the flow and segment that known outages are about
NAMED = 10  # bad rows are named; of more only the number is told
HOUR = timedelta(hours=1)


def replay(orders: Path, known: Path | None, out: TextIO) -> None:
    """Play the orders of `orders`, tell what is noticed on `out`, and compare it with `known`. Raises Unreadable."""
    outages = read_known(known) if known else None
    reading = read(orders)
    teller = Teller(out, reading, outages)
    teller.begin(orders)
    with timezone.override(UTC), set_up(), time_machine.travel(reading.sales[0].began_at, tick=False) as clock:
        gc.freeze()  # what stands now stays: a twentieth of the time goes into looking through it again and again
        play = Play(reading.sales, clock, teller.bar, teller.is_anything_open)
        with teller.listening():
            play.run()
        teller.end(play.ticks)


@dataclass
class Teller:
    out: TextIO
    reading: Reading
    outages: Sequence[Outage] | None
    active: int = 0
    over: list[Incident] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)  # a clock that does not travel
    drawn: float = 0.0

    def begin(self, path: Path) -> None:
        first, last = self._span()
        self.say(f"{len(self.reading.sales):,} orders of {path.name}, from {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
        bad = self.reading.bad
        if bad:
            self.say(f"{len(bad):,} rows could not be read and are left out:")
        for line, reason in bad[:NAMED]:
            self.say(f"  line {line}: {reason}")
        if len(bad) > NAMED:
            self.say(
                f"  and {len(bad) - NAMED:,} more, in lines {', '.join(str(line) for line, _ in bad[NAMED:][:50])}"
            )
        self.say(
            "Each goes through the shop's own order model; a worker ticks; no mail leaves. Times as in the file.\n"
        )

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Incidents are told when the app tells the world of them."""
        signals.incident_opened.connect(self._opened)
        signals.incident_resolved.connect(self._resolved)
        try:
            yield
        finally:
            signals.incident_opened.disconnect(self._opened)
            signals.incident_resolved.disconnect(self._resolved)

    def bar(self, begun: int) -> None:
        """After a tick: what the tick ended, and how far we are."""
        for incident in self.over:
            self._tell_end(incident)
        self.over.clear()
        elapsed = time.perf_counter() - self.started
        if elapsed - self.drawn < (0.2 if sys.stderr.isatty() else 10):
            return
        self.drawn = elapsed
        share = begun / len(self.reading.sales)
        left = elapsed / share - elapsed if share else 0
        done = int(30 * share)
        text = f"[{'#' * done}{'.' * (30 - done)}] {share:4.0%}  {begun / elapsed:,.0f} orders/s  {left:,.0f} s left"
        sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
        sys.stderr.flush()

    def say(self, text: str = "") -> None:
        if self.drawn and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self.out.write(text + "\n")
        self.out.flush()

    def end(self, ticks: int) -> None:
        elapsed = time.perf_counter() - self.started
        count = len(self.reading.sales)
        self.say(
            f"\n{count:,} orders and {ticks:,} ticks in {elapsed:,.0f} s: {count / elapsed:,.0f} orders a second; "
            f"{Message.objects.count():,} messages and {Coupon.objects.count():,} coupons would have gone out."
        )
        self._other_alarms()
        if self.outages is None:
            self._last_line_alone()
        else:
            self._compare(judge(self.outages, _noticed()))

    def is_anything_open(self) -> bool:
        return self.active > 0

    def _opened(self, incident: Incident, **rest: Any) -> None:
        self.active += 1
        private = "" if incident.playbook else "  (not public)"
        self.say(f"{incident.detected_at:%Y-%m-%d %H:%M}  {incident.reference} {incident.title}{private}")
        for alarm in incident.alarms.all():
            self.say(f"{'':16}  {alarm.sentence}")
        delay = (incident.detected_at - incident.began_at) / HOUR
        self.say(f"{'':16}  began {incident.began_at:%Y-%m-%d %H:%M}, noticed {delay:.1f} h after")

    def _resolved(self, incident: Incident, **rest: Any) -> None:
        self.active -= 1
        self.over.append(incident)

    def _tell_end(self, incident: Incident) -> None:
        assert incident.resolved_at is not None
        orders = AffectedOrder.objects.of(incident).kept().count()
        messages = Message.objects.filter(incident=incident).count()
        coupons = Coupon.objects.filter(grant__campaign__incident=incident).count()
        self.say(
            f"{incident.resolved_at:%Y-%m-%d %H:%M}  {incident.reference} resolved: {orders} orders affected, "
            f"{messages} messages, {coupons} coupons"
        )

    def _other_alarms(self) -> None:
        others = Alarm.objects.exclude(flow=JUDGED[0], segment=JUDGED[1])
        names = [" ".join(filter(None, (alarm.flow, alarm.segment, alarm.status))) for alarm in others]
        if names:
            told = ", ".join(f"{names.count(name)} × {name}" for name in sorted(set(names)))
            self.say(f"Other alarms, not judged here: {told}.")

    def _compare(self, verdict: Verdict) -> None:
        self.say(f"\n{'known outage':<18}{'until':<18}{'noticed':<18}{'delay':>7}")
        for outage, noticed in verdict.found:
            delay = f"{(noticed - outage.start) / HOUR:5.1f} h" if noticed else "-"
            shown = f"{noticed:%Y-%m-%d %H:%M}" if noticed else "not noticed"
            self.say(f"{outage.start:%Y-%m-%d %H:%M}  {outage.end:%Y-%m-%d %H:%M}  {shown:<18}{delay:>7}")
        for moment in verdict.false:
            self.say(f"{'false alarm':<36}{moment:%Y-%m-%d %H:%M}")
        typical = verdict.median_delay
        self.say(
            f"found {len(verdict.delays)} of {len(verdict.found)} known outages, "
            f"median delay {'-' if typical is None else f'{typical:.1f}'} h, "
            f"{len(verdict.false) / self._months():.2f} false alarms a month"
        )

    def _last_line_alone(self) -> None:
        count, months = Incident.objects.count(), self._months()
        self.say(f"\n{count} incidents in {months} months, {count / months:.2f} incidents a month")

    def _months(self) -> int:
        """The calendar months in which anything was ordered: a gap in the file raises no false alarm."""
        return len({(sale.began_at.year, sale.began_at.month) for sale in self.reading.sales})

    def _span(self) -> tuple[datetime, datetime]:
        return self.reading.sales[0].began_at, self.reading.sales[-1].began_at


def _noticed() -> list[datetime]:
    flow, segment = JUDGED
    rows = Incident.objects.filter(flow=flow, segment=segment)
    return list(rows.order_by("detected_at").values_list("detected_at", flat=True))
