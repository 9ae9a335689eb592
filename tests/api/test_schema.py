"""The OpenAPI description says what is, and all of it."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.management.commands.spectacular import Command
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from statusbreaks.api import routes
from tests.factories import IncidentFactory

pytestmark = pytest.mark.django_db

API = "/statusbreaks/api"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def described(anyone: APIClient) -> Any:
    answer = anyone.get(f"{API}/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    return answer.json()


def test_the_description_is_valid_and_of_our_doors_alone(described):
    validate_schema(described)

    ours = {pattern.name for pattern in routes.urlpatterns} - {"api-schema"}
    assert len(described["paths"]) == len(ours)
    assert all(path.startswith(f"{API}/") for path in described["paths"])


def test_the_command_finds_nothing_to_warn_of():
    call_command(Command(), "--fail-on-warn", "--validate", stdout=StringIO())


def test_the_door_for_events_is_described_with_its_token(described):
    door = described["paths"][f"{API}/status-events/"]["post"]

    assert door["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    assert sorted(door["responses"]) == ["202", "400", "401", "413", "415", "429"]


@pytest.mark.parametrize(
    ("path", "method", "body", "permission", "status"),
    [
        ("/incidents/", "get", None, "view_incident", 200),
        ("/incidents/", "post", {"kind": "order", "title": "x"}, "add_incident", 201),
        ("/incidents/", "post", {}, "add_incident", 400),
        ("/incidents/{id}/", "get", None, "view_incident", 200),
        ("/incidents/{id}/", "get", None, "add_incident", 403),
        ("/incidents/{id}/resolve/", "post", None, "change_incident", 200),
        ("/incidents/{id}/dismiss/", "post", None, "change_incident", 200),
        ("/incidents/{id}/updates/", "post", {"texts": []}, "publish_incident", 400),
        ("/breaks/{id}/", "get", None, "view_statusbreak", 404),
        ("/breaks/", "get", None, "view_statusbreak", 200),
        ("/alarms/", "get", None, "view_alarm", 200),
        ("/shop/", "get", None, "view_alarm", 200),
        ("/shop/closings/", "post", {"scope": "x"}, "add_closing", 400),
        ("/shop/closings/{id}/open/", "post", None, "change_closing", 404),
        ("/coupons/validate/", "post", {"code": "x", "total": 1, "currency": "EUR"}, "view_alarm", 200),
        ("/status-events/", "post", {}, "view_alarm", 401),
    ],
)
def test_an_answer_is_one_of_those_described(described, staff, path, method, body, permission, status):
    incident = IncidentFactory()
    url = API + path.format(id=incident.pk)

    answer = getattr(staff(permission), method)(url, body, format="json")

    assert answer.status_code == status
    responses = described["paths"][API + path][method]["responses"]
    assert str(status) in responses
    assert set(responses[str(status)]["content"]) == {answer["Content-Type"]}
    assert required(described, responses[str(status)]) <= set(answer.json())


def required(described: Any, response: Any) -> set[str]:
    shape = response["content"]["application/json"]["schema"]
    named = described["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]] if "$ref" in shape else shape
    return set(named.get("required", []))


def test_without_the_extra_there_is_no_description_and_all_else_stands():
    code = (
        "import sys, os; sys.modules['drf_spectacular'] = None; "
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; "
        "from django.conf import settings; settings.INSTALLED_APPS.remove('drf_spectacular'); django.setup(); "
        "from statusbreaks.api import routes; print(len(routes.urlpatterns))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == (str(len(routes.urlpatterns) - 1), "")
