"""`path("statusbreaks/", include("statusbreaks.urls"))`."""

from __future__ import annotations

from django.urls import include, path

from statusbreaks.api import routes
from statusbreaks.feedback.views import SurveyView

app_name = "statusbreaks"

urlpatterns = [
    path("survey/<str:token>/", SurveyView.as_view(), name="survey"),
    path("api/", include(routes)),
]
