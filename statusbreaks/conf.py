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

    user: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str = ""
    accepts_marketing: str = ""


@dataclass(frozen=True)
class FlowPaths:
    """Where an order keeps the status of one flow, and which statuses end that flow."""

    status: str
    final: tuple[str, ...] = ()
    segment: str = ""


@dataclass(frozen=True)
class Orders:
    """How the shop's order model is read. Without MODEL no orders are watched; everything else works."""

    model: str = ""
    number: str = "pk"
    placed_at: str = ""
    promised_at: str = ""
    value: str = ""
    currency: str = ""
    customer: CustomerPaths = field(default_factory=CustomerPaths)
    flows: Mapping[str, FlowPaths] = field(default_factory=dict)
    cancelled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All of `STATUSBREAKS`. A key named here is a setting; there is no other."""

    shop: str = "statusbreaks.shop.ModelShop"
    shop_name: str = "Our shop"
    base_url: str = ""
    currency: str = "EUR"
    orders: Orders = field(default_factory=Orders)
    incident_prefix: str = "SB"
    state_dir: str | Path = ""
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"checkout": ("/checkout/",)})
    always_open: tuple[str, ...] = ()
    channels: Mapping[str, str] = field(
        default_factory=lambda: {"email": "statusbreaks.notifications.email.EmailChannel"}
    )
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
            found.append(Problem(f"{path} needs {name!r}.")) if name not in given else None
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
