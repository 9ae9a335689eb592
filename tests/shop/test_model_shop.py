"""Orders read by settings alone."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import override_settings

from example_project.shop.models import Order
from statusbreaks.shop import model as shop_model
from statusbreaks.shop.model import ModelShop
from statusbreaks.shop.models import facts_of
from statusbreaks.shop.port import Shop, watch_shop
from statusbreaks.shop.values import Customer, OrderFacts
from statusbreaks.testing import MemoryShop, ShopContract, memory_shop
from tests.example_project.factories import NOON, OrderFactory, UserFactory
from tests.factories import ReportedOrderFactory

pytestmark = pytest.mark.django_db


class TestModelShop(ShopContract):
    def make_shop(self) -> Shop:
        return ModelShop()

    def place_order(self) -> str:
        return str(OrderFactory().pk)

    def change_status(self, key: str) -> tuple[str, str]:
        Order.objects.get(pk=key).payment_confirmed(NOON)
        return "payment", "paid"

    def remove_order(self, key: str) -> None:
        Order.objects.get(pk=key).delete()


class TestMemoryShop(ShopContract):
    @pytest.fixture(autouse=True)
    def _shop(self):
        with memory_shop() as shop:
            self.shop = shop
            yield

    def make_shop(self) -> Shop:
        return self.shop

    def place_order(self) -> str:
        key = f"o-{len(self.shop.orders)}"
        ada = Customer(email="ada@example.com")
        self.shop.put(OrderFacts(key, key.upper(), {"payment": "authorised"}, customer=ada))
        return key

    def change_status(self, key: str) -> tuple[str, str]:
        self.shop.put(OrderFacts(key, key.upper(), {"payment": "paid"}))
        return "payment", "paid"

    def remove_order(self, key: str) -> None:
        del self.shop.orders[key]


def facts(order):
    return ModelShop().facts([str(order.pk)])[str(order.pk)]


def test_all_that_the_settings_name_is_read_in_one_query(django_assert_num_queries):
    told = {"phone": "+48 1", "language": "pl", "accepts_marketing": True, "promised_on": date(2026, 3, 5)}
    order = OrderFactory(number="KT-1", user=UserFactory(), **told)

    with django_assert_num_queries(1):
        known = facts(order)

    assert known == OrderFacts(
        key=str(order.pk),
        number="KT-1",
        statuses={"order": "new", "payment": "authorised", "delivery": "waiting"},
        segments={"order": "", "payment": "paywell", "delivery": "swift"},
        placed_at=NOON,
        # The end of that day, where the shop is.
        promised_at=datetime(2026, 3, 5, 22, 59, 59, 999999, tzinfo=UTC),
        value=Decimal("25.90"),
        currency="EUR",
        customer=Customer(str(order.user_id), "ada@example.com", "+48 1", "Ada Doyle", "pl", accepts_marketing=True),
        cancelled=False,
    )


def test_without_an_address_of_its_own_an_order_has_its_users():
    user = UserFactory(email="user@example.com")

    assert facts(OrderFactory(email="", user=user)).customer.email == "user@example.com"


def test_a_guest_has_no_user():
    customer = facts(OrderFactory()).customer

    assert customer.user_id == ""
    assert customer.identity.startswith("contact:")


def test_a_cancelled_order_is_told():
    assert facts(OrderFactory(status="cancelled")).cancelled


def test_an_order_is_found_by_its_number_or_by_its_key():
    order = OrderFactory(number="KT-77")
    shop = ModelShop()

    assert shop.key_of("KT-77") == str(order.pk)
    assert shop.key_of("KT-78") is None
    with override_settings(STATUSBREAKS={"ORDERS": {"MODEL": "shop.Order"}}):
        assert shop.key_of(str(order.pk)) == str(order.pk)
        assert shop.key_of(str(order.pk + 1)) is None
        assert shop.key_of("KT-77") is None


def test_with_no_more_than_a_model_an_order_is_its_key():
    order = OrderFactory()
    with override_settings(STATUSBREAKS={"ORDERS": {"MODEL": "shop.Order"}, "CURRENCY": "PLN"}):
        assert facts(order) == OrderFacts(str(order.pk), str(order.pk), {}, currency="PLN")


def test_the_final_statuses_are_the_settings():
    assert ModelShop().final_statuses("payment") == {"paid", "failed", "refunded"}


@pytest.mark.parametrize(
    ("kept", "aware"),
    [
        (None, None),
        ("tomorrow", None),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)),
        (datetime(2026, 3, 2, 12), datetime(2026, 3, 2, 11, tzinfo=UTC)),  # noqa: DTZ001 - what a shop without zones keeps
        (date(2026, 7, 1), datetime(2026, 7, 1, 21, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_whatever_moment_a_shop_keeps_becomes_aware(kept, aware):
    assert shop_model._moment(kept) == aware


@pytest.mark.parametrize("column", ["no_such_column", "lines"])
def test_a_status_that_is_no_column_keeps_no_shop_from_starting(column, caplog):
    orders = {"MODEL": "shop.Order", "FLOWS": {"payment": {"STATUS": column}}}

    with override_settings(STATUSBREAKS={**settings.STATUSBREAKS, "ORDERS": orders}):
        watch_shop(lambda *events: True)

    assert "the shop's orders are not watched" in caplog.text


def test_orders_of_other_shops_are_known_as_they_were_reported():
    reported = ReportedOrderFactory(order_key="w-1", order_number="W1", value=Decimal(40))

    assert facts_of("warehouse", ["w-1", "w-2"]) == {"w-1": reported.facts()}
    assert facts_of("elsewhere", ["w-1"]) == {}
    assert reported.facts().customer.email == "w-1@example.com"
    assert str(reported) == "W1"


def test_one_person_is_one_identity_whatever_the_spelling():
    assert Customer(email=" Ada@Example.com").identity == Customer(email="ada@example.com ").identity
    assert Customer(phone="+48 1").identity.startswith("contact:")
    assert Customer(user_id="7", email="ada@example.com").identity == "user:7"
    assert Customer(name="Ada").identity == ""
    assert "ada" not in Customer(email="ada@example.com").identity


def test_the_memory_shop_records_what_changes():
    heard = []
    shop = MemoryShop()
    shop.connect(lambda *events: heard.extend((e.order_key, e.flow, e.status) for e in events) or True)

    shop.put(OrderFacts("o-1", "O-1", {"payment": "authorised", "order": "new"}))
    shop.put(OrderFacts("o-1", "O-1", {"payment": "paid", "order": "new"}))
    shop.put(OrderFacts("o-1", "O-1", {"payment": "paid", "order": "new"}))

    assert heard == [("o-1", "payment", "authorised"), ("o-1", "order", "new"), ("o-1", "payment", "paid")]


def test_the_default_shop_watches_nothing_and_knows_all_its_orders():
    class Bare(Shop):
        def facts(self, keys):
            return {}

        def final_statuses(self, flow):
            return frozenset()

    shop = Bare()

    assert shop.connect(lambda *events: pytest.fail("watches")) is None
    assert shop.has_orders
    assert shop.key_of("1") is None
