"""One settings dict: typed, frozen, and what is wrong with it is said in words."""

from dataclasses import FrozenInstanceError

import pytest
from django.test import override_settings

from statusbreaks.conf import CustomerPaths, FlowPaths, Orders, Settings, conf, problems

FLOW = {"STATUS": "payment_status"}


def told(given):
    with override_settings(STATUSBREAKS=given):
        return [(problem.text, problem.hint) for problem in problems()]


def read(given):
    with override_settings(STATUSBREAKS=given):
        return conf()


def test_with_nothing_set_the_defaults_hold():
    assert read({}) == Settings()
    assert told({}) == []


def test_what_is_set_is_read_with_its_type():
    given = {
        "SHOP_NAME": "Kettle",
        "ALWAYS_OPEN": ["/webhooks/"],
        "SCOPES": {"checkout": ["/checkout/", "/kasse/"]},
        "ORDERS": {
            "MODEL": "shop.Order",
            "CUSTOMER": {"EMAIL": "email"},
            "FLOWS": {"payment": {"STATUS": "payment_status", "FINAL": {"paid"}}},
            "CANCELLED": ("cancelled",),
        },
    }

    assert told(given) == []
    assert read(given) == Settings(
        shop_name="Kettle",
        always_open=("/webhooks/",),
        scopes={"checkout": ("/checkout/", "/kasse/")},
        orders=Orders(
            model="shop.Order",
            customer=CustomerPaths(email="email"),
            flows={"payment": FlowPaths("payment_status", final=("paid",))},
            cancelled=("cancelled",),
        ),
    )


@pytest.mark.parametrize(
    ("given", "text", "hint"),
    [
        ({"CHANELS": {}}, "STATUSBREAKS['CHANELS'] is not a setting.", "Did you mean 'CHANNELS'?"),
        ({"shop_name": "x"}, "STATUSBREAKS['shop_name'] is not a setting.", "Did you mean 'SHOP_NAME'?"),
        (
            {"ORDERS": {"MODLE": "shop.Order"}},
            "STATUSBREAKS['ORDERS']['MODLE'] is not a setting.",
            "Did you mean 'MODEL'?",
        ),
        (
            {"ORDERS": {"CUSTOMER": {"EMIAL": "email"}}},
            "STATUSBREAKS['ORDERS']['CUSTOMER']['EMIAL'] is not a setting.",
            "Did you mean 'EMAIL'?",
        ),
        (
            {"ORDERS": {"FLOWS": {"payment": {**FLOW, "FINALS": ["paid"]}}}},
            "STATUSBREAKS['ORDERS']['FLOWS']['payment']['FINALS'] is not a setting.",
            "Did you mean 'FINAL'?",
        ),
        (
            {"ORDERS": {"FLOWS": {"payment": {**FLOW, 7: 1}}}},
            "STATUSBREAKS['ORDERS']['FLOWS']['payment'][7] is not a setting.",
            "Known are: FINAL, SEGMENT, STATUS.",
        ),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(given, text, hint):
    assert told(given) == [(text, hint)]
    assert read(given) in (Settings(), Settings(orders=read(given).orders))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"SHOP_NAME": 7}, "STATUSBREAKS['SHOP_NAME'] must be str, not int."),
        ({"SHOP_NAME": True}, "STATUSBREAKS['SHOP_NAME'] must be str, not bool."),
        ({"STATE_DIR": 7}, "STATUSBREAKS['STATE_DIR'] must be str or Path, not int."),
        ({"ORDERS": "shop.Order"}, "STATUSBREAKS['ORDERS'] must be a dict, not str."),
        ({"ORDERS": {"CUSTOMER": "email"}}, "STATUSBREAKS['ORDERS']['CUSTOMER'] must be a dict, not str."),
        ({"ORDERS": {"FLOWS": ["payment"]}}, "STATUSBREAKS['ORDERS']['FLOWS'] must be a dict, not list."),
        (
            {"ORDERS": {"FLOWS": {"payment": "status"}}},
            "STATUSBREAKS['ORDERS']['FLOWS']['payment'] must be a dict, not str.",
        ),
        ({"CHANNELS": {"email": None}}, "STATUSBREAKS['CHANNELS']['email'] must be str, not NoneType."),
        ({"ALWAYS_OPEN": "/static/"}, "STATUSBREAKS['ALWAYS_OPEN'] must be a list of strings, not str."),
        (
            {"SCOPES": {"checkout": "/checkout/"}},
            "STATUSBREAKS['SCOPES']['checkout'] must be a list of strings, not str.",
        ),
        (
            {"ORDERS": {"FLOWS": {"payment": {"FINAL": ["paid"]}}}},
            "STATUSBREAKS['ORDERS']['FLOWS']['payment'] needs 'STATUS'.",
        ),
        (
            {"ORDERS": {"FLOWS": {"payment": {"STATUS": 3}}}},
            "STATUSBREAKS['ORDERS']['FLOWS']['payment']['STATUS'] must be str, not int.",
        ),
        (["SHOP"], "STATUSBREAKS must be a dict, not list."),
    ],
)
def test_a_wrong_value_is_told_and_the_default_holds(given, text):
    assert told(given) == [(text, "")]
    with override_settings(STATUSBREAKS=given):
        assert conf().shop_name == Settings().shop_name
        assert conf().always_open == ()


def test_all_mistakes_are_told_at_once():
    assert len(told({"CHANELS": {}, "SHOP_NAME": 7, "ORDERS": {"MODLE": ""}})) == 3


def test_a_changed_setting_is_read_anew():
    with override_settings(STATUSBREAKS={"SHOP_NAME": "One"}):
        assert conf().shop_name == "One"
        with override_settings(STATUSBREAKS={"SHOP_NAME": "Two"}):
            assert conf().shop_name == "Two"
        assert conf().shop_name == "One"


def test_another_setting_that_changes_keeps_what_was_read():
    first = conf()
    with override_settings(LANGUAGE_CODE="de"):
        assert conf() is first


def test_settings_cannot_be_written_to():
    with pytest.raises(FrozenInstanceError):
        conf().shop_name = "Mine"
