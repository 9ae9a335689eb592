"""What is wrong with the settings is said by `manage.py check`, before it can hurt."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from statusbreaks import checks
from statusbreaks.conf import conf

ROOT = Path(__file__).resolve().parents[2]
ORDERS = settings.STATUSBREAKS["ORDERS"]


def with_settings(**changed):
    return override_settings(STATUSBREAKS={**settings.STATUSBREAKS, **changed})


def with_orders(**changed):
    return with_settings(ORDERS={**ORDERS, **changed})


def told(check):
    return [(message.id, message.msg, message.hint) for message in check()]


ALL = [checks.check_settings, checks.check_plugins, checks.check_orders, checks.check_links]


@pytest.mark.parametrize("check", ALL)
def test_the_example_shop_is_set_up_well(check):
    assert told(check) == []


def test_a_misspelt_setting_is_an_error_with_the_name_meant():
    with with_settings(CHANELS={}):
        assert told(checks.check_settings) == [
            ("statusbreaks.E001", "STATUSBREAKS['CHANELS'] is not a setting.", "Did you mean 'CHANNELS'?")
        ]


@pytest.mark.parametrize(
    "changed",
    [
        {"SHOP": "nowhere.Shop"},
        {"SHOP": "statusbreaks.shop.NoShop"},
        {"SHOP": "not a path"},
        {"CHANNELS": {"sms": "nowhere.Sms"}},
    ],
)
def test_a_plug_in_that_cannot_be_loaded_is_an_error(changed):
    with with_settings(**changed):
        [(code, text, _)] = told(checks.check_plugins)

    assert code == "statusbreaks.E002"
    assert "cannot be loaded" in text


@pytest.mark.parametrize("model", ["shop.Ordre", "nowhere.Order", "Order", "a.b.c"])
def test_an_order_model_that_does_not_exist_is_an_error(model):
    with with_orders(MODEL=model):
        assert told(checks.check_orders) == [
            (
                "statusbreaks.E003",
                f"STATUSBREAKS['ORDERS']['MODEL']: there is no model {model!r}.",
                "Write it as 'app_label.Model'.",
            )
        ]


def test_a_flow_that_is_none_is_an_error():
    with with_orders(FLOWS={"shipping": {"STATUS": "delivery_status"}}):
        assert told(checks.check_orders) == [
            (
                "statusbreaks.E004",
                "STATUSBREAKS['ORDERS']['FLOWS']['shipping'] is not a flow.",
                "Flows are: order, payment, delivery.",
            )
        ]


@pytest.mark.parametrize("column", ["payment_state", "lines", ""])
def test_a_status_that_is_no_column_is_an_error(column):
    with with_orders(FLOWS={"payment": {"STATUS": column}}):
        [(code, text, hint)] = told(checks.check_orders)

    assert code == "statusbreaks.E005"
    assert text == f"STATUSBREAKS['ORDERS']['FLOWS']['payment']['STATUS']: {column!r} is no column of shop.Order."
    assert "payment_status" in hint


@pytest.mark.parametrize(
    ("changed", "name", "path"),
    [
        ({"NUMBER": "nr"}, "NUMBER", "nr"),
        ({"PLACED_AT": "placed_at.day"}, "PLACED_AT", "placed_at.day"),
        ({"CUSTOMER": {"EMAIL": "user.mail"}}, "CUSTOMER.EMAIL", "user.mail"),
        (
            {"FLOWS": {"payment": {"STATUS": "payment_status", "SEGMENT": "provider"}}},
            "FLOWS.payment.SEGMENT",
            "provider",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(changed, name, path):
    with with_orders(**changed):
        [(code, text, _)] = told(checks.check_orders)

    assert code == "statusbreaks.E006"
    assert text == f"STATUSBREAKS['ORDERS'] {name}: the path {path!r} does not lead anywhere from shop.Order."


@pytest.mark.parametrize("path", ["user.email", "user__email", "pk", "user.pk"])
def test_a_path_may_reach_through_relations(path):
    with with_orders(CUSTOMER={"EMAIL": path}):
        assert told(checks.check_orders) == []


def test_a_user_that_is_none_is_an_error():
    with with_orders(CUSTOMER={"USER": "email"}):
        assert told(checks.check_orders) == [
            (
                "statusbreaks.E007",
                "STATUSBREAKS['ORDERS'] CUSTOMER.USER: 'email' does not lead to auth.User.",
                "Name the relation to the user, or leave it out.",
            )
        ]


def test_without_an_order_model_nothing_is_asked_of_it():
    with with_settings(ORDERS={}, BASE_URL=""):
        assert told(checks.check_orders) == []
        assert told(checks.check_links) == []


def test_messages_without_links_are_a_warning():
    with with_settings(BASE_URL=""):
        [(code, _, hint)] = told(checks.check_links)

    assert code == "statusbreaks.W001"
    assert "https://shop.example" in hint


@pytest.mark.skipif(
    not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="speaks of SQLite's transactions"
)
def test_sqlite_that_takes_its_lock_late_is_a_warning(monkeypatch):
    assert told(checks.check_sqlite) == []

    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    [(code, text, hint)] = told(checks.check_sqlite)

    assert (code, text) == ("statusbreaks.W002", "The SQLite database 'default' is not in the mode IMMEDIATE.")
    assert "'transaction_mode': 'IMMEDIATE'" in hint


@pytest.mark.parametrize(
    ("mistake", "answer"),
    [
        ('"SHOP": "nowhere.Shop"', "statusbreaks.E002"),
        ('"ORDERS": {"MODEL": "shop.Ordre"}', "statusbreaks.E003"),
        ('"ORDERS": {"MODEL": "shop.Order", "FLOWS": {"payment": {"STATUS": "state"}}}', "statusbreaks.E005"),
        ('"ORDERS": {"MODEL": "shop.Order", "FLOWS": {"payment": {}}}', "needs 'STATUS'"),
    ],
)
def test_a_mistake_fails_the_check_and_not_the_start_of_the_shop(tmp_path, mistake, answer):
    (tmp_path / "mistaken.py").write_text(f"from tests.settings import *\nSTATUSBREAKS = {{{mistake}}}\n")
    line = [sys.executable, "-m", "django", "check", "--settings=mistaken"]

    done = subprocess.run(
        line, cwd=ROOT, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True, check=False
    )

    assert answer in done.stderr
    assert done.returncode == 1
    assert "SystemCheckError" in done.stderr


def test_the_settings_are_read_once():
    assert conf() is conf()
