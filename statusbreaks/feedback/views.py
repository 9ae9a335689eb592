"""The survey page, behind a signed link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from statusbreaks.conf import conf
from statusbreaks.feedback import services
from statusbreaks.feedback.models import Survey

RATINGS = [(5, _("Very well")), (4, _("Well")), (3, _("So-so")), (2, _("Badly")), (1, _("Very badly"))]


class SurveyForm(forms.Form):
    rating = forms.TypedChoiceField(
        label=_("How did we handle it?"),
        choices=RATINGS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one.")},
    )
    comment = forms.CharField(
        label=_("What should we do better?"),
        help_text=_("If you like. Please no card numbers or passwords."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


# A link in a mail is opened by scanners too: a GET only shows the form.
@method_decorator([never_cache, csrf_protect], name="dispatch")
class SurveyView(View):
    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> Any:
        survey = services.survey_of(token)
        if survey is None:
            raise Http404
        with translation.override(survey.language or None):
            response = super().dispatch(request, survey)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get(self, request: HttpRequest, survey: Survey) -> HttpResponse:
        if survey.answered_at or survey.expires_at <= timezone.now():
            return self._page(request, survey, form=None)
        return self._page(request, survey, SurveyForm())

    def post(self, request: HttpRequest, survey: Survey) -> HttpResponse:
        form = SurveyForm(request.POST)
        if not form.is_valid():
            return self._page(request, survey, form, status=400)
        services.answer(survey, form.cleaned_data["rating"], form.cleaned_data["comment"])
        survey = services.survey_of(self.kwargs["token"]) or survey
        return self._page(request, survey, form=None)

    def _page(self, request: HttpRequest, survey: Survey, form: SurveyForm | None, status: int = 200) -> HttpResponse:
        context = {
            "survey": survey,
            "form": form,
            "shop_name": conf().shop_name,
            "language": translation.get_language(),
            "is_rtl": translation.get_language_bidi(),
        }
        return render(request, "statusbreaks/survey/page.html", context, status=status)
