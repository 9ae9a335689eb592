"""The tick: all stages in their order, from a command, a loop or Celery; nothing to do costs next to nothing."""

import logging
import os
import signal
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from statusbreaks import pipeline, tasks
from statusbreaks.management.commands import statusbreaks_tick
from statusbreaks.pipeline import STAGES
from tests.factories import NOW

QUERIES = {
    "reconcile": 3,
    "follow": 1,
    "detect": 1,
    "measure": 1,
    "group": 3,
    "shield": 2,
    "announce": 1,
    "compensate": 2,
    "ask": 1,
    "deliver": 1,
}


def test_the_stages_run_in_the_order_of_the_story():
    assert list(STAGES) == list(QUERIES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", QUERIES)
def test_a_stage_with_nothing_to_do_takes_as_many_queries_as_it_asks_questions(name, django_assert_num_queries):
    STAGES[name](NOW)  # which may lay out where to begin
    with django_assert_num_queries(QUERIES[name]):
        assert STAGES[name](NOW) == 0


def test_a_stage_that_fails_stops_no_other(monkeypatch, caplog):
    def broken(now):
        raise OperationalError("the server went away")

    monkeypatch.setattr(pipeline, "STAGES", {"follow": broken, "detect": lambda now: 3})

    assert pipeline.tick(NOW) == {"follow": None, "detect": 3}
    assert "the stage follow stopped" in caplog.text


def test_each_stage_is_told_the_time(monkeypatch, clock):
    told = []

    def stage(now):
        told.append(now)
        clock.shift(timedelta(seconds=9))
        return 0

    monkeypatch.setattr(pipeline, "STAGES", {"a": stage, "b": stage})
    pipeline.tick()
    pipeline.tick(NOW)

    assert told == [NOW, NOW + timedelta(seconds=9), NOW, NOW]


@pytest.fixture
def done(monkeypatch):
    """What the next ticks answer; when there is nothing left, the process is asked to stop."""
    answers = []

    def tick():
        answer = answers.pop(0)
        if not answers:
            os.kill(os.getpid(), signal.SIGTERM)
        return answer

    monkeypatch.setattr(statusbreaks_tick, "tick", tick)
    return answers


@pytest.fixture
def _handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(*args):
    out = StringIO()
    call_command("statusbreaks_tick", *args, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.django_db
def test_the_command_ticks_once():
    assert run() == ["nothing to do"]


def test_the_command_says_what_was_done(monkeypatch):
    monkeypatch.setattr(statusbreaks_tick, "tick", lambda: {"follow": 2, "detect": 0, "deliver": 5})

    assert run() == ["follow 2, deliver 5"]


def test_the_command_fails_where_a_stage_did(monkeypatch):
    monkeypatch.setattr(statusbreaks_tick, "tick", lambda: {"follow": None, "detect": 1, "group": None})

    with pytest.raises(CommandError, match="These stages stopped: follow, group"):
        run()


@pytest.mark.usefixtures("_handlers")
def test_the_loop_goes_on_until_it_is_asked_to_stop(done, monkeypatch):
    refreshed = []
    monkeypatch.setattr(statusbreaks_tick, "close_old_connections", lambda: refreshed.append(1))
    done += [{"follow": 1}, {"follow": None}, {"follow": 0}, {"deliver": 2}]

    assert run("--loop", "--every", "0.001") == ["Ticking every 0.001 s. Stop with Ctrl-C.", "follow 1", "deliver 2"]
    # A connection that the server cut is not kept: the loop outlives a restart of the database.
    assert len(refreshed) == 4


@pytest.mark.parametrize("every", ["0", "-1"])
def test_a_pause_that_is_none_is_refused(every):
    with pytest.raises(CommandError, match="--every"):
        run("--loop", "--every", every)


@pytest.mark.django_db
def test_the_celery_task_ticks(monkeypatch):
    ticked = []
    monkeypatch.setattr(pipeline, "tick", lambda: ticked.append(1))

    assert tasks.tick.apply().get() is None
    assert ticked == [1]
    assert tasks.tick.name == "statusbreaks.tick"


def test_the_schedule_names_the_task_and_lets_late_ticks_go():
    assert tasks.beat_schedule(7) == {
        "statusbreaks-tick": {"task": "statusbreaks.tick", "schedule": 7, "options": {"expires": 7}}
    }
    assert tasks.beat_schedule()["statusbreaks-tick"]["schedule"] == tasks.EVERY


def test_without_work_nothing_is_logged(caplog, monkeypatch):
    monkeypatch.setattr(pipeline, "STAGES", {"a": lambda now: 0})
    with caplog.at_level(logging.INFO):
        pipeline.tick(NOW)

    assert caplog.text == ""
