"""What the shop charges and promises. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

CURRENCY = "EUR"
MOST_OF_ONE = 20  # pieces of one product in one order
SATURDAY = 5


@dataclass(frozen=True)
class Service:
    """How a carrier delivers: its fee in EUR, and the working days it takes from order to door."""

    fee: Decimal
    days: int


CARRIERS = {
    "swift": Service(Decimal("5.90"), 3),
    "harbour": Service(Decimal("3.90"), 5),
}
PAYMENT_PROVIDERS = {"card": "paywell", "transfer": "giro"}


def promised_on(placed_on: date, carrier: str) -> date:
    """The day that the customer is told: so many working days from the order on. Saturday and Sunday do not count."""
    day, left = placed_on, CARRIERS[carrier].days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day
