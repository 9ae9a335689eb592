"""The example shop's settings, for tests: nothing on disk but a directory of this run's own, mail in memory."""

import os
import tempfile
from pathlib import Path

import django

from example_project import environment
from example_project.settings import *  # noqa: F403
from example_project.settings import STATUSBREAKS

DATABASES = {"default": environment.database(os.environ.get("DATABASE_URL", "sqlite:///:memory:"))}
CACHES = {"default": environment.cache("")}
CELERY_BROKER_URL = ""
SECRET_KEY = "tests only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

STATUSBREAKS = {
    **STATUSBREAKS,
    "BASE_URL": "https://shop.example",
    "STATE_DIR": Path(tempfile.mkdtemp(prefix="statusbreaks-")),
    "API_TOKENS": {"warehouse": "warehouse-token"},
}
