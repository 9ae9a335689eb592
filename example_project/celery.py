"""Celery for the shop: used when CELERY_BROKER_URL is set; without it a worker in the process does the same work."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

app = Celery("kettle_and_thread")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
