"""The database of the demo, fresh at each run; nothing that the demo did not make is ever removed.

It takes an empty database, or one that an earlier demo made, which it knows by a table of its own; no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files import locks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from statusbreaks.maintenance.services import publish

MARK = "made_by_the_demo"
MIGRATIONS = "django_migrations"
# `migrate` fills these by itself.
FILLED_BY_DJANGO = {MIGRATIONS, "django_content_type", "auth_permission"}

STRANGERS = """{name} holds tables that are not the demo's: {tables}.
The demo begins with a fresh database and removes nothing that it did not make.
Name an empty one, for example DATABASE_URL=postgres://user@host/kettle_demo"""

ROWS = """{name} holds rows that the demo did not make, in: {tables}.
The demo begins with a fresh database and removes nothing that it did not make. Name another one by
DATABASE_URL, or another folder for its files by SHOP_DIR."""

BUSY = """A demo is running already in {folder}. Stop it first, or name another folder by SHOP_DIR."""


@contextmanager
def alone() -> Iterator[None]:
    """One demo at a time in this folder: a second one would pull the database from under the first."""
    folder: Path = settings.VAR_DIR
    with (folder / "demo.lock").open("a") as file:
        if not locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
            raise CommandError(BUSY.format(folder=folder))
        yield


def name() -> str:
    """Where it is, for people; without a password."""
    at = connection.settings_dict
    return str(at["NAME"]) if connection.vendor == "sqlite" else f"{connection.display_name}, {at['NAME']}"


def make_fresh() -> None:
    """An empty, migrated database. Raises CommandError, and changes nothing, where that would cost somebody's rows."""
    _drop(refuse_what_is_not_ours())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {MARK} (made_at varchar(40) NOT NULL)")
        cursor.execute(f"INSERT INTO {MARK} VALUES (%s)", [timezone.now().isoformat()])  # noqa: S608 - our own name
    call_command("migrate", verbosity=0, interactive=False)
    _forget_files()


def refuse_what_is_not_ours() -> set[str]:
    """The tables that may go. Raises CommandError where there are others, or rows that no demo made."""
    tables = set(connection.introspection.table_names())
    strangers = tables - _project() - {MARK, MIGRATIONS}
    if strangers:
        raise CommandError(STRANGERS.format(name=name(), tables=", ".join(sorted(strangers))))
    filled = [] if MARK in tables else sorted(table for table in tables - FILLED_BY_DJANGO if _has_rows(table))
    if filled:
        raise CommandError(ROWS.format(name=name(), tables=", ".join(filled)))
    return tables


def _project() -> set[str]:
    return {model._meta.db_table for model in apps.get_models(include_auto_created=True)}


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608 - a table's name
        return cursor.fetchone() is not None


def _drop(tables: set[str]) -> None:
    sql = connection.SchemaEditorClass.sql_delete_table
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(sql % {"table": connection.ops.quote_name(table)})


def _forget_files() -> None:
    """The mails of the last demo, and a closed page that it may have left."""
    for letter in Path(settings.MAIL_DIR).glob("*.log"):
        letter.unlink(missing_ok=True)
    publish(timezone.now())
