"""What the app found: breaks of single orders, alarms over a whole flow."""

from __future__ import annotations

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from statusbreaks.api.base import Door, Listing, OpenOnly, Refusal, Row, wants_open
from statusbreaks.api.schema import BY_FIELD, describe
from statusbreaks.flows.models import Alarm, StatusBreak

REFUSALS = {403: Refusal, 404: Refusal}


class BreakRow(Row):
    # A word and no enumeration: more kinds will come.
    kind = serializers.CharField(read_only=True)

    class Meta:
        model = StatusBreak
        fields = [
            *("id", "kind", "source", "order_key", "order_number", "flow", "status", "segment"),
            *("began_at", "due_at", "opened_at", "healed_at", "grouped_at"),
        ]
        read_only_fields = fields


class AlarmRow(Row):
    class Meta:
        model = Alarm
        fields = [
            *("id", "rule", "flow", "status", "segment", "since", "raised_at", "ended_at"),
            *("expected", "observed", "odds", "sentence"),
        ]
        read_only_fields = fields


class Breaks(Listing[StatusBreak]):
    queryset = StatusBreak.objects.all()
    serializer_class = BreakRow
    needs: ClassVar[Any] = {"GET": ("statusbreaks.view_statusbreak",)}

    @describe(parameters=[OpenOnly], responses={200: BreakRow(many=True), 400: BY_FIELD, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Orders whose flow was interrupted, latest first."""
        rows = StatusBreak.objects.open() if wants_open(request) else StatusBreak.objects.all()
        return self.page(rows)


class BreakDetail(Door):
    needs: ClassVar[Any] = {"GET": ("statusbreaks.view_statusbreak",)}

    @describe(responses={200: BreakRow, **REFUSALS})
    def get(self, request: Request, pk: int) -> Response:
        return Response(BreakRow(get_object_or_404(StatusBreak, pk=pk)).data)


class Alarms(Listing[Alarm]):
    queryset = Alarm.objects.all()
    serializer_class = AlarmRow
    needs: ClassVar[Any] = {"GET": ("statusbreaks.view_alarm",)}

    @describe(parameters=[OpenOnly], responses={200: AlarmRow(many=True), 400: BY_FIELD, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Flows that are or were unusual as a whole, latest first."""
        rows = Alarm.objects.open() if wants_open(request) else Alarm.objects.all()
        return self.page(rows)
