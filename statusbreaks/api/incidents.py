"""Incidents: to read them, and the verbs that staff have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from statusbreaks.api.base import Door, Fields, Listing, Moment, OpenOnly, Refusal, Row, wants_open
from statusbreaks.api.schema import BY_FIELD, describe
from statusbreaks.incidents import services
from statusbreaks.incidents.models import Impact, Incident, IncidentQuerySet, IncidentUpdate, Playbook, UpdateText
from statusbreaks.incidents.services import Draft, NewIncident
from statusbreaks.shop.values import Flow

VIEW, ADD, CHANGE = (f"statusbreaks.{verb}_incident" for verb in ("view", "add", "change"))
PUBLISH = "statusbreaks.publish_incident"
REFUSALS = {403: Refusal, 404: Refusal}


class TextFields(Row):
    class Meta:
        model = UpdateText
        fields = ["language", "headline", "body"]


class UpdateRow(Row):
    texts = TextFields(many=True, read_only=True)

    class Meta:
        model = IncidentUpdate
        fields = ["id", "status", "published_at", "notifies", "eta_at", "next_update_at", "texts"]
        read_only_fields = fields


class IncidentRow(Row):
    reference = serializers.CharField(read_only=True)
    components = serializers.SlugRelatedField[Any](slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Incident
        fields = [
            *("id", "reference", "kind", "title", "status", "impact", "severity", "cause", "flow", "segment"),
            *("is_automatic", "playbook", "components", "impact_started_at", "detected_at", "published_at"),
            *("resolved_at", "dismissed_at"),
        ]
        read_only_fields = fields


class IncidentStory(IncidentRow):
    """An incident with what was said of it, and how many orders it touched."""

    updates = UpdateRow(many=True, read_only=True)
    affected_orders = serializers.SerializerMethodField()
    waiting_orders = serializers.SerializerMethodField()

    class Meta(IncidentRow.Meta):
        fields = [*IncidentRow.Meta.fields, "affected_orders", "waiting_orders", "updates"]
        read_only_fields = fields

    def get_affected_orders(self, incident: Incident) -> int:
        return incident.affected.kept().count()

    def get_waiting_orders(self, incident: Incident) -> int:
        return incident.affected.waiting().count()


class IncidentFields(Fields):
    kind = serializers.ChoiceField(choices=Incident.Kind.choices)
    title = serializers.CharField(max_length=160)
    status = serializers.ChoiceField(choices=Incident.Status.choices, default=Incident.Status.INVESTIGATING)
    impact = serializers.ChoiceField(choices=Impact.choices, default=Impact.MINOR)
    flow = serializers.ChoiceField(choices=Flow.choices, required=False, allow_blank=True)
    segment = serializers.CharField(max_length=64, required=False, allow_blank=True)
    playbook = serializers.PrimaryKeyRelatedField(queryset=Playbook.objects.all(), required=False, allow_null=True)
    impact_started_at = Moment(required=False, allow_null=True)

    def validate_status(self, value: str) -> str:
        if value not in Incident.ACTIVE:
            raise serializers.ValidationError(_("An incident cannot begin like that."))
        return value


class DraftFields(Fields):
    texts = TextFields(many=True, allow_empty=False)
    status = serializers.ChoiceField(
        choices=Incident.Status.choices, required=False, help_text="Moves the incident. Left out: it stays as it is."
    )
    notifies = serializers.BooleanField(default=True, help_text="Tell the customers concerned.")
    eta_at = Moment(required=False, allow_null=True)
    next_update_at = Moment(required=False, allow_null=True)

    def validate_texts(self, value: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
        if len({text["language"] for text in value}) < len(value):
            raise serializers.ValidationError(_("One text per language."))
        return value


def draft(told: Mapping[str, Any]) -> Draft:
    texts = {text["language"]: (text["headline"], text["body"]) for text in told["texts"]}
    return Draft(**{**told, "texts": texts})


class Incidents(Listing[Incident]):
    serializer_class = IncidentRow
    needs: ClassVar[Any] = {"GET": (VIEW,), "POST": (ADD,)}

    def get_queryset(self) -> IncidentQuerySet:
        return Incident.objects.prefetch_related("components")

    @describe(parameters=[OpenOnly], responses={200: IncidentRow(many=True), 400: BY_FIELD, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The incidents, latest first."""
        rows = self.get_queryset().active() if wants_open(request) else self.get_queryset()
        return self.page(rows)

    @describe(request=IncidentFields, responses={201: IncidentRow, 400: BY_FIELD, 403: Refusal})
    def post(self, request: Request) -> Response:
        """Open an incident, with what its playbook says."""
        fields = IncidentFields(data=request.data)
        fields.is_valid(raise_exception=True)
        incident = services.open_incident(NewIncident(**fields.validated_data), by=request.user)
        return Response(IncidentRow(incident).data, status=status.HTTP_201_CREATED)


class IncidentDetail(Door):
    needs: ClassVar[Any] = {"GET": (VIEW,)}

    @describe(responses={200: IncidentStory, **REFUSALS})
    def get(self, request: Request, pk: int) -> Response:
        """One incident, with what was said of it."""
        return Response(IncidentStory(story(pk)).data)


def story(pk: int) -> Incident:
    said = Prefetch("updates", IncidentUpdate.objects.published().prefetch_related("texts"))
    return get_object_or_404(Incident.objects.prefetch_related("components", said), pk=pk)


class Updates(Door):
    needs: ClassVar[Any] = {"POST": (PUBLISH,)}

    @describe(request=DraftFields, responses={201: UpdateRow, 400: BY_FIELD, 409: Refusal, **REFUSALS})
    def post(self, request: Request, pk: int) -> Response:
        """Say something in public; the customers concerned are told by the next tick."""
        incident = get_object_or_404(Incident, pk=pk)
        fields = DraftFields(data=request.data)
        fields.is_valid(raise_exception=True)
        update = services.post_update(incident, draft(fields.validated_data), by=request.user)
        return Response(UpdateRow(update).data, status=status.HTTP_201_CREATED)


class Resolve(Door):
    needs: ClassVar[Any] = {"POST": (CHANGE,)}

    @describe(request=None, responses={200: IncidentStory, 409: Refusal, **REFUSALS})
    def post(self, request: Request, pk: int) -> Response:
        """It is over. If the public heard of it, it now hears what the playbook holds ready for that."""
        services.resolve(get_object_or_404(Incident, pk=pk), by=request.user)
        return Response(IncidentStory(story(pk)).data)


class Dismiss(Door):
    needs: ClassVar[Any] = {"POST": (CHANGE,)}

    @describe(request=None, responses={200: IncidentStory, 409: Refusal, **REFUSALS})
    def post(self, request: Request, pk: int) -> Response:
        """It was nothing."""
        services.dismiss(get_object_or_404(Incident, pk=pk), by=request.user)
        return Response(IncidentStory(story(pk)).data)
