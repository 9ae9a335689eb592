"""`manage.py demo --orders`: real orders are read, played through the shop, and held against what is known."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command, execute_from_command_line
from django.db import connection

from example_project.replay import replay
from example_project.replay.known import Outage, judge, read_known
from example_project.replay.reading import NEEDED, Unreadable, read
from example_project.shop.models import Order
from statusbreaks.flows.models import StatusChange
from statusbreaks.incidents.models import Incident

BEGIN = datetime(2018, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STOP, GO = BEGIN + 60 * HOUR, BEGIN + 66 * HOUR  # no payment is confirmed in between
HEADER = ",".join(NEEDED)
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def text(moment):
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def row(key="o-1", placed="2018-01-01 10:00:00", paid="2018-01-01 10:15:00", **values):
    known = {"order_id": key, "customer_id": f"c-{key}", "payment_type": "credit_card", "total": "10.50"}
    known |= {"order_purchase_timestamp": placed, "order_approved_at": paid, **values}
    return ",".join(known.get(name, "") for name in NEEDED)


def a_busy_week():
    """An order every twenty minutes, each paid within a quarter of an hour, but for one stop of six hours."""
    for number in range(4 * 24 * 3):
        placed = BEGIN + number * 20 * MINUTE
        paid = placed + (5 + number * 7 % 10) * MINUTE
        paid = GO + (paid - STOP) / 60 if STOP <= paid < GO else paid
        yield row(f"o-{number}", text(placed), text(paid))


def write(path, *lines, encoding="utf-8"):
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding=encoding)
    return path


def known_file(path, *outages):
    names = ("start", "last_affected_purchase", "first_release")
    path.write_text(json.dumps([dict(zip(names, map(text, outage), strict=True)) for outage in outages]))
    return path


@pytest.mark.django_db
def test_a_stop_is_found_and_told_and_the_shops_own_database_is_left_alone(tmp_path, mailoutbox):
    orders = write(tmp_path / "orders.csv", *a_busy_week())
    known = known_file(tmp_path / "known.json", (STOP, GO - HOUR, GO))
    out = io.StringIO()

    before = connection
    replay(orders, known, out)

    lines = out.getvalue().splitlines()
    assert lines[0] == "288 orders of orders.csv, from 2018-01-01 to 2018-01-04."
    told = "\n".join(lines)
    assert re.search(r"2018-01-03 1[2-5]:\d0  KT-1 Payments are not confirmed \(credit_card\)", told)
    assert re.search(r"[\d.]+ confirmations were due since 1\d:\d\d and none came; the odds are 1 in [\d,]+", told)
    assert re.search(r"KT-1 resolved: \d+ orders affected, \d+ messages, \d+ coupons", told)
    assert re.fullmatch(r"found 1 of 1 known outages, median delay [12]\.\d h, 0\.00 false alarms a month", lines[-1])
    assert connection is before
    assert not Order.objects.exists()
    assert not StatusChange.objects.exists()
    assert not Incident.objects.exists()
    assert mailoutbox == []


@pytest.mark.django_db
def test_after_a_replay_the_shop_is_watched_as_before(tmp_path):
    replay(write(tmp_path / "orders.csv", row()), None, io.StringIO())

    Order.objects.create(email="a@example.com", name="A", total=Decimal(1), placed_at=BEGIN)

    assert sorted(StatusChange.objects.values_list("flow", flat=True)) == ["delivery", "order", "payment"]


@pytest.mark.django_db
def test_without_known_outages_the_last_line_counts_incidents(tmp_path, capsys):
    orders = write(tmp_path / "orders.csv", row())

    call_command("demo", "--no-serve", orders=orders)

    assert capsys.readouterr().out.splitlines()[-1] == "0 incidents in 1 months, 0.00 incidents a month"


@pytest.mark.django_db
def test_rows_that_cannot_be_read_are_counted_and_named_by_line(tmp_path):
    orders = write(
        tmp_path / "orders.csv",
        row("o-1"),
        row("o-2", placed="yesterday"),
        row("o-3", placed="", paid=""),
        row("o-1"),
        row("o-4", total="much"),
        "o-5,too,short",
        row(""),
        row("o-6", placed="0201-01-01 10:00:00"),
        row("o-7", payment_type=""),
        row("o-8", total="NaN"),
        row("o-9") + ",more",
    )
    out = io.StringIO()

    replay(orders, None, out)

    assert out.getvalue().splitlines()[:12] == [
        "1 orders of orders.csv, from 2018-01-01 to 2018-01-01.",
        "10 rows could not be read and are left out:",
        "  line 3: order_purchase_timestamp is 'yesterday', which is no time like 2017-05-02 15:23:09",
        "  line 4: neither order_purchase_timestamp nor order_approved_at says when it began",
        "  line 5: order o-1 was there before",
        "  line 6: total is 'much', which is no number",
        "  line 7: it has more or fewer values than there are columns",
        "  line 8: an order_id has 1 to 40 characters",
        "  line 9: order_purchase_timestamp is '0201-01-01 10:00:00', which is no time of this age",
        "  line 10: a payment_type has 1 to 20 characters",
        "  line 11: total is 'NaN', which is no price",
        "  line 12: it has more or fewer values than there are columns",
    ]


def test_an_order_without_a_purchase_begins_when_it_was_paid(tmp_path):
    [sale] = read(write(tmp_path / "orders.csv", row(placed=""))).sales

    assert sale.began_at == datetime(2018, 1, 1, 10, 15, tzinfo=UTC)
    assert [name for name, _ in sale.steps] == ["placed_and_paid"]


def test_a_step_is_never_earlier_than_the_one_before_it(tmp_path):
    [sale] = read(write(tmp_path / "orders.csv", row(paid="2018-01-01 09:00:00"))).sales

    assert [at for _, at in sale.steps] == [BEGIN + 10 * HOUR, BEGIN + 10 * HOUR]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty. Its first line should name the columns: order_id"),
        (HEADER.encode(), "holds no order that can be read (0 rows could not be)"),
        (f"{HEADER}\nx\n".encode(), "(1 rows could not be, the first, line 2, because it has more or fewer values"),
        (b"order_id,total\n1,2\n", "has no column customer_id, order_purchase_timestamp"),
        (f"{HEADER}\n{row(customer_id='São')}".encode("latin-1"), "is not text in UTF-8"),
        (f"{HEADER}\n{row()}".encode("utf-16"), "is not text in UTF-8"),
        (HEADER.encode() + b"\n" + b"x" * 200_000, "is not a CSV file: field larger than field limit"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text in UTF-8"),
    ],
)
def test_a_file_of_no_use_is_refused_with_a_sentence(tmp_path, content, said):
    path = tmp_path / "orders.csv"
    path.write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        read(path)

    assert str(refused.value).startswith(f"{path} ")
    assert said in str(refused.value)
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is not JSON"),
        (b"{}", "should be a JSON list of outages, each with start, last_affected_purchase, first_release."),
        (b"[]", "should be a JSON list of outages"),
        (b"[1]", "outage 1 should have start, last_affected_purchase, first_release, as text."),
        (b'[{"start": "2018-01-01"}]', "outage 1 should have"),
        (b"\xff\xfe", "is not text in UTF-8."),
        (b"[" * 100_000, "is not JSON"),
        (
            b'[{"start": "x", "last_affected_purchase": "2018-01-01", "first_release": "2018-01-01"}]',
            "outage 1: Invalid isoformat string: 'x'. A time looks like 2017-05-02 15:23:09.",
        ),
        (
            b'[{"start": "2018-01-02", "last_affected_purchase": "2018-01-01", "first_release": "2018-01-01"}]',
            "outage 1 ends before it starts.",
        ),
    ],
)
def test_known_outages_of_a_wrong_shape_are_refused_with_a_sentence(tmp_path, content, said):
    path = tmp_path / "known.json"
    path.write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        read_known(path)

    assert said in str(refused.value)
    assert refused.value.returncode == 2


@pytest.mark.parametrize("arguments", [["--orders", "{empty}"], ["--orders", "{missing}"], ["--known", "{empty}"]])
def test_the_command_ends_with_status_two_and_no_traceback(tmp_path, capsys, arguments):
    (tmp_path / "empty").touch()
    paths = {"empty": tmp_path / "empty", "missing": tmp_path / "missing"}

    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "demo", "--no-serve", *(part.format(**paths) for part in arguments)])

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said


def test_each_alarm_counts_for_one_outage_and_each_outage_is_found_by_the_first():
    one, other = Outage(BEGIN, BEGIN + 5 * HOUR), Outage(BEGIN + 10 * HOUR, BEGIN + 12 * HOUR)
    noticed = [BEGIN + hours * HOUR for hours in (-2, -1, 3, 13)]

    verdict = judge([one, other], noticed)

    assert [moment for _, moment in verdict.found] == [BEGIN - HOUR, None]
    assert verdict.false == [BEGIN - 2 * HOUR, BEGIN + 3 * HOUR, BEGIN + 13 * HOUR]
    assert verdict.delays == [-HOUR]
    assert verdict.median_delay == -1.0
    assert judge([other], []).median_delay is None


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(not REAL.is_dir(), reason="the real orders do not lie beside this checkout")
def test_of_the_real_outages_all_are_found_in_time_and_false_alarms_are_rare():
    out = io.StringIO()

    replay(REAL / "orders_2016-2018Q1.csv", REAL / "payment_outages.json", out)

    last = out.getvalue().splitlines()[-1]
    found = re.fullmatch(
        r"found (\d+) of 10 known outages, median delay ([\d.]+) h, ([\d.]+) false alarms a month", last
    )
    assert found, last
    assert int(found[1]) == 10
    assert float(found[2]) <= 3.5
    assert float(found[3]) <= 0.25
