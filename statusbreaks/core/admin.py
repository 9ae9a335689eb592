"""What our tables' pages in the admin share. Imported by admin modules only: contrib.admin need not be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm, Textarea
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from statusbreaks.exceptions import InvalidTransition

if TYPE_CHECKING or not apps.is_installed("unfold"):
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
    from django.forms import CheckboxInput, Select
else:
    # Under Unfold the pages of a plain ModelAdmin look broken, and plain fields have no frame.
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as AdminTextareaWidget
    from unfold.widgets import UnfoldAdminTextInputWidget as AdminTextInputWidget
    from unfold.widgets import UnfoldBooleanWidget as CheckboxInput

__all__ = ["AdminTextInputWidget", "AdminTextareaWidget", "CheckboxInput", "Select"]

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)

COUNTED = 10_000
SHOWN_INSIDE = 20

if TYPE_CHECKING:
    ModelAdminOf = ModelAdmin
    StackedInlineOf = StackedInline
    TabularInlineOf = TabularInline
    FormSetOf = BaseInlineFormSet
    PaginatorOf = Paginator
else:

    def _generic(base: type) -> type:
        """Django's own classes are generic for type checkers alone."""
        return type(f"{base.__name__}Of", (base,), {"__class_getitem__": classmethod(lambda cls, _key: cls)})

    ModelAdminOf, StackedInlineOf, TabularInlineOf, FormSetOf, PaginatorOf = map(
        _generic, (ModelAdmin, StackedInline, TabularInline, BaseInlineFormSet, Paginator)
    )


class BoundedPaginator(PaginatorOf[Any]):
    """Counts as far as anybody turns pages, and no further: a COUNT over a ledger reads all of it."""

    @cached_property
    def count(self) -> int:
        return min(len(self.object_list), COUNTED) if isinstance(self.object_list, list) else self._bounded()

    def _bounded(self) -> int:
        rows: Any = self.object_list
        return int(rows[:COUNTED].count())


def lower(field: Any) -> Any:
    """A text box that leaves room for others: what is written here is short."""
    if field and isinstance(field.widget, Textarea):
        field.widget.attrs["rows"] = 4
    return field


class TableAdmin(ModelAdminOf[M]):
    """A table of any size."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ["-pk"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return lower(super().formfield_for_dbfield(db_field, request, **kwargs))

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        # Only what was changed here: a worker may have moved the row while somebody had its page open.
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns] if change else None)

    def to_each(self, request: HttpRequest, rows: Iterable[M], verb: Callable[[M], object], done: Any) -> None:
        """Do `verb` to each row. A refusal becomes a message, and the others go on. `done` tells their `count`."""
        count = 0
        for row in rows:
            try:
                verb(row)
            except InvalidTransition as refused:
                self.message_user(request, str(refused), messages.ERROR)
            else:
                count += 1
        if count:
            self.message_user(request, done % {"count": count}, messages.SUCCESS)


class LedgerAdmin(TableAdmin[M]):
    """A table that is only looked at: the app writes it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class FirstRows(FormSetOf[M, P, Any]):
    """No more rows than a page can take; the others are behind a link."""

    def get_queryset(self) -> QuerySet[M]:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:SHOWN_INSIDE]
        return self._queryset


class GlanceInline(TabularInlineOf[M, P]):
    """The first rows of another table, to look at."""

    formset: Any = FirstRows
    extra = 0
    max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PartInline(StackedInlineOf[M, P]):
    """Rows that are a part of their owner: whoever may change the owner may change them."""

    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return lower(super().formfield_for_dbfield(db_field, request, **kwargs))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self._owner.has_view_permission(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def _may(self, request: HttpRequest, obj: Any) -> bool:
        owner = self._owner
        return bool(owner.has_change_permission(request, obj) if obj else owner.has_add_permission(request))

    @property
    def _owner(self) -> Any:
        return self.admin_site.get_model_admin(self.parent_model)


def link(page: str, text: Any, *args: Any, **query: Any) -> str:
    """A link to a page of ours in the admin, such as `incident_changelist`."""
    url = reverse(f"admin:statusbreaks_{page}", args=args)
    return format_html('<a href="{}">{}</a>', f"{url}?{urlencode(query)}" if query else url, text)
