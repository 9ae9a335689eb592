"""What is long over goes, and never what is open or part of an active incident."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from statusbreaks.flows.models import StatusBreak, StatusChange, Watch
from statusbreaks.incidents.models import AffectedOrder
from statusbreaks.management import progress
from statusbreaks.notifications.models import Message
from tests.factories import (
    NOW,
    AffectedOrderFactory,
    IncidentFactory,
    MessageFactory,
    StatusBreakFactory,
    StatusChangeFactory,
    WatchFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)
OLD, YOUNG = NOW - 401 * DAY, NOW - 399 * DAY
TABLES = (StatusChange, StatusBreak, Watch, Message)
NOTHING = ["0 status changes dropped", "0 status breaks dropped", "0 watches dropped", "0 messages dropped"]


def past(key, at, **of_message):
    """An order that was late, went on, and of which the customer was told."""
    watch = WatchFactory(order_key=key, changed_at=at, ended_at=at)
    StatusChangeFactory(order_key=key, occurred_at=at, recorded_at=at, followed_at=at)
    StatusBreakFactory(watch=watch, opened_at=at, healed_at=at)
    MessageFactory(status="sent", sent_at=at, closed_at=at, **of_message)
    return watch


def run(*args):
    out = StringIO()
    call_command("statusbreaks_prune", "--older-than", "400d", *args, stdout=out, stderr=StringIO())
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def left():
    return [model.objects.count() for model in TABLES]


def test_what_is_long_over_goes_and_what_is_not_stays():
    past("o-1", OLD)
    past("o-2", YOUNG)

    assert run() == [line.replace("0", "1", 1) for line in NOTHING]

    assert left() == [1, 1, 1, 1]
    assert Watch.objects.get().order_key == "o-2"
    assert run() == NOTHING


def test_a_rehearsal_counts_and_drops_nothing():
    past("o-1", OLD)

    assert run("--dry-run")[0] == "1 status changes would be dropped"
    assert left() == [1, 1, 1, 1]


def test_what_is_open_stays_however_old():
    WatchFactory(order_key="o-1", changed_at=OLD)
    StatusChangeFactory(order_key="o-1", recorded_at=OLD, followed_at=OLD)  # the order is open still
    StatusChangeFactory(order_key="o-2", recorded_at=OLD)  # not followed yet
    StatusBreakFactory(watch=WatchFactory(order_key="o-3", ended_at=OLD), opened_at=OLD)
    MessageFactory(created_at=OLD)

    assert run() == NOTHING


def test_what_belongs_to_an_active_incident_stays():
    incident = IncidentFactory(status="monitoring")
    watch = past("o-1", OLD, incident=incident)
    AffectedOrderFactory(incident=incident, source=watch.source, order_key="o-1")

    assert run() == NOTHING

    incident.status = "resolved"
    incident.save()
    assert run() == [line.replace("0", "1", 1) for line in NOTHING]
    assert AffectedOrder.objects.count() == 1


def test_an_order_of_the_same_key_in_another_shop_is_another_order():
    past("o-1", OLD)
    WatchFactory(source="shop", order_key="o-1")

    assert run()[0] == "1 status changes dropped"


def test_many_go_in_batches_that_are_shown_on_a_terminal(monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(progress, "PAUSE", 0)
    StatusChange.objects.bulk_create(StatusChangeFactory.build_batch(1_100, recorded_at=OLD, followed_at=OLD))
    terminal = Terminal()

    call_command("statusbreaks_prune", "--older-than", "400d", stdout=StringIO(), stderr=terminal)

    assert left() == [0, 0, 0, 0]
    assert [shown in terminal.getvalue() for shown in ("500 of 1,100", "1,000 of 1,100", "1,100 of 1,100")] == [
        True
    ] * 3


def test_a_row_that_fails_stops_no_other(monkeypatch, caplog):
    past("o-1", OLD)
    past("o-2", OLD)
    poisonous = StatusChange.objects.get(order_key="o-1").pk

    def drops(self, rows):
        assert poisonous not in [row.pk for row in rows] or self.model is not StatusChange, "cannot be dropped"
        self.filter(pk__in=[row.pk for row in rows]).delete()

    monkeypatch.setattr("statusbreaks.core.queries.RowQuerySet.drop", drops)

    assert run()[0] == "1 status changes dropped"
    assert StatusChange.objects.get().order_key == "o-1"


@pytest.mark.parametrize("said", ["400", "0d", "-3d", "1y", "d", "99999d", "400 days", ""])
def test_an_age_that_cannot_be_meant_is_refused(said):
    with pytest.raises(CommandError, match="--older-than takes an age in days or weeks, such as 400d or 60w, not"):
        call_command("statusbreaks_prune", f"--older-than={said}")


def test_weeks_are_understood():
    past("o-1", NOW - 15 * DAY)
    out = StringIO()

    call_command("statusbreaks_prune", "--older-than", "2w", stdout=out)

    assert out.getvalue().split()[0] == "1"
