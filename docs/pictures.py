"""Makes the pictures of the documentation anew: `python docs/pictures.py`. Needs Chromium.

The example shop lives through its demo in a folder of its own. Then its card payments fail once more, just now, and a
browser looks at it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 150_000  # bytes

sys.path.insert(0, str(ROOT))
os.environ["SHOP_DIR"] = tempfile.mkdtemp(prefix="pictures-")
os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"

import django  # noqa: E402

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from statusbreaks.flows.models import Watch  # noqa: E402
from statusbreaks.incidents.models import Incident, Playbook  # noqa: E402
from statusbreaks.incidents.services import Draft, NewIncident, add_orders, open_incident, post_update  # noqa: E402
from statusbreaks.pipeline import tick  # noqa: E402


def main() -> None:
    call_command("demo", no_serve=True)
    incident = disturb()
    logging.disable(logging.WARNING)  # a browser asks for an icon that the shop has not
    with serving() as address:
        take(f"{address}/checkout/", "closed-page.png", 960, 930)
        take(f"{address}/admin/statusbreaks/incident/{incident.pk}/change/", "admin.png", 1240, 1200)


def disturb() -> Incident:
    """Card payments are not confirmed, since fifty minutes; staff know why."""
    now = timezone.now()
    playbook = Playbook.objects.filter(flow="payment", closes__icontains="checkout").order_by("pk")[0]
    incident = open_incident(
        NewIncident(
            kind="payment",
            title="Payments are not confirmed (paywell)",
            impact=playbook.impact,
            flow="payment",
            segment="paywell",
            playbook=playbook,
            impact_started_at=now - timedelta(minutes=50),
            detected_at=now - timedelta(minutes=20),
        )
    )
    add_orders(incident, Watch.objects.filter(flow="payment").order_by("-pk")[:27], reason="waits in “authorised”")
    cause = "The payment company has found the fault and is mending it. You need not do anything."
    promised = Draft({"en": ("Cause found", cause)}, "identified", eta_at=now + timedelta(minutes=50))
    post_update(incident, promised, by=get_user_model().objects.filter(is_superuser=True).first())
    tick()
    return incident


@contextlib.contextmanager
def serving() -> Iterable[str]:
    """The shop on a free port, to somebody of the staff who is signed in."""
    client = Client()
    client.force_login(get_user_model().objects.filter(is_superuser=True)[0])
    server = make_server("127.0.0.1", 0, signed_in(get_wsgi_application(), client), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    shutil.rmtree(os.environ["SHOP_DIR"], ignore_errors=True)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


def signed_in(shop: Callable[..., Any], client: Client) -> Callable[..., Any]:
    cookie = "; ".join(f"{name}={held.value}" for name, held in client.cookies.items())
    return lambda environ, start: shop({**environ, "HTTP_COOKIE": cookie}, start)


def take(address: str, name: str, width: int, height: int) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None) or sys.exit("Chromium is not on this machine.")
    subprocess.run(
        [
            browser,
            *("--headless", "--no-sandbox", "--hide-scrollbars", "--lang=en", "--disable-gpu"),
            f"--window-size={width},{height}",
            f"--screenshot={IMAGES / name}",
            address,
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    size = (IMAGES / name).stat().st_size
    print(f"{name}: {size:,} bytes")
    if size > LARGEST:
        sys.exit(f"{name} has {size:,} bytes, over {LARGEST:,}")


if __name__ == "__main__":
    main()
