"""What the code may not look like, told from its syntax tree alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

LOOKUPS = {"filter", "exclude", "annotate", "aggregate", "values_list", "bulk_create", "bulk_update"}
HOMES_OF_LOOKUPS = {"models", "queries", "shop", "contrib", "migrations"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources(package: Path) -> dict[Path, str]:
    """By their path inside of the package, the texts of its modules. Migrations are made, not written."""
    paths = (path.relative_to(package) for path in sorted(package.rglob("*.py")) if "migrations" not in path.parts)
    return {path: (package / path).read_text() for path in paths}


def lookups_away_from_home(path: Path, source: str) -> list[str]:
    """Calls of the ORM that stand where a named question of a QuerySet should."""
    if HOMES_OF_LOOKUPS & {*path.parts, path.stem}:
        return []
    return [f"{path}:{call.lineno} .{name}()" for call, name in _method_calls(source) if name in LOOKUPS]


def long_functions(path: Path, source: str, limit: int) -> list[str]:
    return [
        f"{path}:{function.lineno} {function.name} has {length} lines"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, FUNCTIONS) and (length := _length(function)) > limit
    ]


def long_modules(path: Path, source: str, limit: int) -> list[str]:
    length = sum(bool(line.strip()) for line in source.splitlines())
    return [f"{path} has {length} lines"] if length > limit else []


def own_imports_inside_functions(path: Path, source: str, package: str) -> list[str]:
    """They hide a cycle, and a cycle means a wrong floor. Only apps.py must wait until Django is ready."""
    if path.name == "apps.py":
        return []
    nodes = (
        node
        for function in ast.walk(ast.parse(source))
        if isinstance(function, FUNCTIONS)
        for node in ast.walk(function)
    )
    return sorted({f"{path}:{node.lineno}" for node in nodes if _imports(node, package)})


def _method_calls(source: str) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not _is_template_library(node.func):
            yield node, node.func.attr


def _is_template_library(method: ast.Attribute) -> bool:
    return isinstance(method.value, ast.Name) and method.value.id == "register"


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _imports(node: ast.AST, package: str) -> TypeGuard[ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").split(".")[0] == package)
