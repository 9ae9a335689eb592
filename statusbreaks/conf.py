"""The one settings dict, `STATUSBREAKS`, as a typed and frozen value.

    from statusbreaks.conf import conf
    conf().shop_name

Keys are written in capitals in the settings and in lower case here. What is wrong with the dict is told by the
system checks (`problems()`); a wrong entry never raises in a request: its default holds instead.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


@dataclass(frozen=True)
class CustomerPaths:
    """Attribute paths from an order to its customer; dots or double underscores reach through relations."""

    # The user who ordered: a foreign key to the user model. Where EMAIL is empty, the user's address is taken.
    user: str = ""
    # The e-mail address of the order itself, which guests have too.
    email: str = ""
    # The phone number.
    phone: str = ""
    # How the customer is addressed.
    name: str = ""
    # A language code such as `de`; messages are written in it where LANGUAGES offers it.
    language: str = ""
    # True where the customer agreed to advertising. Only they are asked for a rating by mail.
    accepts_marketing: str = ""


@dataclass(frozen=True)
class FlowPaths:
    """Where an order keeps the status of one flow, and which statuses end that flow."""

    # The column that holds the status. It must be a column of the order model itself.
    status: str
    # Statuses after which nothing more is expected.
    final: tuple[str, ...] = ()
    # What the flow goes through, such as the payment provider or the carrier: breaks are grouped by it.
    segment: str = ""


@dataclass(frozen=True)
class Orders:
    """How the shop's order model is read. Without MODEL no orders are watched; everything else works."""

    # The order model, as `app_label.Model`.
    model: str = ""
    # The number that customers and staff know the order by.
    number: str = "pk"
    # When the order was placed.
    placed_at: str = ""
    # When the order was last changed: a column of date and time, with an index, that changes when the order does.
    # New and changed orders are then found by it, however they were written.
    modified_at: str = ""
    # The date or time that the customer was told. A date means the end of that day.
    promised_at: str = ""
    # What the order is worth, in units of its currency.
    value: str = ""
    # The order's currency, as an ISO 4217 code; where empty, CURRENCY holds.
    currency: str = ""
    # Whom the order belongs to.
    customer: CustomerPaths = field(default_factory=CustomerPaths)
    # The status lines of an order: `order`, `payment`, `delivery`, or some of them.
    flows: Mapping[str, FlowPaths] = field(default_factory=dict)
    # Statuses of the flow `order` after which no flow of it is watched any more.
    cancelled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All of `STATUSBREAKS`. A key named here is a setting; there is no other."""

    # The adapter that reads the shop's orders: a subclass of `statusbreaks.shop.Shop`.
    shop: str = "statusbreaks.shop.ModelShop"
    # As shoppers read it, on the closed page and in messages.
    shop_name: str = "Our shop"
    # The shop's address, such as `https://shop.example`; links in messages begin with it.
    base_url: str = ""
    # The currency of orders that name none, as an ISO 4217 code.
    currency: str = "EUR"
    # How the shop's order model is read.
    orders: Orders = field(default_factory=Orders)
    # What incidents are called: with `SB` they are SB-1, SB-2 and so on.
    incident_prefix: str = "SB"
    # The directory of the shop's state, on a disk that all processes of the shop share.
    # Empty: `.statusbreaks` in BASE_DIR.
    state_dir: str | Path = ""
    # Parts of the shop that can be closed: path prefixes by name. They come beside, or in place of, the built-in
    # `checkout` (/checkout/), `account` (/account/, /accounts/) and `api` (/api/).
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"checkout": ("/checkout/",)})
    # Path prefixes that stay reachable whatever is closed, such as the payment provider's webhooks.
    always_open: tuple[str, ...] = ()
    # How customers are reached: channels by name. The first one that has an address of the customer is used.
    channels: Mapping[str, str] = field(
        default_factory=lambda: {"email": "statusbreaks.notifications.email.EmailChannel"}
    )
    # Who may report status events: a secret token by the name of the source.
    api_tokens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one entry, in words for the developer. Unknown keys carry the key that was meant."""

    text: str
    hint: str = ""


@cache
def conf() -> Settings:
    read: Settings = _read(Settings, _dict(), "STATUSBREAKS", [])
    return read


def problems() -> list[Problem]:
    found: list[Problem] = []
    value = getattr(settings, "STATUSBREAKS", {})
    if not isinstance(value, Mapping):
        return [Problem(f"STATUSBREAKS must be a dict, not {type(value).__name__}.")]
    _read(Settings, value, "STATUSBREAKS", found)
    return found


def _dict() -> Mapping[str, Any]:
    value = getattr(settings, "STATUSBREAKS", {})
    return value if isinstance(value, Mapping) else {}


def _read(kind: Any, given: Mapping[str, Any], path: str, found: list[Problem]) -> Any:
    hints = typing.get_type_hints(kind)
    known = {f.name.upper(): f for f in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            found.append(_unknown(path, key, list(known)))
            continue
        ok, read = _convert(hints[known[key].name], value, f"{path}[{key!r}]", found)
        if ok:
            values[known[key].name] = read
    for name, f in known.items():
        if f.default is MISSING and f.default_factory is MISSING and f.name not in values:
            if name not in given:
                found.append(Problem(f"{path} needs {name!r}."))
            values[f.name] = ""
    return kind(**values)


def _convert(hint: Any, value: Any, path: str, found: list[Problem]) -> tuple[bool, Any]:
    """(True, the typed value), or (False, None) with the problem noted."""
    origin = typing.get_origin(hint)
    if is_dataclass(hint):
        return _nested(hint, value, path, found)
    if origin is Mapping:
        return _mapping(typing.get_args(hint)[1], value, path, found)
    if origin is tuple:
        return _strings(value, path, found)
    accepted = typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)
    if isinstance(value, accepted) and not (isinstance(value, bool) and bool not in accepted):
        return True, value
    names = " or ".join(t.__name__ for t in accepted)
    found.append(Problem(f"{path} must be {names}, not {type(value).__name__}."))
    return False, None


def _nested(hint: Any, value: Any, path: str, found: list[Problem]) -> tuple[bool, Any]:
    if isinstance(value, Mapping):
        return True, _read(hint, value, path, found)
    found.append(Problem(f"{path} must be a dict, not {type(value).__name__}."))
    return False, None


def _mapping(inner: Any, value: Any, path: str, found: list[Problem]) -> tuple[bool, Any]:
    if not isinstance(value, Mapping):
        found.append(Problem(f"{path} must be a dict, not {type(value).__name__}."))
        return False, None
    read = {key: _convert(inner, item, f"{path}[{key!r}]", found) for key, item in value.items()}
    return True, {key: item for key, (ok, item) in read.items() if ok}


def _strings(value: Any, path: str, found: list[Problem]) -> tuple[bool, Any]:
    # A lone string is a sequence too, of letters: the commonest slip, and it must not pass.
    if isinstance(value, (list, tuple, set, frozenset)):
        return True, tuple(str(item) for item in value)
    found.append(Problem(f"{path} must be a list of strings, not {type(value).__name__}."))
    return False, None


def _unknown(path: str, key: Any, known: list[str]) -> Problem:
    near = difflib.get_close_matches(str(key).upper(), known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(sorted(known))}."
    return Problem(f"{path}[{key!r}] is not a setting.", hint)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "STATUSBREAKS":
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="statusbreaks.conf")
