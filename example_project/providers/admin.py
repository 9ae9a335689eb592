from typing import TYPE_CHECKING

from django.contrib import admin

from example_project.providers.models import Provider

if TYPE_CHECKING:
    ProviderBase = admin.ModelAdmin[Provider]
else:
    ProviderBase = admin.ModelAdmin


@admin.register(Provider)
class ProviderAdmin(ProviderBase):
    list_display = ["name", "kind", "mode", "failing_since"]
