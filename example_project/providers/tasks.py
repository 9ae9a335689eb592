"""The shop's own work as a Celery task."""

from celery import shared_task
from django.utils import timezone

from example_project.providers import services

EVERY = 10.0  # seconds


@shared_task(name="shop.work")  # type: ignore[untyped-decorator]
def work() -> int:
    return services.work(timezone.now())
