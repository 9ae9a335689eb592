"""Signing in, signing out, and what the basket makes of it."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from example_project.shop.models import Basket
from tests.example_project.factories import PASSWORD, ProductFactory, UserFactory

pytestmark = pytest.mark.django_db

NEW = {"email": "Ada@Example.com", "password1": PASSWORD, "password2": PASSWORD}


def pieces(user):
    return {line.product.slug: line.quantity for line in Basket.objects.get(user=user).contents()}


def test_an_account_is_made_and_signed_in(client):
    answer = client.post("/account/register/", NEW)

    user = User.objects.get()
    assert (user.username, user.is_staff) == ("ada@example.com", False)
    assert answer.url == "/orders/"
    assert client.get("/orders/").status_code == 200


def test_one_address_has_one_account(client):
    UserFactory(username="ada@example.com")

    answer = client.post("/account/register/", NEW)

    assert list(answer.context["form"].errors) == ["email"]
    assert User.objects.count() == 1


def test_a_field_that_was_not_asked_for_makes_nobody_staff(client):
    client.post("/account/register/", {**NEW, "is_staff": "on", "is_superuser": "on"})

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_the_email_is_taken_in_any_case(client):
    UserFactory(username="ada@example.com")

    assert client.post("/account/login/", {"username": "ADA@example.com", "password": PASSWORD}).status_code == 302


def test_a_basket_filled_before_signing_in_joins_the_own_one(client):
    user, tea = UserFactory(), ProductFactory(slug="tea")
    ProductFactory(slug="yarn")
    own = Basket.objects.create(user=user)
    own.lines.create(product=tea, quantity=19)
    client.post("/products/tea/add/", {"quantity": 3})
    client.post("/products/yarn/add/", {"quantity": 1})

    client.post("/account/login/", {"username": user.username, "password": PASSWORD})

    assert pieces(user) == {"tea": 20, "yarn": 1}
    assert Basket.objects.count() == 1


def test_a_basket_is_changed_by_whose_it_is_only(client):
    product, other = ProductFactory(slug="tea"), Basket.objects.create(user=UserFactory())
    other.lines.create(product=product, quantity=2)
    session = client.session
    session["basket"] = other.pk
    session.save()

    client.post("/basket/tea/", {"quantity": 9})

    assert [line.quantity for line in other.contents()] == [2]
    assert "nothing in it" in client.get("/basket/").content.decode()


def test_quantities_in_the_basket_can_be_changed_and_taken_out(client):
    ProductFactory(slug="tea")
    client.post("/products/tea/add/", {"quantity": 1})
    (line,) = Basket.objects.get().contents()

    client.post("/basket/tea/", {"quantity": 4})
    line.refresh_from_db()
    assert line.quantity == 4

    client.post("/basket/tea/", {"quantity": 21})
    line.refresh_from_db()
    assert line.quantity == 4

    client.post("/basket/tea/", {"quantity": 0})
    assert Basket.objects.get().contents() == []


def test_signing_out_takes_a_post(client):
    client.force_login(UserFactory())

    assert client.get("/account/logout/").status_code == 405
    assert client.get("/orders/").status_code == 200

    client.post("/account/logout/")
    assert client.get("/orders/").status_code == 302


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_away_after_signing_in_or_choosing_a_language(client, where):
    user = UserFactory()

    signed_in = client.post("/account/login/", {"username": user.username, "password": PASSWORD, "next": where})
    chosen = client.post(reverse("set_language"), {"language": "de", "next": where})

    assert signed_in.url == "/orders/"
    assert "evil" not in chosen.url
    assert "javascript" not in chosen.url
