"""Texts and targets that would be code if the closed page let them."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from statusbreaks.maintenance.models import AlternativeChannel, ClosingText
from statusbreaks.maintenance.services import close_shop, publish

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def shop(settings, tmp_path):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": tmp_path / "state"}
    return Client(headers={"accept": "text/html", "accept-language": "en"})


def test_texts_on_the_closed_page_are_no_markup(shop):
    closing = close_shop()
    ClosingText.objects.create(closing=closing, language="en", headline=SCRIPT, body=f'"{SCRIPT}')
    AlternativeChannel.objects.create(kind="phone", label=SCRIPT, target="+48 22", note=SCRIPT, reply_time=SCRIPT)
    publish(timezone.now())

    html = shop.get("/").content.decode()

    assert html.count("&lt;script&gt;alert(1)") >= 4
    assert SCRIPT not in html


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "//evil.example", " javascript:alert(1)"]
)
def test_a_way_to_buy_is_a_link_to_the_web_or_none(shop, target):
    AlternativeChannel.objects.create(kind="site", label="Elsewhere", target=target)
    close_shop()

    html = shop.get("/").content.decode()

    assert "Elsewhere" in html
    assert [link for link in re.findall(r'href="([^"]*)"', html) if not re.match(r"#|\?|/(?!/)|$", link)] == []


def test_scripts_run_only_as_they_were_published(shop):
    close_shop()

    policy = shop.get("/")["Content-Security-Policy"]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    assert all(re.fullmatch(r"'sha256-[\w+/=]+'", source) for source in rules["script-src"].split())
