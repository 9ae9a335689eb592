"""The shop's own rows."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from django.contrib.auth.models import User
from factory.django import DjangoModelFactory

from example_project.providers.models import Provider
from example_project.shop.models import Order, OrderLine, Product

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
PASSWORD = "tea-time-12"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}@example.com")
    email = factory.SelfAttribute("username")
    password = factory.django.Password(PASSWORD)


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product

    name = factory.Sequence(lambda n: f"Tea {n}")
    slug = factory.Sequence(lambda n: f"tea-{n}")
    category = "tea"
    drawing = "tin"
    tint = "sage"
    price = Decimal("10.00")
    stock = 5


class OrderFactory(DjangoModelFactory):
    class Meta:
        model = Order

    email = "ada@example.com"
    name = "Ada Doyle"
    payment_method = "card"
    payment_provider = "paywell"
    payment_status = "authorised"
    carrier = "swift"
    total = Decimal("25.90")
    placed_at = NOON


class OrderLineFactory(DjangoModelFactory):
    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    product = factory.SubFactory(ProductFactory)
    name = factory.SelfAttribute("product.name")
    price = factory.SelfAttribute("product.price")
    quantity = 2


class ProviderFactory(DjangoModelFactory):
    class Meta:
        model = Provider

    code = "paywell"
    name = "Paywell Cards"
    kind = "payment"
