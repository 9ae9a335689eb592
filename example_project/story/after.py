"""What comes before and after the story: the workers elsewhere, and where to look."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from example_project.celery import app
from example_project.shop.seed import Seeded
from example_project.story.telling import Teller

LISTENS = 0.7  # seconds for other workers to answer
BUSY = """A Celery worker runs already ({names}). It keeps real time, and the story moves the clock:
stop it, and start it again when the demo says so."""


def refuse_other_workers() -> None:
    """Raises CommandError where a worker would live in another time than the story."""
    if not settings.CELERY_BROKER_URL:
        return
    known = app.control.inspect(timeout=LISTENS).registered() or {}
    names = [node for node, tasks in known.items() if "statusbreaks.tick" in tasks]
    if names:
        raise CommandError(BUSY.format(names=", ".join(names)))


def invite(teller: Teller, seeded: Seeded | None) -> None:
    base = settings.BASE_URL.rstrip("/")
    teller.chapter("The shop is open")
    rows = [
        ("the shop", f"{base}/"),
        ("the admin", f"{base}{reverse('admin:index')}"),
        ("make a provider fail", f"{base}{reverse('staff_providers')}"),
        ("see the closed page", f"{base}{reverse('checkout')} with something in the basket, after this command:"),
        ("", "python3 manage.py statusbreaks close --scope checkout"),
        ("and open it again", "python3 manage.py statusbreaks open"),
    ]
    if seeded:
        rows.insert(2, ("sign in as", f"{seeded.staff.username}  password  {seeded.password}"))
    if settings.CELERY_BROKER_URL:
        rows.append(("the worker", "start it in another shell: celery -A example_project worker -B"))
    teller.table(rows)
    teller.say()
    teller.say("Stop with Ctrl-C.", "quiet")
