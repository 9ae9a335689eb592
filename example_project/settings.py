"""Settings of the example shop. With nothing set it runs on SQLite and alone.

Taken from the environment: DATABASE_URL, CACHE_URL, CELERY_BROKER_URL, SHOP_DIR (where it keeps its data),
SHOP_PACE (how many times faster than life the providers work), ALLOWED_HOSTS, BASE_URL, DEBUG.
"""

import os
from pathlib import Path
from urllib.parse import quote

import django
from django.utils.translation import gettext_lazy as _

from example_project import environment

ROOT_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("SHOP_DIR", ROOT_DIR / "var"))
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = environment.secret(VAR_DIR, "secret_key")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")

INSTALLED_APPS = [
    "statusbreaks",
    "example_project.shop",
    "example_project.providers",
    "rest_framework",
    "drf_spectacular",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "statusbreaks.middleware.MaintenanceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_project.shop.context.basket",
            ]
        },
    }
]

DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{quote(str(VAR_DIR / 'shop.sqlite3'))}"
if DATABASE_URL.startswith(("mysql", "mariadb")):
    import pymysql

    pymysql.install_as_MySQLdb()
DATABASES = {"default": environment.database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": environment.cache(os.environ.get("CACHE_URL", ""))}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("pl", _("Polish"))]
LOCALE_PATHS = [ROOT_DIR / "example_project" / "locale"]
TIME_ZONE = "Europe/Warsaw"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "my_orders"
LOGOUT_REDIRECT_URL = "products"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

DEFAULT_FROM_EMAIL = "Kettle & Thread <shop@example.com>"
MAIL_DIR = VAR_DIR / "mail"
MAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
# Django 6.1 names its mailers, and warns where the older settings stand.
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": MAIL_BACKEND, "OPTIONS": {"file_path": str(MAIL_DIR)}}}
else:
    EMAIL_BACKEND = MAIL_BACKEND
    EMAIL_FILE_PATH = str(MAIL_DIR)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Errors are shown where the server runs; the shop has nobody to mail them to.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}

PAYMENTS_WEBHOOK_SECRET = environment.secret(VAR_DIR, "payments_webhook_secret")
SHOP_PACE = float(os.environ.get("SHOP_PACE", "1"))

STATUSBREAKS = {
    "SHOP_NAME": "Kettle & Thread",
    "BASE_URL": BASE_URL,
    "INCIDENT_PREFIX": "KT",
    "STATE_DIR": VAR_DIR / "state",
    "ORDERS": {
        "MODEL": "shop.Order",
        "NUMBER": "number",
        "PLACED_AT": "placed_at",
        "PROMISED_AT": "promised_on",
        "VALUE": "total",
        "CURRENCY": "currency",
        "CUSTOMER": {
            "USER": "user",
            "EMAIL": "email",
            "PHONE": "phone",
            "NAME": "name",
            "LANGUAGE": "language",
            "ACCEPTS_MARKETING": "accepts_marketing",
        },
        "FLOWS": {
            "order": {"STATUS": "status", "FINAL": ["completed", "cancelled"]},
            "payment": {
                "STATUS": "payment_status",
                "FINAL": ["paid", "failed", "refunded"],
                "SEGMENT": "payment_provider",
            },
            "delivery": {"STATUS": "delivery_status", "FINAL": ["delivered", "returned"], "SEGMENT": "carrier"},
        },
        "CANCELLED": ["cancelled"],
    },
    "SCOPES": {"checkout": ["/checkout/"]},
    "ALWAYS_OPEN": ["/webhooks/", "/staff/", "/static/", "/account/login/"],
}
