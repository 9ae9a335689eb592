"""The built wheel, in an empty environment, in an empty Django project."""

from __future__ import annotations

import os
import subprocess
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "statusbreaks"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # one worker, which builds it once

THREE_LINES = """
INSTALLED_APPS += ["rest_framework", "statusbreaks"]
MIDDLEWARE.insert(0, "statusbreaks.middleware.MaintenanceMiddleware")
STATUSBREAKS = {"SHOP_NAME": "Kettle & Thread"}
"""
SQLITE = """
DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
"""
ONE_INCLUDE = """
from django.urls import include
urlpatterns += [path("status/", include("statusbreaks.urls"))]
"""
BARE = """
OPTIONAL = ("django.contrib.admin", "django.contrib.sessions", "django.contrib.messages", "django.contrib.sites")
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in OPTIONAL]
NEEDED = ("statusbreaks.middleware.MaintenanceMiddleware", "django.middleware.common.CommonMiddleware")
MIDDLEWARE = [path for path in MIDDLEWARE if path in NEEDED]
TEMPLATES[0]["OPTIONS"]["context_processors"] = []
"""
WITH_ORDERS = """
INSTALLED_APPS += ["orders"]
STATUSBREAKS["ORDERS"] = {"MODEL": "orders.Order", "FLOWS": {"payment": {"STATUS": "status", "FINAL": ["paid"]}}}
"""
ORDERS = """
from django.db import models
class Order(models.Model):
    status = models.CharField(max_length=20)
"""


@dataclass(frozen=True)
class Project:
    """A project made by `django-admin startproject` in an environment that holds the wheel alone."""

    root: Path
    python: Path

    def manage(self, *args: str) -> str:
        return run(str(self.python), "-W", "error", "manage.py", *args, cwd=self.root)

    def shell(self, code: str) -> str:
        return self.manage("shell", "--verbosity", "0", "--command", code)

    def append(self, name: str, text: str) -> None:
        with (self.root / name).open("a") as file:
            file.write(text)

    def tables(self) -> list[str]:
        listed = self.shell("from django.db import connection\nprint(*connection.introspection.table_names())")
        return [name for name in listed.split() if name.startswith("statusbreaks")]


def run(*line: str, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTHON", "COV"))}
    done = subprocess.run(line, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    builder = tmp_path_factory.mktemp("builder")
    venv.create(builder, with_pip=True)
    run(
        str(builder / "bin" / "pip"), "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT), cwd=folder
    )
    return next(folder.glob("statusbreaks-*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    run(str(folder / "bin" / "pip"), "install", "--quiet", str(wheel), cwd=folder)
    return folder / "bin" / "python"


@pytest.fixture
def project(python: Path, tmp_path: Path) -> Project:
    run(str(python), "-m", "django", "startproject", "myshop", str(tmp_path), cwd=tmp_path)
    project = Project(tmp_path, python)
    project.append("myshop/settings.py", THREE_LINES + SQLITE)
    project.append("myshop/urls.py", ONE_INCLUDE)
    return project


def test_the_wheel_carries_all_of_the_package_and_nothing_else(wheel: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}

    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert carried == {name for name in files if "__pycache__" not in name}
    assert {Path(name).suffix for name in carried} >= {".py", ".html", ".typed"}


def test_three_lines_of_settings_and_an_include_are_enough(project: Project) -> None:
    project.manage("migrate", "--verbosity", "0")

    assert "no issues" in project.manage("check", "--fail-level", "WARNING", "--database", "default")
    assert "No changes" in project.manage("makemigrations", "--check", "--dry-run")
    project.manage("statusbreaks_tick")
    assert project.tables() != []


def test_an_order_model_is_watched_when_it_is_named(project: Project) -> None:
    (project.root / "orders").mkdir()
    (project.root / "orders" / "models.py").write_text(ORDERS)
    project.append("myshop/settings.py", WITH_ORDERS)
    project.manage("makemigrations", "orders", "--verbosity", "0")
    project.manage("migrate", "--verbosity", "0")

    said = project.shell(
        "from orders.models import Order\n"
        "from statusbreaks.models import StatusChange\n"
        "order = Order.objects.create(status='authorised')\n"
        "print(*StatusChange.objects.values_list('order_key', 'flow', 'status').get())"
    )

    assert said.split() == ["1", "payment", "authorised"]


def test_nothing_needs_the_admin_sessions_messages_or_an_order_model(project: Project) -> None:
    project.append("myshop/settings.py", BARE)
    (project.root / "myshop" / "urls.py").write_text(f"from django.urls import path\nurlpatterns = []\n{ONE_INCLUDE}")

    project.manage("migrate", "--verbosity", "0")

    assert "no issues" in project.manage("check", "--fail-level", "WARNING", "--database", "default")
    project.manage("statusbreaks_tick")


def test_migrating_back_leaves_no_table_behind(project: Project) -> None:
    project.manage("migrate", "--verbosity", "0")

    project.manage("migrate", "statusbreaks", "zero", "--verbosity", "0")

    assert project.tables() == []
