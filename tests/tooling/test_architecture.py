"""The house holds, and its guards bark: each contract is broken here on purpose."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.tooling import structure

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "statusbreaks"
SOURCES = structure.sources(PACKAGE)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

BREACHES = [
    ("floors", "core/events.py", "from statusbreaks.flows import models"),
    ("floors", "flows/services.py", "from statusbreaks.incidents import models"),
    ("floors", "coupons/services.py", "from statusbreaks.feedback import models"),
    ("floors", "a_module_without_a_floor.py", ""),
    ("rooms", "flows/models.py", "from statusbreaks.flows import services"),
    ("rooms", "feedback/services.py", "from statusbreaks.feedback import views"),
    ("closed-page", "maintenance/state.py", "from statusbreaks.incidents import models"),
    ("closed-page", "maintenance/middleware.py", "from statusbreaks.incidents import services"),
    ("frameworks", "flows/services.py", "import celery"),
    ("frameworks", "incidents/models.py", "from rest_framework import serializers"),
    ("judgement", "flows/judge.py", "from django.utils import timezone"),
    ("judgement", "flows/statistics.py", "from statusbreaks import conf"),
    ("contrib", "apps.py", "from statusbreaks.contrib import ready"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "statusbreaks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "statusbreaks" / "contrib" / "ready.py").touch()
    return tmp_path


def lint_imports(root: Path, contract: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    line = [sys.executable, "-c", code, "--no-cache", "--contract", contract]
    return subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_the_house_keeps_its_contract(copy: Path, contract: str) -> None:
    done = lint_imports(copy, contract)

    assert "Contracts: 1 kept, 0 broken." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(("contract", "module", "offence"), BREACHES, ids=[f"{b[0]}: {b[1]}" for b in BREACHES])
def test_a_contract_that_is_broken_on_purpose_is_reported(copy: Path, contract: str, module: str, offence: str) -> None:
    with (copy / "statusbreaks" / module).open("a") as file:
        file.write(f"\n{offence}\n")

    done = lint_imports(copy, contract)

    assert "Contracts: 0 kept, 1 broken." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


def test_every_contract_is_broken_on_purpose_here() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {breach[0] for breach in BREACHES}


def test_look_ups_stand_only_where_questions_have_names() -> None:
    assert [hit for path, text in SOURCES.items() for hit in structure.lookups_away_from_home(path, text)] == []


def test_no_function_has_more_than_forty_lines() -> None:
    assert [hit for path, text in SOURCES.items() for hit in structure.long_functions(path, text, 40)] == []


def test_no_module_has_more_than_four_hundred_lines() -> None:
    assert [hit for path, text in SOURCES.items() for hit in structure.long_modules(path, text, 400)] == []


def test_nothing_of_our_own_is_imported_inside_a_function() -> None:
    found = {path: structure.own_imports_inside_functions(path, text, "statusbreaks") for path, text in SOURCES.items()}

    assert [hits for hits in found.values() if hits] == []


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("flows/services.py", "def f():\n    Watch.objects.filter(a=1)", ["flows/services.py:2 .filter()"]),
        ("flows/services.py", "Watch.objects.overdue(at=now)", []),
        ("flows/services.py", "list(filter(None, rows))", []),
        ("flows/services.py", "register.filter('name', f)", []),
        ("flows/models.py", "Watch.objects.filter(a=1)", []),
        ("flows/queries.py", "Watch.objects.exclude(a=1)", []),
        ("shop/model.py", "rows.values_list('pk')", []),
        ("contrib/oscar.py", "rows.annotate(a=1)", []),
        ("admin.py", "rows.annotate(a=1).aggregate(b=2)", ["admin.py:1 .aggregate()", "admin.py:1 .annotate()"]),
    ],
)
def test_a_look_up_away_from_home_is_found(path: str, source: str, found: list[str]) -> None:
    assert structure.lookups_away_from_home(Path(path), source) == found


def test_a_function_is_as_long_as_its_lines() -> None:
    source = "async def f():\n" + "    x = 1\n" * 3

    assert structure.long_functions(Path("m.py"), source, 4) == []
    assert structure.long_functions(Path("m.py"), source, 3) == ["m.py:1 f has 4 lines"]


def test_a_modules_empty_lines_do_not_count() -> None:
    assert structure.long_modules(Path("m.py"), "a = 1\n\n\nb = 2\n", 2) == []
    assert structure.long_modules(Path("m.py"), "a = 1\n\n\nb = 2\n", 1) == ["m.py has 2 lines"]


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("m.py", "def f():\n    from ours.a import b", ["m.py:2"]),
        ("m.py", "def f():\n    import ours.a", ["m.py:2"]),
        ("m.py", "def f():\n    from . import b", ["m.py:2"]),
        ("m.py", "class A:\n    async def f(self):\n        def g():\n            import ours", ["m.py:4"]),
        ("m.py", "def f():\n    import json", []),
        ("m.py", "from ours import a", []),
        ("apps.py", "def ready():\n    from ours import receivers", []),
    ],
)
def test_an_own_import_inside_a_function_is_found(path: str, source: str, found: list[str]) -> None:
    assert structure.own_imports_inside_functions(Path(path), source, "ours") == found
