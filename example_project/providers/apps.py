from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    name = "example_project.providers"
    label = "providers"
    verbose_name = _("Providers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Tasks import models, so the schedule can be put together only now.
        if settings.CELERY_BROKER_URL:
            from example_project.celery import app
            from example_project.providers.tasks import EVERY, work
            from statusbreaks.tasks import beat_schedule

            own = {"shop-work": {"task": work.name, "schedule": EVERY, "options": {"expires": EVERY}}}
            app.conf.beat_schedule = {**beat_schedule(), **own}
