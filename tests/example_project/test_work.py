"""The shop's own work, by a command and by a worker in the process."""

import logging
from datetime import timedelta
from threading import Event

import pytest
from django.core.management import call_command
from django.utils import timezone

from example_project import worker
from example_project.providers.tasks import work
from example_project.shop.models import Order
from tests.example_project.factories import OrderFactory, ProviderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def due():
    ProviderFactory()
    return OrderFactory(placed_at=timezone.now() - timedelta(days=2))


def test_the_command_does_what_is_due_and_says_how_much(due, capsys):
    call_command("shop_work")

    assert Order.objects.get().payment_status == "paid"
    assert capsys.readouterr().out.endswith("1 orders went on\n")


def test_the_celery_task_does_the_same(due):
    assert work() == 1
    assert work() == 0


def test_the_worker_in_the_process_does_the_shops_work_and_ticks(due, monkeypatch):
    ticks = []
    monkeypatch.setattr(worker, "tick", lambda: ticks.append(1))

    worker.once()

    assert Order.objects.get().payment_status == "paid"
    assert ticks == [1]


def test_what_fails_is_logged_and_the_rest_is_done(due, monkeypatch, caplog):
    def fail():
        raise RuntimeError("no table yet")

    monkeypatch.setattr(worker, "tick", fail)

    with caplog.at_level(logging.ERROR):
        worker.once()

    assert Order.objects.get().payment_status == "paid"
    assert "it goes on" in caplog.text


def test_the_worker_goes_on_until_it_is_stopped(monkeypatch):
    third, rounds = Event(), []

    def once():
        rounds.append(1)
        if len(rounds) == 3:
            third.set()

    monkeypatch.setattr(worker, "once", once)
    stop = worker.start(every=0)

    assert third.wait(timeout=10)
    stop()
    done = len(rounds)
    assert done >= 3
    assert len(rounds) == done
