from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from statusbreaks.maintenance.channels import hours_problem, href, is_open, openings, parse_hours, target_problem
from statusbreaks.maintenance.facts import Way, sorted_ways
from statusbreaks.maintenance.models import AlternativeChannel
from statusbreaks.maintenance.words import hours

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = "Mo-Fr 08:00-20:00; Sa 9:00-14:00"


@pytest.mark.parametrize(
    ("text", "day", "clock", "expected"),
    [
        (WEEK, 0, "07:59", False),
        (WEEK, 0, "08:00", True),
        (WEEK, 4, "19:59", True),
        (WEEK, 4, "20:00", False),
        (WEEK, 5, "13:59", True),
        (WEEK, 6, "12:00", False),
        ("24/7", 6, "03:00", True),
        ("10:00-24:00", 6, "23:59", True),
        ("Sa,Su 10:00-12:00", 6, "11:00", True),
        ("Fr-Mo 10:00-12:00", 0, "11:00", True),
        ("Fr-Mo 10:00-12:00", 1, "11:00", False),
        ("", 0, "12:00", False),
    ],
)
def test_opening_hours_say_whether_somebody_is_there(text, day, clock, expected):
    hour, minute = clock.split(":")

    assert is_open(text, MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))) is expected


@pytest.mark.parametrize(
    "text", ["always", "Mo-Fr", "Xx 08:00-20:00", "Mo 20:00-08:00", "Mo 08:00-25:00", "Mo-Fr 8-20"]
)
def test_hours_that_cannot_be_read_are_refused_with_an_example(text):
    assert "Mo-Fr 08:00-20:00" in str(hours_problem(text))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", WEEK, "Mon–Fri 08:00–20:00; Sat 09:00–14:00"),
        ("en", "08:00-20:00", "Daily 08:00–20:00"),
        ("en", "Mo,We-Fr 08:00-20:00", "Mon, Wed–Fri 08:00–20:00"),
        ("en", "24/7", "Always open"),
        ("en", "", ""),
        ("de", WEEK, "Mo–Fr 08:00–20:00; Sa 09:00–14:00"),
        ("pl", "08:00-20:00", "Codziennie 08:00–20:00"),
    ],
)
def test_hours_are_told_in_the_readers_words(language, text, expected):
    with translation.override(language):
        assert hours(text) == expected


def test_openings_go_by_the_clock_on_the_wall_also_when_that_jumps():
    before_the_jump = datetime(2026, 3, 28, 12, 0, tzinfo=ZoneInfo("Europe/Warsaw"))

    found = [(begins.isoformat(), ends.isoformat()) for begins, ends in openings("08:00-24:00", before_the_jump)]

    assert found == [
        ("2026-03-28T08:00:00+01:00", "2026-03-29T00:00:00+01:00"),
        ("2026-03-29T08:00:00+02:00", "2026-03-30T00:00:00+02:00"),
    ]


def test_who_is_there_now_comes_first_and_else_the_order_of_the_staff_holds():
    ways = [
        Way("phone", name, "", "", hours=text) for name, text in [("a", ""), ("b", "24/7"), ("c", ""), ("d", "24/7")]
    ]

    assert [way.label for way in sorted_ways(ways, MONDAY)] == ["b", "d", "a", "c"]


@pytest.mark.parametrize(
    ("kind", "target", "leads_to"),
    [
        ("phone", "22 123 45 67", "tel:221234567"),
        ("phone", "+48 (22) 123", "tel:+4822123"),
        ("phone", "none", ""),
        ("phone", "https://x.example/123", ""),
        ("whatsapp", "+48 221 234", "https://wa.me/48221234"),
        ("whatsapp", "https://wa.me/1", "https://wa.me/1"),
        ("email", "help+kt@example.org", "mailto:help+kt@example.org"),
        ("email", "help", ""),
        ("site", "https://b.example/", "https://b.example/"),
        ("site", "javascript:alert(1)", ""),
        ("shop", "Lniana 4, Łódź", ""),
    ],
)
def test_a_link_leads_where_its_kind_says_and_nowhere_else(kind, target, leads_to):
    assert href(kind, target) == leads_to
    assert bool(target_problem(kind, target)) is (not leads_to and kind != "shop")


def test_a_channel_is_checked_before_it_is_kept():
    channel = AlternativeChannel(kind="site", label="Elsewhere", target="nowhere", hours="now and then")

    with pytest.raises(ValidationError) as refused:
        channel.clean()

    assert sorted(refused.value.message_dict) == ["hours", "target"]
    AlternativeChannel(kind="phone", label="Call", target="22 123", hours="24/7").clean()


def test_days_may_be_written_in_any_case():
    assert parse_hours("MO-fr 08:00-20:00") == parse_hours("Mo-Fr 08:00-20:00")
