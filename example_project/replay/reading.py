"""Orders out of a CSV file. A row that cannot be read is named by its line and left out; it stops nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.management.base import CommandError

PLACED, PAID = "order_purchase_timestamp", "order_approved_at"
SENT, DELIVERED = "order_delivered_carrier_date", "order_delivered_customer_date"
PROMISED = "order_estimated_delivery_date"
NEEDED = ("order_id", "customer_id", PLACED, PAID, SENT, DELIVERED, "payment_type", "total")
LONGEST_KEY = 40
METHOD = 20


class Unreadable(CommandError):
    """The file as a whole is of no use; the text says why, and what was expected. The command ends with status 2."""

    def __init__(self, text: str) -> None:
        super().__init__(text, returncode=2)


class BadRow(Exception):
    """One row is of no use; the text says why."""


@dataclass(frozen=True)
class Sale:
    """What happened to one order: its steps by name, in the order in which the shop can take them."""

    key: str
    customer: str
    method: str
    total: Decimal
    city: str
    promised: datetime | None
    steps: tuple[tuple[str, datetime], ...]

    @property
    def began_at(self) -> datetime:
        return self.steps[0][1]


@dataclass
class Reading:
    sales: list[Sale] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


def read(path: Path) -> Reading:
    """All orders of the file, by the time they begin. Times have no zone; they are taken as they stand."""
    reading, known = Reading(), set()
    for line, row in _rows(path):
        try:
            sale = _sale(row)
            if sale.key in known:
                raise BadRow(f"order {sale.key} was there before")
        except BadRow as bad:
            reading.bad.append((line, str(bad)))
            continue
        known.add(sale.key)
        reading.sales.append(sale)
    if not reading.sales:
        first = f", the first, line {reading.bad[0][0]}, because {reading.bad[0][1]}" if reading.bad else ""
        raise Unreadable(f"{path} holds no order that can be read ({len(reading.bad)} rows could not be{first}).")
    reading.sales.sort(key=lambda sale: (sale.began_at, sale.key))
    return reading


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str | None, str | list[str] | None]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            _check_header(path, rows.fieldnames)
            for row in rows:
                yield rows.line_num, row
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not text in UTF-8 (byte {error.start + 1}). Save it as UTF-8, please.") from error
    except csv.Error as error:
        raise Unreadable(f"{path} is not a CSV file: {error}.") from error
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error


def _check_header(path: Path, names: object) -> None:
    if not names:
        raise Unreadable(f"{path} is empty. Its first line should name the columns: {', '.join(NEEDED)}.")
    assert isinstance(names, list | tuple)
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Unreadable(f"{path} has no column {', '.join(missing)}. It should have: {', '.join(NEEDED)}.")


def _sale(row: Mapping[str | None, str | list[str] | None]) -> Sale:
    if None in row or None in row.values():
        raise BadRow("it has more or fewer values than there are columns")
    texts = {str(name): str(value).strip() for name, value in row.items()}
    key = texts["order_id"]
    if not key or len(key) > LONGEST_KEY:
        raise BadRow(f"an order_id has 1 to {LONGEST_KEY} characters")
    method = texts["payment_type"]
    if not method or len(method) > METHOD:
        raise BadRow(f"a payment_type has 1 to {METHOD} characters")
    return Sale(
        key=key,
        customer=texts["customer_id"] or key,
        method=method,
        total=_money(texts["total"]),
        city=texts.get("customer_city", "")[:80],
        promised=_moment(texts.get(PROMISED, ""), PROMISED),
        steps=_steps(texts),
    )


def _steps(texts: Mapping[str, str]) -> tuple[tuple[str, datetime], ...]:
    """A step is never earlier than the one before it: the shop takes them in this order, whatever a clerk noted."""
    placed, paid, sent, delivered = (_moment(texts[name], name) for name in (PLACED, PAID, SENT, DELIVERED))
    begin = placed or paid
    if begin is None:
        raise BadRow(f"neither {PLACED} nor {PAID} says when it began")
    found = [("placed" if placed else "placed_and_paid", begin)]
    if placed and paid:
        found.append(("paid", max(paid, begin)))
    if paid and (sent or delivered):
        found.append(("handed_over", max(sent or delivered or begin, found[-1][1])))
        if delivered:
            found.append(("delivered", max(delivered, found[-1][1])))
    return tuple(found)


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow(f"{name} is {text[:40]!r}, which is no time like 2017-05-02 15:23:09") from None
    if not 1990 <= moment.year <= 2100:
        raise BadRow(f"{name} is {text[:40]!r}, which is no time of this age")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text or "0")
    except InvalidOperation:
        raise BadRow(f"total is {text[:40]!r}, which is no number") from None
    if not value.is_finite() or not 0 <= value < 10**8:
        raise BadRow(f"total is {text[:40]!r}, which is no price")
    return round(value, 2)
