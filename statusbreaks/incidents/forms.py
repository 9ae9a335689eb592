"""What staff fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from statusbreaks.core.admin import AdminTextareaWidget, AdminTextInputWidget, CheckboxInput, Select
from statusbreaks.incidents.models import Incident, IncidentUpdate, Playbook

if TYPE_CHECKING:
    # Django's forms are generic for type checkers alone.
    PlaybookFormBase = forms.ModelForm[Playbook]
    UpdateFormBase = forms.ModelForm[IncidentUpdate]
else:
    PlaybookFormBase = UpdateFormBase = forms.ModelForm

AT_ONCE = 500  # numbers, each of which is looked up


class PlaybookForm(PlaybookFormBase):
    kind = forms.ChoiceField(label=_("Kind of incident"), choices=Incident.Kind.choices, widget=Select)

    def clean_closes(self) -> list[str]:
        closes = self.cleaned_data["closes"]
        if not isinstance(closes, list) or not all(isinstance(part, str) for part in closes):
            raise forms.ValidationError(_('Write a list of names: ["checkout"].'))
        return closes


class UpdateForm(UpdateFormBase):
    """An update as a draft, or to be published at once."""

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        widget=Select,
        choices=[("", _("stays as it is")), *Incident.Status.choices],
        help_text=_("What the incident becomes with this update."),
    )
    publishes = forms.BooleanField(
        label=_("Publish now"),
        required=False,
        widget=CheckboxInput,
        help_text=_("The public reads it, and the customers concerned are told. Else it stays a draft."),
    )

    class Meta:
        model = IncidentUpdate
        fields = ["incident", "status", "notifies", "eta_at", "next_update_at"]

    def clean_status(self) -> str:
        incident = self.cleaned_data.get("incident") or getattr(self.instance, "incident", None)
        return self.cleaned_data["status"] or (incident.status if incident else "")


class OrdersForm(forms.Form):
    """Orders that staff know to be concerned."""

    numbers = forms.CharField(
        label=_("Order numbers"),
        help_text=_("As customers write them, one a line or with commas."),
        widget=AdminTextareaWidget(attrs={"rows": 8}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=160,
        help_text=_("Why they are concerned; kept with each of them."),
        widget=AdminTextInputWidget(attrs={"class": "vTextField"}),
    )

    def clean_numbers(self) -> list[str]:
        parts: Any = self.cleaned_data["numbers"].replace(",", "\n").replace(";", "\n").splitlines()
        numbers = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
        if not 1 <= len(numbers) <= AT_ONCE:
            raise forms.ValidationError(_("1 to %(most)d numbers at once.") % {"most": AT_ONCE})
        return numbers
