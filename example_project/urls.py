"""The shop's pages. statusbreaks has its own under /statusbreaks/."""

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path

urlpatterns = [
    path("statusbreaks/", include("statusbreaks.urls")),
    path("admin/", admin.site.urls),
    path("language/", include("django.conf.urls.i18n")),
    # The shop stands on one machine without a web server in front: it serves its own pictures and styles.
    path("static/<path:path>", serve, {"insecure": True}),
    path("", include("example_project.providers.urls")),
    path("", include("example_project.shop.urls")),
]
