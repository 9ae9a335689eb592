"""Rows as work: batches, one transaction each; a poisonous row stops nobody but itself."""

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from statusbreaks.core import events, plugins
from statusbreaks.core.queries import each, work_through
from statusbreaks.exceptions import PluginError
from statusbreaks.flows.models import StatusChange, Watch
from statusbreaks.incidents.models import Incident
from statusbreaks.signals import break_opened
from tests.factories import NOW, IncidentFactory, StatusChangeFactory, WatchFactory

pytestmark = pytest.mark.django_db


def stamp(changes):
    StatusChange.objects.mark_followed(changes, NOW)


def test_nothing_to_do_costs_one_query_and_no_transaction(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert work_through(StatusChange.objects.unfollowed(), stamp) == 0


def test_work_is_handed_over_in_batches_in_order():
    rows = StatusChangeFactory.create_batch(5)
    seen = []

    done = work_through(StatusChange.objects.unfollowed(), lambda batch: seen.append([r.pk for r in batch]), size=2)

    assert done == 5
    assert seen == [[rows[0].pk, rows[1].pk], [rows[2].pk, rows[3].pk], [rows[4].pk]]


def test_rows_of_the_same_time_are_each_seen_once():
    WatchFactory.create_batch(5, due_at=NOW)
    WatchFactory(due_at=NOW - timedelta(hours=1), order_key="first")
    seen = []

    done = work_through(Watch.objects.overdue(NOW), seen.extend, by="due_at", size=2)

    assert done == 6
    assert len({watch.pk for watch in seen}) == 6
    assert seen[0].order_key == "first" or seen[1].order_key == "first"


def test_a_poisonous_row_stays_open_and_stops_no_other(caplog):
    rows = StatusChangeFactory.create_batch(3)

    def step(batch):
        if rows[1] in batch:
            raise ValueError("poison")
        stamp(batch)

    assert work_through(StatusChange.objects.unfollowed(), step) == 2
    assert list(StatusChange.objects.unfollowed()) == [rows[1]]
    assert f"StatusChange {rows[1].pk} could not be worked on" in caplog.text


def test_what_a_failing_row_wrote_is_rolled_back():
    row = StatusChangeFactory()

    def step(batch):
        stamp(batch)
        raise ValueError("after the write")

    assert work_through(StatusChange.objects.unfollowed(), step) == 0
    assert list(StatusChange.objects.unfollowed()) == [row]


def test_a_database_in_trouble_stops_the_stage_at_once():
    StatusChangeFactory.create_batch(3)
    calls = []

    def step(batch):
        calls.append(len(batch))
        raise OperationalError("the server went away")

    with pytest.raises(OperationalError):
        work_through(StatusChange.objects.unfollowed(), step)
    assert calls == [3]


def test_rows_that_another_worker_finished_meanwhile_are_left_alone():
    StatusChangeFactory.create_batch(2)
    rows = StatusChange.objects.unfollowed()
    seen = []

    def step(batch):
        seen.append(len(batch))
        stamp(StatusChange.objects.all())

    assert work_through(rows, step, size=1) == 1
    assert seen == [1]


def test_each_row_is_worked_on_by_itself(caplog):
    rows = StatusChangeFactory.create_batch(3)

    def step(row):
        if row == rows[1]:
            raise ValueError("poison")
        return 2

    assert each(rows, step) == 4
    assert f"StatusChange {rows[1].pk} could not be worked on" in caplog.text


def test_each_stops_where_the_database_is_in_trouble():
    def step(row):
        raise OperationalError

    with pytest.raises(OperationalError):
        each([StatusChangeFactory()], step)


def test_a_status_moves_by_compare_and_set():
    incident = IncidentFactory(status="investigating")
    stale = Incident.objects.get()

    assert Incident.objects.move(incident, sources=["investigating"], to="resolved", resolved_at=NOW)
    assert (incident.status, incident.resolved_at) == ("resolved", NOW)

    assert not Incident.objects.move(stale, sources=["investigating"], to="dismissed", dismissed_at=NOW)
    assert (stale.status, stale.dismissed_at) == ("investigating", None)
    assert Incident.objects.get().status == "resolved"


@pytest.fixture
def heard():
    calls = []

    def receiver(sender, **payload):
        calls.append((sender, payload["status_break"]))

    break_opened.connect(receiver)
    yield calls
    break_opened.disconnect(receiver)


def test_the_world_is_told_after_the_commit(heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        events.emit(break_opened, Watch, status_break=1)
        assert heard == []

    assert heard == [(Watch, 1)]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_told_to_nobody(heard):
    def fail():
        with transaction.atomic():
            events.emit(break_opened, Watch, status_break=1)
            raise LookupError("the sale fell through")

    with pytest.raises(LookupError):
        fail()
    assert heard == []


def test_a_receiver_that_fails_is_logged_and_the_next_one_hears(caplog, django_capture_on_commit_callbacks):
    calls = []

    def broken(sender, **payload):
        raise RuntimeError("not my day")

    def sound(sender, **payload):
        calls.append(payload["status_break"])

    break_opened.connect(broken)
    break_opened.connect(sound)
    try:
        with caplog.at_level(logging.ERROR, "statusbreaks"), django_capture_on_commit_callbacks(execute=True):
            events.emit(break_opened, Watch, status_break=7)
    finally:
        break_opened.disconnect(broken)
        break_opened.disconnect(sound)

    assert calls == [7]
    assert "RuntimeError" in caplog.text


def test_without_listeners_nothing_waits_for_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        events.emit(break_opened, Watch, status_break=1)

    assert callbacks == []


def test_a_plug_in_is_made_once():
    path = "statusbreaks.notifications.email.EmailChannel"

    assert plugins.plugin(path) is plugins.plugin(path)


def test_a_plug_in_that_fails_says_why():
    with pytest.raises(PluginError, match=r"nowhere\.Shop cannot be loaded: No module named 'nowhere'"):
        plugins.plugin("nowhere.Shop")
