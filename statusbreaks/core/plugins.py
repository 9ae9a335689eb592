"""Plug-ins are named in the settings by dotted path and made once."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from statusbreaks.exceptions import PluginError


@cache
def plugin(path: str) -> Any:
    """The object made from the class at `path`. Raises PluginError with the reason where there is none."""
    try:
        return import_string(path)()
    except Exception as error:
        raise PluginError(f"{path} cannot be loaded: {error}") from error
