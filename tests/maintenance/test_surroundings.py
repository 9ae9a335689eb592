import pytest
from django.conf import global_settings
from django.urls import set_script_prefix

from statusbreaks.maintenance.surroundings import languages, shop_map


@pytest.mark.parametrize(
    ("own", "expected"),
    [("en", ("en", "de", "pl")), ("pl", ("pl", "en", "de")), ("de-at", ("de", "en", "pl")), ("fr", ("en", "de", "pl"))],
)
def test_the_sites_own_language_comes_first(settings, own, expected):
    settings.LANGUAGE_CODE = own

    assert languages() == expected


def test_addresses_with_a_language_in_front_belong_to_the_same_parts(settings):
    settings.ROOT_URLCONF = "tests.maintenance.urls_with_languages"
    settings.LOGIN_URL = "nowhere"

    where = shop_map()

    assert where.prefix_languages == ("en", "de", "pl")
    assert where.has("checkout", "/pl/checkout/")
    assert not where.has("checkout", "/fr/checkout/")
    assert where.is_writable("/de/log-out/")
    assert not where.is_always_open("/admin/")


def test_a_log_in_elsewhere_opens_nothing_here(settings):
    settings.LOGIN_URL = "https://id.example/login/"

    assert not shop_map().is_writable("/login-elsewhere/")
    assert "" not in shop_map().writable


def test_addresses_of_nothing_in_particular_open_nothing(settings):
    settings.MEDIA_URL = ""
    settings.STATIC_URL = "https://cdn.example/static/"
    settings.LOGIN_URL = "/"

    where = shop_map()

    assert not where.is_always_open("/anything/")
    assert not where.is_writable("/anything/")


def test_paths_are_known_without_the_name_of_the_script(settings):
    set_script_prefix("/shop/")
    try:
        where = shop_map()
    finally:
        set_script_prefix("/")

    assert where.is_always_open("/admin/")
    assert where.is_always_open("/statusbreaks/api/")
    assert not where.is_always_open("/shop/checkout/")


def test_a_site_that_names_no_languages_speaks_its_own(settings):
    settings.LANGUAGES = list(global_settings.LANGUAGES)
    settings.LANGUAGE_CODE = "de-at"

    assert languages() == ("de-at",)
