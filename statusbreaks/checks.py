"""System checks: what is wrong with the settings, said before it can hurt."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models

from statusbreaks.conf import Orders, conf, problems
from statusbreaks.core.plugins import plugin
from statusbreaks.exceptions import PluginError
from statusbreaks.maintenance.checks import check_maintenance
from statusbreaks.shop.values import Flow

register(check_maintenance, "statusbreaks")


@register("statusbreaks")
def check_settings(**_: Any) -> list[CheckMessage]:
    """An entry of STATUSBREAKS is not known, is missing, or is of another type than it must be."""
    return [Error(problem.text, hint=problem.hint or None, id="statusbreaks.E001") for problem in problems()]


@register("statusbreaks")
def check_plugins(**_: Any) -> list[CheckMessage]:
    """A dotted path in SHOP or CHANNELS does not lead to a usable class."""
    found: list[CheckMessage] = []
    for path in (conf().shop, *conf().channels.values()):
        try:
            plugin(path)
        except PluginError as error:
            found.append(Error(str(error), id="statusbreaks.E002"))
    return found


@register(Tags.models, "statusbreaks")
def check_orders(**_: Any) -> list[CheckMessage]:
    orders = conf().orders
    if not orders.model:
        return []
    try:
        model = apps.get_model(orders.model)
    except (LookupError, ValueError):
        text = f"STATUSBREAKS['ORDERS']['MODEL']: there is no model {orders.model!r}."
        return [Error(text, hint="Write it as 'app_label.Model'.", id="statusbreaks.E003")]
    return [
        *_check_flows(model, orders),
        *_check_paths(model, orders),
        *_check_user(model, orders),
        *_check_modified(model, orders),
    ]


def _check_flows(model: type[models.Model], orders: Orders) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for flow, paths in orders.flows.items():
        if flow not in Flow.values:
            text = f"STATUSBREAKS['ORDERS']['FLOWS'][{flow!r}] is not a flow."
            found.append(Error(text, hint=f"Flows are: {', '.join(Flow.values)}.", id="statusbreaks.E004"))
        try:
            concrete = isinstance(model._meta.get_field(paths.status), models.Field)
        except FieldDoesNotExist:
            concrete = False
        if not concrete:
            text = (
                f"STATUSBREAKS['ORDERS']['FLOWS'][{flow!r}]['STATUS']: {paths.status!r} is no column of {orders.model}."
            )
            found.append(Error(text, hint=_columns(model), id="statusbreaks.E005"))
    return found


def _check_paths(model: type[models.Model], orders: Orders) -> list[CheckMessage]:
    named = {
        **{
            key: getattr(orders, key.lower())
            for key in ("NUMBER", "PLACED_AT", "MODIFIED_AT", "PROMISED_AT", "VALUE", "CURRENCY")
        },
        **{f"CUSTOMER.{key.upper()}": value for key, value in vars(orders.customer).items()},
        **{f"FLOWS.{flow}.SEGMENT": paths.segment for flow, paths in orders.flows.items()},
    }
    return [
        Error(
            f"STATUSBREAKS['ORDERS'] {name}: the path {path!r} does not lead anywhere from {orders.model}.",
            hint=_columns(model),
            id="statusbreaks.E006",
        )
        for name, path in named.items()
        if path and not _resolves(model, path)
    ]


def _check_user(model: type[models.Model], orders: Orders) -> list[CheckMessage]:
    path, user = orders.customer.user, get_user_model()
    field = _resolves(model, path) if path else None
    if field is None or field.related_model is user:
        return []
    text = f"STATUSBREAKS['ORDERS'] CUSTOMER.USER: {path!r} does not lead to {user._meta.label}."
    return [Error(text, hint="Name the relation to the user, or leave it out.", id="statusbreaks.E007")]


def _check_modified(model: type[models.Model], orders: Orders) -> list[CheckMessage]:
    """A day alone does not tell what was changed since the last look."""
    field = _resolves(model, orders.modified_at) if orders.modified_at else None
    if field is None or isinstance(field, models.DateTimeField):
        return []
    text = f"STATUSBREAKS['ORDERS']['MODIFIED_AT']: {orders.modified_at!r} holds no date and time."
    return [Error(text, hint="Name a DateTimeField, or leave it out.", id="statusbreaks.E009")]


def _resolves(model: type[models.Model], path: str) -> Any:
    """The field at the end of the path, or None."""
    here: Any = model
    field: Any = None
    for step in path.replace("__", ".").split("."):
        if here is None:
            return None
        try:
            field = here._meta.pk if step == "pk" else here._meta.get_field(step)
        except FieldDoesNotExist:
            return None
        here = field.related_model
    return field


def _columns(model: type[models.Model]) -> str:
    return f"It has: {', '.join(sorted(field.name for field in model._meta.concrete_fields))}."


@register("statusbreaks")
def check_tokens(**_: Any) -> list[CheckMessage]:
    """The name becomes the `source` of the orders that its shop tells of."""
    most = 40
    return [
        Error(
            f"STATUSBREAKS['API_TOKENS']: the name {name!r} is longer than {most} characters.",
            hint="It is kept with each of this source's orders: choose a short one.",
            id="statusbreaks.E008",
        )
        for name in conf().api_tokens
        if len(name) > most
    ]


@register("statusbreaks")
def check_links(**_: Any) -> list[CheckMessage]:
    if conf().base_url or not conf().orders.model:
        return []
    text = "STATUSBREAKS['BASE_URL'] is empty, so messages cannot hold links."
    return [Caution(text, hint="Set it to the shop's address, such as 'https://shop.example'.", id="statusbreaks.W001")]


@register("statusbreaks")
def check_sqlite(**_: Any) -> list[CheckMessage]:
    """Where several write at once, SQLite in Django's default mode answers "database is locked"."""
    return [
        Caution(
            f"The SQLite database {alias!r} is not in the mode IMMEDIATE.",
            hint=f"Set DATABASES[{alias!r}]['OPTIONS'] = {{'transaction_mode': 'IMMEDIATE', 'timeout': 20}}.",
            id="statusbreaks.W002",
        )
        for alias in connections
        if connections[alias].vendor == "sqlite"
        and settings.DATABASES[alias].get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE"
    ]
