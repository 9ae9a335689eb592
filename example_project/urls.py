"""The shop's pages. statusbreaks has its own under /statusbreaks/."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
