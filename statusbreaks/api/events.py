"""The door for shops in other processes: they tell how their orders go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from statusbreaks.api.authentication import IsSource, TokenAuthentication
from statusbreaks.api.base import Door, Fields, Moment, Refusal
from statusbreaks.api.schema import BY_FIELD, describe
from statusbreaks.flows.intake import Report, take_in
from statusbreaks.flows.models import StatusChange
from statusbreaks.shop.models import ReportedOrder
from statusbreaks.shop.values import Flow, StatusEvent

AT_ONCE = 500
AHEAD = timedelta(minutes=15)  # how far another machine's clock may be fast


class CustomerFields(Fields):
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=32)
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    language = serializers.CharField(required=False, allow_blank=True, max_length=12)


class EventFields(Fields):
    """An order's flow was seen in a status. What is told of the order besides is kept until it is told anew."""

    order_key = serializers.CharField(max_length=64, help_text="What the shop knows the order by.")
    flow = serializers.ChoiceField(choices=Flow.choices)
    status = serializers.CharField(max_length=64, help_text="In the shop's own words.")
    occurred_at = Moment(required=False, help_text="With the offset from UTC. Left out: now.")
    event_id = serializers.CharField(
        required=False,
        max_length=200,
        help_text="The same one twice is one event. Left out: order_key, flow, status and occurred_at tell.",
    )
    segment = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="The payment provider, carrier, region …"
    )
    order_number = serializers.CharField(required=False, allow_blank=True, max_length=64)
    customer = CustomerFields(required=False)
    value = serializers.DecimalField(
        required=False, allow_null=True, max_digits=14, decimal_places=3, min_value=0, coerce_to_string=True
    )
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, help_text="ISO 4217: EUR")
    placed_at = Moment(required=False, allow_null=True)
    promised_at = Moment(required=False, allow_null=True)

    def validate_occurred_at(self, value: datetime) -> datetime:
        if value > timezone.now() + AHEAD:
            raise serializers.ValidationError(_("This lies in the future."))
        return value


class Counts(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(help_text="Events that were new.")
    known = serializers.IntegerField(help_text="Events that were known already; they changed nothing.")


class PerSource(SimpleRateThrottle):
    """Ten requests a second, of up to 500 events each."""

    scope = "statusbreaks-events"
    rate = "600/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": request.auth}


class StatusEvents(Door):
    """One event, or a list of up to 500: all of it is taken, or none. They count as the token's source's."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [IsSource]
    throttle_classes = [PerSource]

    @describe(
        request=EventFields(many=True),
        responses={202: Counts, 400: BY_FIELD, 401: Refusal, 413: Refusal, 415: Refusal, 429: Refusal},
    )
    def post(self, request: Request) -> Response:
        told, now = events(request.data), timezone.now()
        accepted = take_in([report(str(request.auth), event, now) for event in told])
        return Response({"accepted": accepted, "known": len(told) - accepted}, status=status.HTTP_202_ACCEPTED)


def events(told: Any) -> list[dict[str, Any]]:
    """What was told, of one or of many; raises a ValidationError by field, and before that by place in the list."""
    fields = EventFields()
    if not isinstance(told, list):
        return [fields.run_validation(told)]
    if not 1 <= len(told) <= AT_ONCE:
        raise serializers.ValidationError({"events": [_("A list has 1 to %(most)d events.") % {"most": AT_ONCE}]})
    read: list[dict[str, Any]] = []
    wrong: dict[str, Any] = {}
    for place, event in enumerate(told):
        try:
            read.append(fields.run_validation(event))
        except serializers.ValidationError as error:
            wrong[str(place)] = error.detail
    if wrong:
        raise serializers.ValidationError(wrong)
    return read


def report(source: str, told: Mapping[str, Any], now: datetime) -> Report:
    """The event and the order, out of what was told."""
    number, occurred_at = told.get("order_number", ""), told.get("occurred_at", now)
    event = StatusEvent(
        told["order_key"],
        told["flow"],
        told["status"],
        occurred_at,
        source=source,
        order_number=number,
        segment=told.get("segment", ""),
        via=StatusChange.Via.API,
        event_id=event_id(source, told, occurred_at),
    )
    about = {name: told[name] for name in ("value", "currency", "placed_at", "promised_at") if name in told}
    order = ReportedOrder(
        source=source, order_key=event.order_key, order_number=number, **told.get("customer", {}), **about
    )
    return Report(event, order)


def event_id(source: str, told: Mapping[str, Any], occurred_at: datetime) -> str:
    """The same for the same event of the same source, and never the same as another source's."""
    given = told.get("event_id")
    names = [given] if given else [told["order_key"], told["flow"], told["status"], occurred_at.isoformat()]
    return hashlib.sha256(json.dumps([source, *names]).encode()).hexdigest()
