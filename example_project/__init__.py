"""Kettle & Thread, a small shop for tea, kettles and yarn, in which statusbreaks is installed."""

from example_project.celery import app as celery_app

__all__ = ["celery_app"]
