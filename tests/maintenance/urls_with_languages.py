"""A shop whose addresses carry the language, and that has neither an admin nor a log-in of its own."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.urls import path


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("through")


urlpatterns = i18n_patterns(path("checkout/", view), path("log-out/", view, name="logout"))
