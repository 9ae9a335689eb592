"""Whether the shop is open, for everybody; and to close and open it, for staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from statusbreaks.api.base import Conflict, Door, Fields, Moment, Refusal, Row
from statusbreaks.api.schema import BY_FIELD, describe
from statusbreaks.incidents.models import Incident
from statusbreaks.maintenance import services
from statusbreaks.maintenance.models import Closing
from statusbreaks.maintenance.scopes import SITE, WRITES, known_scopes
from statusbreaks.maintenance.state import Lease
from statusbreaks.maintenance.store import reader

LONGEST = timedelta(days=30)


class ClosedPart(serializers.Serializer[Any]):
    """A part of the shop that is closed now."""

    scope = serializers.CharField()
    since = Moment(source="begins_at")
    expected_open_at = Moment(allow_null=True)
    incident = serializers.CharField(source="reference", help_text="The reference of a public incident, or empty.")


class ShopState(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["open", "partly_closed", "read_only", "closed"])
    closed = ClosedPart(many=True)


class ClosingRow(Row):
    class Meta:
        model = Closing
        fields = ["id", "scope", "incident", "reason", "begins_at", "expected_open_at", "ends_at", "ended_at"]
        read_only_fields = fields


class ClosingFields(Fields):
    scope = serializers.CharField(max_length=40, default=SITE, help_text="site, writes, checkout … or one of SCOPES")
    incident = serializers.PrimaryKeyRelatedField(queryset=Incident.objects.all(), required=False, allow_null=True)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="Internal.")
    begins_at = Moment(required=False, allow_null=True)
    expected_open_at = Moment(required=False, allow_null=True)
    at_most = serializers.DurationField(
        default=services.AT_MOST, help_text="It opens by itself after that: [days] hours:minutes:seconds"
    )

    def validate_scope(self, value: str) -> str:
        if value not in known_scopes():
            raise serializers.ValidationError(
                _("Not a known scope. Known are: %(names)s.") % {"names": ", ".join(known_scopes())}
            )
        return value

    def validate_at_most(self, value: Any) -> Any:
        if not timedelta() < value <= LONGEST:
            raise serializers.ValidationError(_("More than nothing, and 30 days at the most."))
        return value


class Shop(Door):
    """Reads the state that the doors of the shop read: no table, so it answers when the database lies down."""

    authentication_classes = []
    permission_classes = []

    @describe(responses={200: ShopState})
    def get(self, request: Request) -> Response:
        """Whether the shop is open, and what of it is closed until when."""
        leases = reader.current().running(timezone.now())
        shown = ShopState({"state": state(leases), "closed": leases}).data
        return Response(shown, headers={"Cache-Control": "no-store"})


def state(leases: Sequence[Lease]) -> str:
    scopes = {lease.scope for lease in leases}
    if SITE in scopes:
        return "closed"
    if WRITES in scopes:
        return "read_only"
    return "partly_closed" if scopes else "open"


class Closings(Door):
    needs: ClassVar[Any] = {"POST": ("statusbreaks.add_closing",)}

    @describe(request=ClosingFields, responses={201: ClosingRow, 400: BY_FIELD, 403: Refusal})
    def post(self, request: Request) -> Response:
        """Close the shop, or a part of it."""
        fields = ClosingFields(data=request.data)
        fields.is_valid(raise_exception=True)
        closing = services.close_shop(**fields.validated_data, by=request.user)
        return Response(ClosingRow(closing).data, status=status.HTTP_201_CREATED)


class OpenClosing(Door):
    needs: ClassVar[Any] = {"POST": ("statusbreaks.change_closing",)}

    @describe(request=None, responses={200: ClosingRow, 403: Refusal, 404: Refusal, 409: Refusal})
    def post(self, request: Request, pk: int) -> Response:
        """End this closing. The shop is open when no other one runs."""
        closing = get_object_or_404(Closing, pk=pk)
        if not services.open_shop(closing, by=request.user):
            raise Conflict(_("This closing has ended already."))
        return Response(ClosingRow(closing).data)
