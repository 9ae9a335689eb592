"""The lines of the threat model rest on tests that exist, and are not left out."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and "---" not in line and "shown by" not in line]


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _file, name in NAMED])
def test_a_test_that_is_named_exists_and_runs(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())

    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]

    assert len(found) == 1
    assert not [mark for mark in found[0].decorator_list if "skip" in ast.unparse(mark) or "xfail" in ast.unparse(mark)]


def test_no_line_of_the_threat_model_stands_without_a_test() -> None:
    assert len(ROWS) > 30
    assert [row for row in ROWS if not re.search(r"::test_\w+` ", row)] == []
