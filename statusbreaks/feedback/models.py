"""How it was, in the customers' own words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.queries import RowQuerySet, stand_in
from statusbreaks.flows.models import OrderRow
from statusbreaks.incidents.models import Incident
from statusbreaks.shop.values import Person


class SurveyQuerySet(RowQuerySet["Survey"]):
    def asked_of(self, incident: Incident, identities: Iterable[str]) -> set[str]:
        return set(self.filter(incident=incident, customer__in=list(identities)).values_list("customer", flat=True))

    def of_person(self, person: Person) -> Self:
        return self.filter(Q(user__in=person.users) | Q(customer__in=person.identities))

    def forget(self) -> int:
        return self.update(customer=stand_in("forgotten:"), user=None, comment="")

    def ask(self, surveys: list[Survey]) -> list[Survey]:
        return self.bulk_create(surveys, batch_size=500)

    def with_key(self, key: int) -> Survey | None:
        return self.select_related("incident").filter(pk=key).first()

    def answerable(self, at: datetime) -> Self:
        return self.filter(answered_at__isnull=True, expires_at__gt=at)

    def take_answer(self, survey: Survey, rating: int, comment: str, at: datetime) -> bool:
        """One conditional UPDATE: the first answer counts."""
        rows = self.answerable(at).filter(pk=survey.pk)
        return bool(rows.update(rating=rating, comment=comment, answered_at=at))


class Survey(OrderRow):
    """One customer is asked once how we handled one incident."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="surveys", verbose_name=_("incident"))
    customer = models.CharField(_("customer"), max_length=64, help_text=_("A user's key or a hash: no address."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(_("language"), max_length=12, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("can be answered until"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    comment = models.TextField(_("comment"), blank=True)

    objects = SurveyQuerySet.as_manager()

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = [models.UniqueConstraint(fields=["incident", "customer"], name="sb_survey_unique")]
