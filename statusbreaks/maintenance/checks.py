"""What `manage.py check` says about the closed shop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info
from django.core.checks import Warning as Caution

from statusbreaks.conf import conf
from statusbreaks.exceptions import StateUnreadable
from statusbreaks.maintenance.paths import segments
from statusbreaks.maintenance.scopes import BY_RULE
from statusbreaks.maintenance.store import KEPT, NAME, has_any, is_whole, load, state_dir

MIDDLEWARE = "statusbreaks.middleware.MaintenanceMiddleware"


def check_maintenance(**_: Any) -> list[CheckMessage]:
    return [*check_state(), *check_middleware(), *check_scopes()]


def check_state() -> list[CheckMessage]:
    """The state file can be found, written and read."""
    directory = state_dir()
    if directory is None:
        hint = "Set STATUSBREAKS['STATE_DIR'] to a directory that survives a deployment."
        return [
            Caution("The shop's state has no place, so the shop cannot be closed.", hint=hint, id="statusbreaks.W010")
        ]
    if not _can_be_written(directory):
        hint = "Every process that opens or closes the shop writes there; those that serve it must be able to read."
        return [Caution(f"{directory} cannot be written.", hint=hint, id="statusbreaks.W011")]
    return _unreadable(directory)


def _can_be_written(directory: Path) -> bool:
    existing = next((path for path in (directory, *directory.parents) if path.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _unreadable(directory: Path) -> list[CheckMessage]:
    if not has_any(directory) or is_whole(directory):
        return []
    hint = "manage.py statusbreaks_tick writes it anew."
    try:
        load(directory)
    except StateUnreadable as error:
        said = f"The shop's state in {directory} cannot be read ({error}); processes keep what they knew."
        return [Caution(said, hint=hint, id="statusbreaks.W012")]
    said = f"Of {NAME} and {KEPT} in {directory} only one is sound; it holds."
    return [Caution(said, hint=hint, id="statusbreaks.W013")]


def check_middleware() -> list[CheckMessage]:
    """The door stands, and stands first."""
    installed = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in installed:
        hint = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
        return [Info("No door: a closed shop stays open to shoppers.", hint=hint, id="statusbreaks.I010")]
    if installed[0] != MIDDLEWARE:
        hint = "What stands before it runs while the shop is closed, and may need a database that is down."
        return [Info("MaintenanceMiddleware is not the first.", hint=hint, id="statusbreaks.I011")]
    return []


def check_scopes() -> list[CheckMessage]:
    """SCOPES gives paths to names and leaves alone the three that are no lists of paths; ALWAYS_OPEN is not all."""
    found: list[CheckMessage] = []
    for scope, paths in conf().scopes.items():
        if scope in BY_RULE:
            said = f"STATUSBREAKS['SCOPES'][{scope!r}] has no effect: {scope} is defined by what it is."
            found.append(Caution(said, id="statusbreaks.W014"))
        elif not paths or any(not path.startswith("/") for path in paths):
            said = f"STATUSBREAKS['SCOPES'][{scope!r}] must list paths that begin with a slash."
            found.append(Caution(said, id="statusbreaks.W015"))
    if any(not segments(path) for path in conf().always_open):
        said = "STATUSBREAKS['ALWAYS_OPEN'] holds the front page, and with it every page: nothing can be closed."
        found.append(Caution(said, id="statusbreaks.W016"))
    return found
