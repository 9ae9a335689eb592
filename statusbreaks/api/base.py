"""What all doors share. All of it is said here, so that the shop's own REST_FRAMEWORK settings change nothing of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import ISO_8601, generics, serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView, exception_handler

from statusbreaks.api.authentication import MayDo
from statusbreaks.api.schema import view_schema
from statusbreaks.exceptions import InvalidTransition

logger = logging.getLogger("statusbreaks")

M = TypeVar("M", bound=models.Model)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = _("The body is too large.")


class Json(BaseParser):
    """UTF-8 as RFC 8259 has it, within DATA_UPLOAD_MAX_MEMORY_SIZE, which DRF's own parser reads past."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body, limit = _body(stream), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is not None and len(body) > limit:
            raise TooLarge
        try:
            return json.loads(body.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON: %(error)s") % {"error": error}) from error


def _body(request: Any) -> bytes:
    try:
        return bytes(request.body)
    except RequestDataTooBig as error:
        raise TooLarge from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


class Pages(CursorPagination):
    """Newest first, by a keyset: no COUNT, and the last page costs what the first one does."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    cursor_query_param = "cursor"


class ByAddress(SimpleRateThrottle):
    """So many requests from one address. Behind proxies set DRF's NUM_PROXIES, or all come from one address."""

    def allow_request(self, request: Any, view: APIView) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except Exception:
            # The counts lie in the shop's cache. Without it a code is still one of 2^55, and a sale is still a sale.
            logger.exception("requests are not counted: the cache does not answer")
            return True

    def get_cache_key(self, request: Any, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

    def get_ident(self, request: Any) -> str:
        # Without NUM_PROXIES the header X-Forwarded-For is whatever the client likes.
        trusted = getattr(settings, "REST_FRAMEWORK", {}).get("NUM_PROXIES") is not None
        return super().get_ident(request) if trusted else str(request.META.get("REMOTE_ADDR", ""))


class Door(APIView):
    """A view of ours: session, permissions, JSON."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [MayDo]
    parser_classes = [Json]
    renderer_classes = [JSONRenderer]
    throttle_classes = []
    content_negotiation_class = DefaultContentNegotiation
    metadata_class = None
    versioning_class = None
    schema = view_schema()

    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return exception_handler

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Conflict(str(exc)) if isinstance(exc, InvalidTransition) else exc)


class Listing(Door, generics.GenericAPIView[M]):
    """Rows, a page at a time."""

    pagination_class = Pages
    filter_backends = []

    def page(self, rows: QuerySet[M]) -> Response:
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class Moment(serializers.DateTimeField):
    """A point in time. One without an offset is refused: guessing the zone would be hours wrong, unnoticed."""

    default_error_messages: ClassVar[Any] = {
        "naive": _("The offset from UTC is missing. Write it like 2026-03-02T12:00:00Z or 2026-03-02T13:00:00+01:00."),
        "year": _("Only years from 1970 to 9998 are understood."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"format": ISO_8601, "input_formats": [ISO_8601], "default_timezone": UTC, **kwargs})

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        if not 1970 <= value.year < 9999:
            self.fail("year")
        return value.astimezone(UTC)


class Fields(serializers.Serializer[Any]):
    """Input that says so where it has a field nobody reads: it is a slip, and the value would be lost."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


class Row(serializers.ModelSerializer[Any]):
    """A row of ours, as it is shown."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, models.DateTimeField: Moment}


class Refusal(serializers.Serializer[Any]):
    """Why not, in a sentence."""

    detail = serializers.CharField()


class OpenOnly(Fields):
    open = serializers.BooleanField(default=False, help_text="Only those that last.")


def wants_open(request: Request) -> bool:
    # As a plain dict: a missing key of a QueryDict is read as an unchecked box, and a paging link has more keys.
    told = {name: value for name, value in request.query_params.items() if name == "open"}
    asked = OpenOnly(data=told)
    asked.is_valid(raise_exception=True)
    return bool(asked.validated_data["open"])
