"""`ModelShop`: the shop's order model, read by settings alone, and watched by signals.

The hook observes, the worker decides: all that happens inside the shop's transaction is one row, and only where a
watched column may have changed. Nothing here calls the shop's managers, properties or `refresh_from_db()`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.signals import post_save
from django.utils import timezone
from django.utils.inspect import func_accepts_kwargs, func_supports_parameter

from statusbreaks.conf import Orders, conf
from statusbreaks.shop.port import Recorder, Shop
from statusbreaks.shop.values import Customer, OrderFacts, Seen, StatusEvent

logger = logging.getLogger("statusbreaks")

SEEN = "_statusbreaks_seen"
STANDING = ("number", "placed_at", "modified_at", "status", "segment")  # what to read where an order stands
NOBODY = Customer()
_UNKNOWN = object()


class ModelShop(Shop):
    """The orders named by `STATUSBREAKS["ORDERS"]`; without a MODEL a shop with no orders."""

    def connect(self, record: Recorder) -> None:
        if not conf().orders.model:
            return
        columns = _columns(order_model())
        hook = _Hook(record, columns)
        for model in _with_descendants(order_model()):
            _remember_loaded(model, [(flow, column.attname) for flow, column in columns.items()])
            post_save.connect(hook.saved, sender=model, weak=False, dispatch_uid=f"statusbreaks.{model._meta.label}")

    @property
    def has_orders(self) -> bool:
        return bool(conf().orders.model)

    def facts(self, keys: Sequence[str]) -> Mapping[str, OrderFacts]:
        orders = conf().orders
        if not orders.model:
            return {}
        model = order_model()
        pks = [pk for key in keys if (pk := _pk(model, key)) is not None]
        paths = _paths(orders)
        rows = model._base_manager.filter(pk__in=pks).values("pk", *sorted({p for p in paths.values() if p != "pk"}))
        return {str(row["pk"]): _facts(orders, _Row(row, paths)) for row in rows}

    def final_statuses(self, flow: str) -> frozenset[str]:
        paths = conf().orders.flows.get(flow)
        return frozenset(paths.final) if paths else frozenset()

    def key_of(self, number: str) -> str | None:
        orders = conf().orders
        if not orders.model:
            return None
        model, path = order_model(), _lookup(orders.number)
        if path == "pk":
            pk = _pk(model, number)
            return None if pk is None else next((str(k) for k in _keys(model, {"pk": pk})), None)
        return next((str(k) for k in _keys(model, {path: number})), None)

    @property
    def marks(self) -> str:
        """The modified column, else the primary key where it grows: later orders have higher ones."""
        orders = conf().orders
        if not orders.model:
            return ""
        column = orders.modified_at or ("pk" if isinstance(_own_key(order_model()), models.IntegerField) else "")
        return f"{orders.model}.{column}" if column else ""

    def last_mark(self) -> str:
        by = _marks_by()
        last = _by_mark(by).order_by(f"-{by}", "-pk").values_list(by, "pk").first()
        return _mark(*last) if last else ""

    def seen_since(self, mark: str, limit: int) -> Sequence[Seen]:
        by = _marks_by()
        rows = _by_mark(by).order_by(*dict.fromkeys((by, "pk"))).values_list(by, "pk")
        return [Seen(str(pk), _mark(value, pk)) for value, pk in _after_mark(rows, by, mark)[:limit]]

    def orders_after(self, key: str, limit: int, since: datetime | None = None) -> Sequence[OrderFacts]:
        orders = conf().orders
        paths = {name: path for name, path in _paths(orders).items() if name.partition(":")[0] in STANDING}
        rows = _listed(since)
        rows = rows.filter(pk__gt=_pk(order_model(), key)) if key else rows
        found = rows.order_by("pk").values("pk", *sorted({path for path in paths.values() if path != "pk"}))
        read = _standing_of(orders, paths)
        return [read(row) for row in found[:limit]]

    def count_orders(self, since: datetime | None = None) -> int | None:
        if not self.has_orders or (since and not conf().orders.placed_at):
            return None
        return int(_listed(since).count())


def order_model() -> type[models.Model]:
    return apps.get_model(conf().orders.model)


def _keys(model: type[models.Model], where: Mapping[str, Any]) -> Any:
    return model._base_manager.filter(**where).values_list("pk", flat=True)[:1]


def _own_key(model: type[models.Model]) -> Any:
    """The column that holds the key, which a model with a parent has from that."""
    field: Any = model._meta.pk
    while field.remote_field:
        field = field.target_field
    return field


def _listed(since: datetime | None) -> Any:
    path = _lookup(conf().orders.placed_at)
    return order_model()._base_manager.filter(**({f"{path}__gte": since} if since else {}))


def _marks_by() -> str:
    return _lookup(conf().orders.modified_at) or "pk"


def _by_mark(by: str) -> Any:
    return order_model()._base_manager.filter(**{f"{by}__isnull": False})


def _mark(value: Any, pk: Any) -> str:
    return f"{value.isoformat()} {pk}" if isinstance(value, datetime) else str(pk)


def _after_mark(rows: Any, by: str, mark: str) -> Any:
    """Keyset: of those changed in the same moment, the ones with a higher key."""
    if not mark:
        return rows
    if by == "pk":
        return rows.filter(pk__gt=_pk(order_model(), mark))
    moment, _, key = mark.partition(" ")
    at = datetime.fromisoformat(moment)
    later = models.Q(**{f"{by}__gt": at}) | models.Q(pk__gt=_pk(order_model(), key))
    return rows.filter(later, **{f"{by}__gte": at})


class _Hook:
    """Compares what is saved with what was loaded, and records the difference."""

    def __init__(self, record: Recorder, columns: Mapping[str, models.Field[Any, Any]]) -> None:
        self.record, self.columns = record, columns

    def saved(self, sender: Any, instance: models.Model, created: bool, update_fields: Any, **kwargs: Any) -> None:
        if kwargs.get("raw"):
            return  # a fixture: rows of ours may be in it, and meet those that we would add now
        try:
            changed = self._changed(instance, update_fields)
            now = timezone.now()
            events = [StatusEvent(str(instance.pk), flow, _text(value), now) for flow, value in changed.items()]
            if events and self.record(*events):
                # Only a commit makes it known: after a roll-back the same status is news again.
                transaction.on_commit(lambda: _remember(instance, changed), using=kwargs.get("using"))
        except Exception:
            logger.exception("order %s: its status could not be recorded; the sale goes on", instance.pk)

    def _changed(self, instance: models.Model, update_fields: Any) -> dict[str, Any]:
        seen, changed = _seen(instance), {}
        for flow, field in self.columns.items():
            if update_fields is not None and field.name not in update_fields and field.attname not in update_fields:
                continue
            value = instance.__dict__.get(field.attname, _UNKNOWN)  # a deferred column is not loaded for our sake
            if _is_news(value, seen.get(flow, _UNKNOWN)):
                changed[flow] = value
        return changed


def _is_news(value: Any, seen: Any) -> bool:
    if value is _UNKNOWN or seen is _UNKNOWN:
        return value is not seen
    return _is_unclear(value) or bool(value != seen)


def _is_unclear(value: Any) -> bool:
    """Only the database knows: an expression, or what newer Django leaves of one after the save, a deferred column."""
    return value is _UNKNOWN or hasattr(value, "resolve_expression")


def _remember(instance: models.Model, changed: Mapping[str, Any]) -> None:
    seen = _seen(instance)
    for flow, value in changed.items():
        if _is_unclear(value):
            seen.pop(flow, None)
        else:
            seen[flow] = value


def _text(value: Any) -> str:
    """The status as text; empty, which means "look at it", where Python does not know what the database wrote."""
    if value is None or _is_unclear(value):
        return ""
    return str.__str__(value) if isinstance(value, str) else str(value)  # an enumeration's text may be its name


def _seen(instance: models.Model) -> dict[str, Any]:
    known: dict[str, Any] = instance.__dict__.setdefault(SEEN, {})
    return known


def _columns(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    found = {}
    for flow, paths in conf().orders.flows.items():
        field = model._meta.get_field(paths.status)
        assert isinstance(field, models.Field)
        found[flow] = field
    return found


def _remember_loaded(model: type[models.Model], attnames: list[tuple[str, str]]) -> None:
    """Let `from_db` note the statuses it read. Cheaper than post_init, which would run for every instance made."""
    load: Any = model.from_db.__func__  # type: ignore[attr-defined]
    # Django 6.1 hands over `fetch_mode`; an older override in the shop does not take it.
    modern = func_accepts_kwargs(load) or func_supports_parameter(load, "fetch_mode")

    def from_db(cls: Any, db: Any, field_names: Any, values: Any, **options: Any) -> Any:
        instance = load(cls, db, field_names, values, **(options if modern else {}))
        held = instance.__dict__
        held[SEEN] = {flow: held[name] for flow, name in attnames if name in held}
        return instance

    if not getattr(load, SEEN, False):
        setattr(from_db, SEEN, True)
        model.from_db = classmethod(from_db)  # type: ignore[arg-type, assignment, method-assign]


def _with_descendants(model: type[models.Model]) -> list[type[models.Model]]:
    return [model, *(m for m in apps.get_models() if issubclass(m, model) and m is not model)]


def _pk(model: type[models.Model], key: str) -> Any:
    """The key as the model's own type; None for one that no row of it can have."""
    field = model._meta.pk
    try:
        value = field.to_python(key)
        field.run_validators(value)
    except (ValidationError, ValueError, OverflowError):
        return None
    return value


def _lookup(path: str) -> str:
    return path.replace(".", "__")


def _paths(orders: Orders) -> dict[str, str]:
    """What to read, by our name for it."""
    customer = orders.customer
    user = customer.user
    wanted = {
        "number": orders.number,
        "placed_at": orders.placed_at,
        "modified_at": orders.modified_at,
        "promised_at": orders.promised_at,
        "value": orders.value,
        "currency": orders.currency,
        "user": user,
        "user_email": f"{user}.{get_user_model().get_email_field_name()}" if user else "",
        "email": customer.email,
        "phone": customer.phone,
        "name": customer.name,
        "language": customer.language,
        "accepts_marketing": customer.accepts_marketing,
    }
    for flow, paths in orders.flows.items():
        wanted[f"status:{flow}"] = paths.status
        wanted[f"segment:{flow}"] = paths.segment
    return {name: _lookup(path) for name, path in wanted.items() if path}


class _Row:
    """One order's values, by our names."""

    def __init__(self, values: Mapping[str, Any], paths: Mapping[str, str]) -> None:
        self.values, self.paths = values, paths

    def get(self, name: str) -> Any:
        return self.values.get(self.paths[name]) if name in self.paths else None

    def text(self, name: str) -> str:
        return _read(self.get(name))


def _facts(orders: Orders, row: _Row) -> OrderFacts:
    value = row.get("value")
    return replace(
        _standing_of(orders, row.paths)(row.values),
        promised_at=_moment(row.get("promised_at")),
        value=None if value is None else Decimal(str(value)),
        currency=row.text("currency") or conf().currency,
        customer=_customer(row),
    )


def _standing_of(orders: Orders, paths: Mapping[str, str]) -> Callable[[Mapping[str, Any]], OrderFacts]:
    """Reads where an order stands, and no more; what is the same for all of many orders is done once."""
    statuses = [(flow, paths[f"status:{flow}"]) for flow in orders.flows]
    segments = [(flow, paths.get(f"segment:{flow}", "")) for flow in orders.flows]
    number, placed, modified = (paths.get(name, "") for name in ("number", "placed_at", "modified_at"))
    cancelled = frozenset(orders.cancelled)

    def read(row: Mapping[str, Any]) -> OrderFacts:
        standing = {flow: _read(row.get(path)) for flow, path in statuses}
        return OrderFacts(
            key=str(row["pk"]),
            number=_read(row.get(number)),
            statuses=standing,
            segments={flow: _read(row.get(path)) for flow, path in segments},
            placed_at=_moment(row.get(placed)),
            modified_at=_moment(row.get(modified)),
            customer=NOBODY,
            cancelled=standing.get("order") in cancelled,
        )

    return read


def _read(value: Any) -> str:
    return value if type(value) is str else "" if value is None else str(value)


def _customer(row: _Row) -> Customer:
    return Customer(
        user_id=row.text("user"),
        email=row.text("email") or row.text("user_email"),
        phone=row.text("phone"),
        name=row.text("name"),
        language=row.text("language"),
        accepts_marketing=bool(row.get("accepts_marketing")),
    )


def _moment(value: Any) -> datetime | None:
    """Aware, whatever the shop keeps: a date means the end of that day in the shop's time zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo is UTC or timezone.is_aware(value) else timezone.make_aware(value)
    if isinstance(value, date):
        return timezone.make_aware(datetime.combine(value, time.max)).astimezone(UTC)
    return None
