"""From the shelf to an order."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from example_project.shop.checkout import Buyer, CheckoutRefused, place_order
from example_project.shop.models import Basket, Order, Product
from tests.example_project.conftest import ANSWERS
from tests.example_project.factories import ProductFactory, UserFactory

pytestmark = pytest.mark.django_db


def nothing_was_bought(product):
    left = Product.objects.get(pk=product.pk).stock
    return not Order.objects.exists() and left == product.stock


def test_a_guest_buys_and_sees_the_order(client, buy):
    product = ProductFactory(price=Decimal("12.50"), stock=5)

    answer = buy(product, 2)

    order = Order.objects.get()
    assert answer.url == f"/orders/{order.number}/thanks/"
    assert (order.subtotal, order.shipping, order.total) == (Decimal("25.00"), Decimal("5.90"), Decimal("30.90"))
    assert (order.user, order.email, order.language, order.currency) == (None, "ada@example.com", "pl", "EUR")
    assert (order.status, order.payment_status, order.delivery_status) == ("new", "authorised", "waiting")
    assert (order.payment_provider, order.carrier) == ("paywell", "swift")
    assert [(line.name, line.quantity) for line in order.lines.all()] == [(product.name, 2)]
    assert Product.objects.get().stock == 3
    assert order.number in client.get(answer.url).content.decode()


def test_the_basket_is_empty_afterwards_so_that_a_form_sent_twice_buys_once(client, buy):
    buy(ProductFactory())

    again = client.post("/checkout/", ANSWERS)

    assert again.url == "/basket/"
    assert Order.objects.count() == 1


def test_a_customer_buys_by_bank_transfer_and_finds_it_among_the_own_orders(client, buy):
    user = UserFactory()
    client.force_login(user)

    buy(ProductFactory(), payment_method="transfer")

    order = Order.objects.get()
    assert (order.user, order.payment_status, order.payment_provider) == (user, "pending", "giro")
    assert order.number in client.get("/orders/").content.decode()


def test_the_customer_is_written_to_in_the_language_chosen_with_a_link_that_opens_the_order(
    client, buy, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        buy(ProductFactory(), language="en")

    (mail,) = mailoutbox
    order = Order.objects.get()
    assert mail.to == ["ada@example.com"]
    assert mail.subject == f"Your order {order.number}"
    assert order.signed_path() in mail.body


def test_the_delivery_is_promised_in_working_days(buy, time_machine):
    time_machine.move_to("2026-03-06T12:00:00+01:00")  # a Friday

    buy(ProductFactory())

    assert Order.objects.get().promised_on == date(2026, 3, 11)


def test_the_price_comes_from_the_database_whatever_the_form_says(buy):
    buy(ProductFactory(price=Decimal("10.00")), price="0.01", total="0.01", subtotal="0.01", discount="9")

    assert Order.objects.get().total == Decimal("15.90")


def test_a_price_that_changed_since_the_page_was_shown_stops_the_purchase(buy):
    product = ProductFactory(price=Decimal("10.00"))

    answer = buy(product, shown="9.00")

    assert answer.status_code == 409
    assert nothing_was_bought(product)


@pytest.mark.parametrize("quantity", ["0", "-1", "21", "1.5", "many", ""])
def test_an_impossible_quantity_does_not_get_into_the_basket(client, quantity):
    product = ProductFactory()

    answer = client.post(f"/products/{product.slug}/add/", {"quantity": quantity})

    assert answer.status_code == 400
    assert "is in your basket" not in answer.content.decode()
    assert not Basket.objects.filter(lines__isnull=False).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("phone", "call me"),
        ("language", "xx"),
        ("country", "US"),
        ("carrier", "pigeon"),
        ("payment_method", "shells"),
        ("name", ""),
        ("street", "x" * 121),
    ],
)
def test_a_wrong_answer_is_named_and_nothing_is_bought(buy, field, value):
    product = ProductFactory()

    answer = buy(product, **{field: value})

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert nothing_was_bought(product)


def test_more_than_there_is_cannot_be_bought(buy):
    product = ProductFactory(stock=1)

    answer = buy(product, 2)

    assert answer.status_code == 409
    assert f"{product.name}: there is not enough left in stock." in answer.content.decode()
    assert nothing_was_bought(product)


def test_when_one_product_is_short_the_others_stay_on_the_shelf(client, buy):
    plenty, short = ProductFactory(stock=5), ProductFactory(stock=0)
    client.post(f"/products/{plenty.slug}/add/", {"quantity": 1})

    buy(short)

    assert nothing_was_bought(plenty)


def test_an_unknown_coupon_is_refused_and_nothing_is_bought(buy):
    product = ProductFactory()

    answer = buy(product, coupon="NO-SUCH-CODE")

    assert answer.status_code == 409
    assert list(answer.context["form"].errors) == ["coupon"]
    assert nothing_was_bought(product)


def test_looking_at_the_total_buys_nothing(buy):
    product = ProductFactory(price=Decimal("10.00"))

    answer = buy(product, preview="1", carrier="harbour")

    assert "13.90 EUR" in answer.content.decode()
    assert nothing_was_bought(product)


def test_a_checkout_without_a_basket_leads_to_the_basket(client):
    assert client.get("/checkout/").url == "/basket/"


def test_a_purchase_from_another_site_is_refused():
    from_elsewhere = Client(enforce_csrf_checks=True)

    assert from_elsewhere.post("/checkout/", ANSWERS).status_code == 403


def buyer():
    return Buyer(**ANSWERS)


def basket_with(product, quantity=1):
    basket = Basket.objects.create()
    basket.lines.create(product=product, quantity=quantity)
    return basket


def test_the_last_piece_is_sold_once():
    product = ProductFactory(stock=1)
    first, second = basket_with(product), basket_with(product)

    place_order(first, buyer(), timezone.now())
    with pytest.raises(CheckoutRefused):
        place_order(second, buyer(), timezone.now())

    assert Order.objects.count() == 1
    assert Product.objects.get().stock == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="a database in memory has one writer")
@pytest.mark.django_db(transaction=True)
def test_the_last_pieces_are_sold_once_when_eight_buy_at_the_same_time():
    product = ProductFactory(stock=3)
    baskets = [basket_with(product) for _ in range(8)]
    ready, sold = Barrier(8), []

    def run(basket):
        ready.wait()
        try:
            sold.append(place_order(basket, buyer(), timezone.now()).pk)
        except CheckoutRefused:
            pass
        finally:
            connection.close()

    threads = [Thread(target=run, args=(basket,)) for basket in baskets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sold) == Order.objects.count() == 3
    assert Product.objects.get().stock == 0
