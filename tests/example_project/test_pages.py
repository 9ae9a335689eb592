"""Every page stands, in every language, and says which one it is in."""

import re

import pytest

from tests.example_project.factories import ProductFactory

pytestmark = pytest.mark.django_db

PAGES = ["/", "/tea/", "/products/tea/", "/basket/", "/orders/find/", "/account/login/", "/account/register/"]


@pytest.mark.parametrize("language", ["en", "de", "pl"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_its_language_and_has_one_heading_and_labels_for_all_fields(client, page, language):
    ProductFactory(slug="tea")

    html = client.get(page, headers={"accept-language": language}).content.decode()

    assert f'<html lang="{language}">' in html
    assert len(re.findall("<h1", html)) == 1
    fields = set(re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]* id="([^"]+)"', html))
    assert fields <= set(re.findall(r'<label[^>]* for="([^"]+)"', html))


@pytest.mark.parametrize(("language", "basket"), [("en", "Basket"), ("de", "Warenkorb"), ("pl", "Koszyk")])
def test_the_shop_speaks_three_languages(client, language, basket):
    assert f'/basket/">{basket}</a>' in client.get("/", headers={"accept-language": language}).content.decode()


def test_a_page_needs_no_script(client):
    ProductFactory(slug="tea")

    assert all("<script" not in client.get(page).content.decode() for page in PAGES)


def test_a_wrong_address_is_answered_by_the_shops_own_page(client):
    answer = client.get("/no/such/page/")

    assert answer.status_code == 404
    assert "Kettle &amp; Thread" in answer.content.decode()


def test_a_page_shows_what_was_asked_for_as_text_and_not_as_markup(client):
    ProductFactory(slug="tea", name="<b>Tea</b>")

    assert "<b>Tea" not in client.get("/products/tea/").content.decode()
