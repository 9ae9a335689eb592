"""`manage.py demo`, run as a newcomer runs it: in a process of its own, on a database of its own."""

import io
import re
import socket
import sqlite3
from contextlib import closing, nullcontext
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from example_project.shop.management.commands import demo
from example_project.shop.models import Product
from example_project.shop.seed import stock_shelves
from example_project.story import database, serving
from example_project.story.telling import PromiseBroken, Teller, long, promise
from tests.example_project.processes import run_demo

ACTS = [
    "A new shop",
    "A normal afternoon",
    "Card payments stop being confirmed",
    "The app notices",
    "The checkout closes, the rest stays open",
    "The customers are told",
    "Staff take it in hand",
    "The provider recovers",
    "Goodwill, within a budget",
    "The next day",
    "Now",
    "In all",
    "To look at",
]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("shop"), "--no-serve")


def test_the_story_comes_true_and_no_log_drowns_it(story):
    assert (story.returncode, story.stderr) == (0, "")


def test_the_acts_are_told_in_their_order(story):
    headings = [line for line in story.stdout.splitlines() if line in ACTS]

    assert headings == ACTS


def test_the_sum_says_when_it_was_noticed_and_what_it_cost(story):
    told = dict(re.findall(r"^  (\w[\w ]+?)  +(\S.*)$", story.stdout, re.MULTILINE))

    assert re.fullmatch(r"\d.*(h|min), from the flow alone", told["noticed after"])
    assert told["redeemed"] == "1"
    assert told["rating"] == "5 of 5"
    assert told["false alarms"] == "0"
    assert re.fullmatch(r"\d+ issued, at most \d+\.00 EUR of 100\.00 EUR", told["coupons"])


def test_it_reads_at_a_hundred_columns_without_colours(story):
    wide = [line for line in story.stdout.splitlines() if len(line) > 100 and "://" not in line]

    assert wide == []
    assert "\x1b" not in story.stdout


@pytest.mark.django_db
def test_a_database_with_rows_that_no_demo_made_is_refused():
    stock_shelves(1)

    with pytest.raises(CommandError, match="rows that the demo did not make, in: shop_product"):
        database.make_fresh()

    assert Product.objects.count() == 1


@pytest.mark.django_db
def test_what_an_earlier_demo_made_may_go():
    stock_shelves(1)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {database.MARK} (made_at varchar(40))")

    assert {"shop_product", database.MARK} < database.refuse_what_is_not_ours()


def test_a_file_that_somebody_else_keeps_things_in_stays_as_it_is(tmp_path):
    path = tmp_path / "mine.sqlite3"
    with closing(sqlite3.connect(path)) as mine, mine:
        mine.execute("CREATE TABLE diary (page text)")
        mine.execute("INSERT INTO diary VALUES ('dear diary')")

    done = run_demo(tmp_path, "--no-serve", DATABASE_URL=f"sqlite:///{path}")

    assert done.returncode == 1
    assert "tables that are not the demo's: diary" in done.stderr
    with closing(sqlite3.connect(path)) as mine:
        assert mine.execute("SELECT page FROM diary").fetchall() == [("dear diary",)]


def test_a_story_that_does_not_come_true_fails(monkeypatch):
    def broken(teller):
        promise(1 > 2, "nobody was told")

    monkeypatch.setattr(demo.database, "alone", nullcontext)
    monkeypatch.setattr(demo.database, "refuse_what_is_not_ours", lambda: None)
    monkeypatch.setattr(demo.play, "tell", broken)

    with pytest.raises(CommandError, match="The story did not come true: nobody was told"):
        call_command("demo", "--no-serve", stdout=io.StringIO())


def test_a_kept_promise_says_nothing():
    promise("kept", "not said")
    with pytest.raises(PromiseBroken):
        promise("", "said")


def test_known_outages_go_with_orders(tmp_path):
    known = tmp_path / "known.json"
    known.write_text("[]")

    with pytest.raises(CommandError, match="--known goes with --orders"):
        call_command("demo", "--known", str(known))
    with pytest.raises(CommandError, match=r"nowhere\.csv is not a file"):
        call_command("demo", "--orders", "nowhere.csv")


@pytest.fixture
def taken():
    with socket.socket() as held:
        held.bind((serving.HOST, 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_port_that_is_taken_is_passed_over_unless_it_was_asked_for(monkeypatch, taken):
    monkeypatch.setattr(serving, "USUAL", taken)

    assert taken < serving.free_port(None) < taken + serving.TRIED
    with pytest.raises(CommandError, match=f"Port {taken} is taken"):
        serving.free_port(taken)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("minutes", "text"), [(0, "0 min"), (52, "52 min"), (240, "4 h"), (125, "2 h 5 min")])
def test_a_span_is_said_in_hours_and_minutes(minutes, text):
    assert long(timedelta(minutes=minutes)) == text


@pytest.mark.parametrize(("no_color", "out", "coloured"), [
    ("", Terminal(), True),
    ("1", Terminal(), False),
    ("", io.StringIO(), False),
])  # fmt: skip
def test_colours_are_for_terminals_that_want_them(monkeypatch, no_color, out, coloured):
    monkeypatch.setenv("NO_COLOR", no_color)

    Teller.to(out).chapter("Now")

    assert ("\x1b[1mNow\x1b[0m" in out.getvalue()) is coloured
