"""Rows as work: take the open ones for oneself, change a status by compare-and-set, find the open ones by an index.

The database is the truth. A stage finds its work as rows whose stamp is null, takes them in a transaction and stamps
them there; a crash anywhere leaves them open for the next tick.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

from django.db import OperationalError, connections, models, transaction
from django.db.models.functions import Cast, Concat
from django.db.models.sql import Query

logger = logging.getLogger("statusbreaks")

M = TypeVar("M", bound=models.Model, covariant=True)
BATCH = 500
Keys = tuple[Any, Any]


class RowQuerySet(models.QuerySet[M]):
    """What every table of ours can do."""

    def move(self, row: models.Model, *, sources: Iterable[str], to: str, **stamps: Any) -> bool:
        """Change `row.status` to `to` if it still is one of `sources`. False: somebody else was first, nothing changed.

        On success `row` in memory holds the new values too.
        """
        values = {"status": to, **stamps}
        moved = self.filter(pk=row.pk, status__in=list(sources)).update(**values)
        if moved:
            for name, value in values.items():
                setattr(row, name, value)
        return bool(moved)

    def locked(self) -> Self:
        """For update, passing over rows that another worker holds, where the database can."""
        features = connections[self.db].features
        if not features.has_select_for_update:
            return self
        return self.select_for_update(skip_locked=features.has_select_for_update_skip_locked, of=self._own_table())

    def _own_table(self) -> tuple[str, ...]:
        return ("self",) if connections[self.db].features.has_select_for_update_of else ()

    def of_no_order_in(self, orders: models.QuerySet[Any]) -> Self:
        same = orders.filter(source=models.OuterRef("source"), order_key=models.OuterRef("order_key"))
        return self.filter(~models.Exists(same))

    def drop(self, rows: Iterable[models.Model]) -> None:
        self.filter(pk__in=[row.pk for row in rows]).delete()

    def incident_ids(self) -> set[Any]:
        """Of rows that belong to incidents: to which."""
        return set(self.values_list("incident", flat=True)) - {None}

    def next_keys(self, by: str, after: Keys | None, size: int) -> list[Keys]:
        """The next (value of `by`, primary key) pairs in that order; keyset, so that no row is looked at twice."""
        rows = self if after is None else self.filter(**{f"{by}__gte": after[0]}).exclude(_up_to(by, after))
        return list(rows.order_by(by, "pk").values_list(by, "pk")[:size])


def _up_to(by: str, key: Keys) -> models.Q:
    return models.Q(**{by: key[0], "pk__lte": key[1]})


def work_through(
    rows: RowQuerySet[Any], step: Callable[[list[Any]], None], *, by: str = "pk", size: int = BATCH
) -> int:
    """Hand the open `rows` to `step`, a batch a transaction, in the order of `by`; return how many there were.

    Nothing to do costs one query and no transaction. A batch that raises is tried again row by row, so that a
    poisonous row stops nobody but itself; it stays open, is logged, and is tried again by the next tick.
    """
    done, last = 0, None
    while keys := rows.next_keys(by, last, size):
        last = keys[-1]
        done += _attempt(rows, [pk for _, pk in keys], step)
        if len(keys) < size:
            break
    return done


def each(rows: Iterable[M], step: Callable[[M], int | None]) -> int:
    """Do `step` for each row by itself, and add up what it says. One that raises is logged and stops no other."""
    done = 0
    for row in rows:
        try:
            done += step(row) or 0
        except OperationalError:
            raise
        except Exception:
            logger.exception("%s %s could not be worked on; the next tick tries again", type(row).__name__, row.pk)
    return done


def _attempt(rows: RowQuerySet[Any], keys: list[Any], step: Callable[[list[Any]], None]) -> int:
    try:
        return _step(rows, keys, step)
    except OperationalError:
        raise  # the database itself is in trouble: no use to go through the rows one by one
    except Exception:
        if len(keys) == 1:
            logger.exception("%s %s could not be worked on; the next tick tries again", rows.model.__name__, keys[0])
            return 0
    return sum(_attempt(rows, [key], step) for key in keys)


def _step(rows: RowQuerySet[Any], keys: list[Any], step: Callable[[list[Any]], None]) -> int:
    with transaction.atomic(using=rows.db):
        taken = list(rows.filter(pk__in=keys).order_by("pk").locked())
        if taken:
            step(taken)
    return len(taken)


def stand_in(prefix: str) -> Any:
    """An expression that is another for each row, for what must be unique and may tell nothing."""
    return Concat(models.Value(prefix), Cast("pk", models.CharField(max_length=20)))


class OpenIndex(models.Index):
    """An index over open rows only, and over all rows where the database has no partial indexes (MariaDB)."""

    def __init__(self, *args: Any, where: models.Q | None = None, **kwargs: Any) -> None:
        self.where = where
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "where": self.where}

    def _get_condition_sql(self, model: type[models.Model], schema_editor: Any) -> str | None:
        if self.where is None or not schema_editor.connection.features.supports_partial_indexes:
            return None
        query = Query(model=model, alias_cols=False)
        where = query.build_where(self.where)
        sql, params = where.as_sql(query.get_compiler(connection=schema_editor.connection), schema_editor.connection)
        return sql % tuple(schema_editor.quote_value(p) for p in params)
