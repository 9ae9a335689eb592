"""The stage `deliver`: every message is sent, once, whatever the worker, the channel and the server do."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from statusbreaks.exceptions import DeliveryFailed
from statusbreaks.notifications import services
from statusbreaks.notifications.models import LEASE, TRIES, Message
from statusbreaks.notifications.services import deliver
from statusbreaks.testing import recording_channel
from tests.concurrency import at_once, needs_threads
from tests.factories import NOW, MessageFactory

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)


@pytest.fixture
def channel(monkeypatch):
    monkeypatch.setattr(services.time, "monotonic", lambda: 0.0)
    with recording_channel() as channel:
        yield channel


def states():
    return list(Message.objects.order_by("pk").values_list("status", "tries", "error"))


def test_nothing_to_send_costs_one_query(django_assert_num_queries):
    MessageFactory(not_before=NOW + SECOND)
    with django_assert_num_queries(1):
        assert deliver(NOW) == 0


def test_what_is_due_is_sent_once(channel):
    message = MessageFactory()

    assert deliver(NOW) == 1
    assert deliver(NOW + 99 * LEASE) == 0

    message.refresh_from_db()
    assert (message.status, message.sent_at, message.closed_at) == ("sent", NOW, NOW)
    assert (message.claimed_by, message.error, message.tries) == ("", "", 1)
    assert channel.sent == [message]


def test_what_is_not_yet_due_waits(channel):
    MessageFactory(not_before=NOW + SECOND)

    assert deliver(NOW) == 0
    assert deliver(NOW + SECOND) == 1


def test_the_urgent_go_first(channel):
    for name in ("marketing", "subscribed", "service"):
        MessageFactory(recipient_class=name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "BATCH", 1)
        deliver(NOW)

    assert [message.recipient_class for message in channel.sent] == ["service", "subscribed", "marketing"]


def test_more_than_a_batch_is_sent_in_one_stage(channel):
    MessageFactory.create_batch(7)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "BATCH", 3)
        assert deliver(NOW) == 7


def test_a_failure_is_tried_again_each_time_twice_as_long_and_set_aside_in_the_end(channel):
    message = MessageFactory()
    channel.refuses[message.recipient] = DeliveryFailed("busy")
    at, pauses = NOW, []

    for _ in range(TRIES - 1):
        deliver(at)
        message.refresh_from_db()
        assert (message.status, message.error, message.claimed_by) == ("queued", "busy", "")
        pauses.append(int((message.not_before - at).total_seconds()))
        assert deliver(message.not_before - SECOND) == 0
        at = message.not_before
    deliver(at)

    assert pauses == [30, 60, 120, 240, 480, 960, 1920]
    message.refresh_from_db()
    assert (message.status, message.closed_at, message.tries) == ("failed", at, TRIES)


def test_a_permanent_failure_is_set_aside_at_once(channel):
    message = MessageFactory()
    channel.refuses[message.recipient] = DeliveryFailed("550 no such user", permanent=True)
    other = MessageFactory()

    assert deliver(NOW) == 2

    assert states() == [("failed", 1, "550 no such user"), ("sent", 1, "")]
    assert channel.sent == [other]


def test_what_was_set_aside_can_be_tried_anew(channel):
    message = MessageFactory()
    channel.refuses[message.recipient] = DeliveryFailed("550", permanent=True)
    deliver(NOW)
    channel.refuses.clear()

    assert services.retry(Message.objects.all(), at=NOW) == 1
    deliver(NOW)

    assert states() == [("sent", 1, "")]


def test_what_a_dead_worker_held_is_due_again_after_the_lease(channel):
    MessageFactory()
    assert len(Message.objects.claim("dead", NOW, 10)) == 1

    assert deliver(NOW + LEASE - SECOND) == 0
    assert deliver(NOW + LEASE) == 1
    assert states() == [("sent", 2, "")]


def test_a_worker_that_comes_back_too_late_changes_nothing_of_what_the_next_one_does(channel):
    message = MessageFactory()
    [slow] = Message.objects.claim("slow", NOW, 1)
    [quick] = Message.objects.claim("quick", NOW + LEASE, 1)

    Message.objects.retry(slow, "timeout", NOW + LEASE)
    Message.objects.mark_failed(slow, "timeout", NOW + LEASE)

    message.refresh_from_db()
    assert (message.claimed_by, message.error, message.status) == ("quick", "", "queued")
    assert Message.objects.held_by(quick).exists()


def test_a_lease_counts_from_when_it_is_taken_however_long_the_stage_runs(monkeypatch):
    MessageFactory.create_batch(2)
    elapsed, held = [0.0], []
    monkeypatch.setattr(services.time, "monotonic", lambda: elapsed[0])
    monkeypatch.setattr(services, "BATCH", 1)

    class Slow:
        def send(self, messages):
            for message in messages:
                held.append(message.not_before)
                elapsed[0] += 600
                yield message, None

    monkeypatch.setattr(services, "channel", lambda name: Slow())
    deliver(NOW)

    assert held == [NOW + LEASE, NOW + timedelta(seconds=600) + LEASE]
    assert [message.sent_at for message in Message.objects.order_by("pk")] == [
        NOW + timedelta(seconds=600),
        NOW + timedelta(seconds=1200),
    ]


def test_a_slow_channel_is_handed_no_more_than_it_can_send_within_the_lease(channel, monkeypatch):
    MessageFactory.create_batch(6)
    ticks = iter(range(0, 100_000, 20))
    monkeypatch.setattr(services.time, "monotonic", lambda: float(next(ticks)))

    assert deliver(NOW) == 4

    assert len(channel.sent) == 4
    assert [status for status, *_ in states()] == ["sent"] * 4 + ["queued"] * 2


def test_a_channel_that_breaks_down_leaves_the_rest_for_the_next_tick(monkeypatch, caplog):
    first, second = MessageFactory.create_batch(2)

    class Breaking:
        def send(self, messages):
            yield next(iter(messages)), None
            raise RuntimeError("out of paper")

    monkeypatch.setattr(services, "channel", lambda name: Breaking())

    assert deliver(NOW) == 1

    assert [status for status, *_ in states()] == ["sent", "queued"]
    assert "out of paper" in caplog.text
    second.refresh_from_db()
    assert second.not_before >= NOW + LEASE
    assert first.pk < second.pk


def test_messages_of_a_channel_that_is_not_set_up_wait_and_stop_no_other(channel, caplog):
    MessageFactory(channel="pigeon")
    MessageFactory()

    assert deliver(NOW) == 1

    assert sorted(status for status, *_ in states()) == ["queued", "sent"]
    assert "the channel pigeon cannot be used" in caplog.text


def test_the_same_words_to_the_same_person_stand_in_the_outbox_once():
    message = MessageFactory(topic="update:1", recipient="ada@example.com")

    Message.objects.put([MessageFactory.build(topic="update:1", recipient="ada@example.com", subject="again")])

    assert Message.objects.get() == message


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_never_hold_the_same_row():
    MessageFactory.create_batch(60)

    def claim(worker):
        return lambda: [message.pk for _ in range(5) for message in Message.objects.claim(f"worker-{worker}", NOW, 4)]

    taken = at_once(*(claim(worker) for worker in range(4)))

    keys = [pk for each in taken for pk in each]
    assert len(keys) == len(set(keys))
    assert Message.objects.exclude(claimed_by="").count() == len(keys)


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_several_workers_send_everything_once():
    MessageFactory.create_batch(60)
    with recording_channel() as channel, pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "BATCH", 7)
        done = at_once(*[lambda: deliver(NOW)] * 4)
        deliver(NOW)

    assert [type(each) for each in done] == [int] * 4
    assert len(channel.sent) == 60
    assert len({message.pk for message in channel.sent}) == 60


WORKER = """
import django, time
django.setup()
from django.utils import timezone
from statusbreaks.notifications import services
services.BATCH = 20
services.deliver(timezone.now())
"""


def database_url():
    at = connection.settings_dict
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    secret = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    return f"{scheme}://{at['USER']}{secret}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@needs_threads
@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_lose_nothing_and_double_at_most_one_message_each(tmp_path, monkeypatch):
    MessageFactory.create_batch(150)
    sent = tmp_path / "sent"
    sent.touch()
    (tmp_path / "killed.py").write_text(
        "from tests.settings import *\n"
        "STATUSBREAKS = {**STATUSBREAKS, 'CHANNELS': {'email': 'tests.notifications.file_channel.FileChannel'}}\n"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "killed",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "FILE_CHANNEL": str(sent),
    }

    def lines():
        return sent.read_text().split()

    for least in (10, 60):
        worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment)
        deadline = time.monotonic() + 30
        while len(lines()) < least and worker.poll() is None and time.monotonic() < deadline:
            os.sched_yield()
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    killed_after = len(lines())

    monkeypatch.setenv("FILE_CHANNEL", str(sent))
    channels = {"email": "tests.notifications.file_channel.FileChannel"}
    with override_settings(STATUSBREAKS={**settings.STATUSBREAKS, "CHANNELS": channels}):
        deliver(NOW + timedelta(days=9999))

    times = Counter(lines())
    assert 60 <= killed_after < 150
    assert len(times) == 150
    assert sum(times.values()) - 150 <= 2
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
