"""What the shop takes from its surroundings: the services' addresses and the secrets made at the first run."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
    "mariadb": "django.db.backends.mysql",
}
# IMMEDIATE takes the write lock when a transaction begins; without it, two writers that both read first
# get "database is locked" at once, whatever the timeout says.
SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
MYSQL_OPTIONS: dict[str, Any] = {"charset": "utf8mb4", "isolation_level": "read committed"}


def database(url: str) -> dict[str, Any]:
    """A Django database from `sqlite:///file`, `postgres://user:password@host:port/name` or `mysql://…`."""
    parts = urlsplit(url)
    engine = ENGINES.get(parts.scheme)
    if engine is None:
        raise ImproperlyConfigured(f"DATABASE_URL must begin with one of {', '.join(ENGINES)}, not {parts.scheme!r}.")
    if parts.scheme == "sqlite":
        return {"ENGINE": engine, "NAME": unquote(parts.path[1:]) or ":memory:", "OPTIONS": dict(SQLITE_OPTIONS)}
    return {"ENGINE": engine, **_server(parts)}


def _server(parts: SplitResult) -> dict[str, Any]:
    mysql = ENGINES[parts.scheme].endswith("mysql")
    return {
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {**(MYSQL_OPTIONS if mysql else {}), **dict(parse_qsl(parts.query))},
    }


def cache(url: str) -> dict[str, Any]:
    """A Django cache from `redis://host:port/0`; without an address, the memory of this process."""
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "shop"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url, "KEY_PREFIX": "shop"}


def secret(directory: Path, name: str) -> str:
    """The secret kept in this file, made at the first call. Two processes that start together get the same."""
    path = directory / name
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(50))
    return path.read_text()


def _write_once(path: Path, text: str) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    # A link appears whole or not at all, and never over another's.
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    os.unlink(draft)
