"""The shop as its customers meet it."""

import pytest
from django.core.cache import cache

ANSWERS = {
    "email": "ada@example.com",
    "phone": "+48 600 123 456",
    "language": "pl",
    "name": "Ada Doyle",
    "street": "Cicha 3",
    "postcode": "90-001",
    "city": "Łódź",
    "country": "PL",
    "carrier": "swift",
    "payment_method": "card",
}


@pytest.fixture(autouse=True)
def _no_tries_left_over():
    cache.clear()


@pytest.fixture
def buy(client):
    """Put a product in the basket and send the checkout form; returns the answer."""

    def buy(product, quantity=1, **answers):
        client.post(f"/products/{product.slug}/add/", {"quantity": quantity})
        return client.post("/checkout/", {**ANSWERS, **answers})

    return buy
