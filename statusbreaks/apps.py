"""The one app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatusBreaksConfig(AppConfig):
    name = "statusbreaks"
    verbose_name = _("Shop disruptions")
    # Else makemigrations of a shop with another default writes a migration into site-packages.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Only now are models and settings ready; at the top these imports would come too early.
        from statusbreaks import checks, signals  # noqa: F401
        from statusbreaks.flows.receivers import status_was_changed
        from statusbreaks.flows.services import record
        from statusbreaks.shop.port import watch_shop

        signals.status_changed.connect(status_was_changed, dispatch_uid="statusbreaks")
        watch_shop(record)
