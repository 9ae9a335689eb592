"""What comes before and after the story: the workers elsewhere, and where to look."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse
from kombu.exceptions import OperationalError

from example_project.celery import app
from example_project.shop.seed import Seeded
from example_project.story.serving import USUAL
from example_project.story.telling import Teller

LISTENS = 0.7  # seconds for other workers to answer
BUSY = """A Celery worker runs already ({names}). It keeps real time, and the story moves the clock:
stop it, and start it again when the demo says so."""


def refuse_other_workers() -> None:
    """Raises CommandError where a worker would live in another time than the story."""
    if not settings.CELERY_BROKER_URL:
        return
    try:
        known = app.control.inspect(timeout=LISTENS).registered() or {}
    except OperationalError as error:
        raise CommandError(f"The broker named by CELERY_BROKER_URL does not answer: {error}") from error
    names = [node for node, tasks in known.items() if "statusbreaks.tick" in tasks]
    if names:
        raise CommandError(BUSY.format(names=", ".join(names)))


def worker_command() -> str:
    """Its letters should lead to where the shop is served."""
    here = os.environ.get("BASE_URL") or f"http://localhost:{USUAL}" == settings.BASE_URL
    return ("" if here else f"BASE_URL={settings.BASE_URL} ") + ".venv/bin/celery -A example_project worker -B"


def invite(teller: Teller, seeded: Seeded | None) -> None:
    base = settings.BASE_URL.rstrip("/")
    teller.chapter("The shop is open")
    rows = [
        ("the shop", f"{base}/"),
        ("the admin", f"{base}{reverse('admin:index')}"),
        ("make a provider fail", f"{base}{reverse('staff_providers')}"),
        ("close the checkout", "python3 manage.py statusbreaks close --scope checkout"),
        ("see the closed page", f"{base}{reverse('checkout')}"),
        ("and open it again", "python3 manage.py statusbreaks open"),
    ]
    if seeded:
        rows.insert(2, ("sign in as", f"{seeded.staff.username}  password  {seeded.password}"))
    if settings.CELERY_BROKER_URL:
        rows.append(("the worker", f"start it in another shell: {worker_command()}"))
    teller.table(rows)
    teller.say()
    teller.say("Stop with Ctrl-C.", "quiet")
