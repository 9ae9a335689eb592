"""Every Python block of the pages runs, in the example shop's project and on a database of its own.

So do our management commands and what is sent by curl, and they print what the page shows.
"""

from __future__ import annotations

import importlib
import inspect
import io
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.checks import run_checks
from django.core.management import call_command, get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils.module_loading import import_string

from tests.docs.pages import Block, Shown, agrees, blocks, name_of, pages, shown

QUICKSTART = "docs/quickstart.md"  # goes through a project of its own: test_quickstart.py
RUNNABLE = ("python", "console")
TO_RUN = [
    page
    for page in pages()
    if name_of(page) != QUICKSTART and any(block.language in RUNNABLE for block in blocks(page))
]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the files of a page are written, and imported from."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", TO_RUN, ids=name_of)
def test_the_blocks_of_a_page_run_in_their_order(page: Path, folder: Path, settings: Any, mailoutbox: Any) -> None:
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": folder / "state"}
    said: dict[str, Any] = {"__name__": "a_page"}
    for block in blocks(page):
        if block.language == "python":
            run(block, said, folder, settings)
        if block.language == "console" and block.why_not_run is None:
            for one in shown(block):
                type_in(one, block.place)


def run(block: Block, said: dict[str, Any], folder: Path, settings: Any) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    if block.why_not_run is not None:
        return
    if block.title.endswith("settings.py"):
        configure(code, folder, settings)
    elif block.title.endswith("urls.py"):
        route(code)
    elif block.title.endswith(".py"):
        file = folder / block.title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
        if file.name.startswith("test_"):
            run_tests_of(block.title.removesuffix(".py").replace("/", "."))
    else:
        exec(code, said)


def run_tests_of(name: str) -> None:
    module = importlib.import_module(name)
    for case in [made for made in vars(module).values() if inspect.isclass(made) and made.__module__ == name]:
        tests = [test for test in dir(case) if test.startswith("test_")]
        assert tests
        for test in tests:
            one = case()
            getattr(one, "setup_method", lambda: None)()
            getattr(one, test)()


def configure(code: CodeType, folder: Path, settings: Any) -> None:
    """Add this to the project's settings, and look whether the system checks have anything to say."""
    written = {
        "INSTALLED_APPS": [],
        "MIDDLEWARE": [],
        "BASE_DIR": folder,
        "STATUSBREAKS": dict(settings.STATUSBREAKS),
    }
    exec(code, written)
    for path in [*written["MIDDLEWARE"], *(f"{app}.__name__" for app in written["INSTALLED_APPS"])]:
        import_string(path)
    settings.STATUSBREAKS = {"STATE_DIR": folder / "state", **written["STATUSBREAKS"]}
    assert run_checks(tags=["statusbreaks"]) == []


def route(code: CodeType) -> None:
    written: dict[str, Any] = {"urlpatterns": []}
    exec("from django.urls import path", written)
    exec(code, written)
    assert all(isinstance(entry, URLPattern | URLResolver) for entry in written["urlpatterns"])


def type_in(one: Shown, place: str) -> None:
    """Only what is ours, and comes to an end."""
    words = shlex.split(one.command, comments=True)
    if words[0] == "curl":
        printed = curl(words[1:])
    elif words[1:2] == ["manage.py"] and get_commands().get(words[2]) == "statusbreaks" and "--loop" not in words:
        out = io.StringIO()
        call_command(*words[2:], stdout=out)
        printed = out.getvalue()
    else:
        return
    assert not one.output or agrees(one.output, printed), f"{place}: {one.command}\n{printed}"


def curl(words: list[str]) -> str:
    """What curl would print: the body, and with --include the status before it."""
    said: dict[str, list[str]] = {}
    rest = iter(words)
    address = ""
    for word in rest:
        if word == "--include":
            said[word] = []
        elif word.startswith("-"):
            said.setdefault(word, []).append(next(rest))
        else:
            address = word
    headers = dict(header.split(": ", 1) for header in said.get("--header", []))
    body = "".join(said.get("--json", []))
    method = "POST" if "--json" in said else "GET"
    where = urlsplit(address)
    path = where.path + (f"?{where.query}" if where.query else "")
    response = Client().generic(method, path, body, content_type="application/json", headers=headers)
    status = f"HTTP/1.1 {response.status_code} {response.reason_phrase}\n" if "--include" in said else ""
    return status + response.content.decode()
