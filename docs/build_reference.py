"""Writes docs/reference/ from the code: `python docs/build_reference.py` after each change of what it describes."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

import django  # noqa: E402
from django.apps import apps  # noqa: E402

if not apps.ready:
    django.setup()

from django.core.management import BaseCommand, load_command_class  # noqa: E402

from statusbreaks import conf, signals  # noqa: E402
from statusbreaks.flows.receivers import FIELDS  # noqa: E402

PACKAGE = ROOT / "statusbreaks"
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Made by docs/build_reference.py; change the code instead. -->\n"
COMMANDS = {"statusbreaks": PACKAGE, "example_project.shop": ROOT / "example_project" / "shop"}


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    return {
        "settings.md": settings_page(),
        "signals.md": signals_page(),
        "checks.md": checks_page(),
        "commands.md": commands_page(),
    }


def page(title: str, *parts: str) -> str:
    return "\n".join([f"# {title}\n", MADE, *parts]).rstrip() + "\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text())


# --- settings ---------------------------------------------------------------------------------------------------------


def settings_page() -> str:
    intro = (
        "All settings are keys of one dict, `STATUSBREAKS`, in the project's settings. There is no other setting,\n"
        "and a key that is not named here is an error of `manage.py check`, which names the one that was probably\n"
        "meant. A wrong value never raises in a request: its default holds instead.\n"
    )
    return page("Settings", intro, *settings_of(conf.Settings, "STATUSBREAKS"))


def settings_of(kind: Any, path: str) -> Iterator[str]:
    yield f"## {path}\n\n{inspect.getdoc(kind)}\n"
    described = comments(kind)
    yield table(
        ("key", "type", "default", "meaning"),
        [(f"`{f.name.upper()}`", f"`{type_of(f)}`", default_of(f), described[f.name]) for f in fields(kind)],
    )
    for f in fields(kind):
        if inner := dataclass_in(f):
            yield from settings_of(
                inner, f"{path}[{f.name.upper()!r}]" + ("[flow]" if "Mapping" in str(f.type) else "")
            )


def comments(kind: type) -> dict[str, str]:
    """What stands above each field of a dataclass."""
    found, said = {}, []
    for line in inspect.getsource(kind).splitlines():
        words = line.strip()
        if words.startswith("# "):
            said.append(words[2:])
        elif name := re.match(r"(\w+): ", words):
            found[name[1]] = " ".join(said)
            said = []
    return found


def type_of(f: Field[Any]) -> str:
    name = str(f.type)
    for python, people in (
        ("tuple[str, ...]", "list of str"),
        ("Mapping[str, str]", "dict of str"),
        ("Mapping[str, list of str]", "dict of lists of str"),
        ("Mapping[str, FlowPaths]", "dict by flow"),
        ("CustomerPaths", "dict"),
        ("Orders", "dict"),
    ):
        name = name.replace(python, people)
    return name


def default_of(f: Field[Any]) -> str:
    if f.default_factory is not MISSING:
        made = f.default_factory()
        return "see below" if is_dataclass(made) else f"`{as_settings(made)}`"
    return "required" if f.default is MISSING else f"`{as_settings(f.default)}`"


def as_settings(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{key}": {as_settings(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(as_settings(inner) for inner in value) + "]"
    return f'"{value}"'


def dataclass_in(f: Field[Any]) -> Any:
    name = re.search(r"(\w+)\]?$", str(f.type))
    inner = getattr(conf, name[1], None) if name else None
    return inner if is_dataclass(inner) else None


# --- signals ----------------------------------------------------------------------------------------------------------


def signals_page() -> str:
    optional = ", ".join(f"`{name}`" for name in ("occurred_at", *FIELDS))
    door_in = (
        "## The door in\n\n`statusbreaks.signals.status_changed` tells statusbreaks of a change that the configured\n"
        f"order model does not show. Required: `order_key`, `flow`, `status`. Optional: {optional}.\n"
        "`occurred_at` is an aware datetime; missing, it means now. `sender` is not looked at.\n"
    )
    door_out = (
        "## The doors out\n\nThey are sent after the commit, so that what they tell of is there for every other\n"
        "connection, and robustly: a receiver that raises is logged and stops neither the others nor statusbreaks.\n"
    )
    sent = emitted()
    rows = [(f"`{name}`", *sent.get(name, ("", "", ""))) for name in names_of_signals() if name != "status_changed"]
    return page("Signals", door_in, door_out, table(("signal", "sender", "arguments", "sent by"), rows))


def names_of_signals() -> list[str]:
    return [name for name, value in vars(signals).items() if isinstance(value, signals.Signal)]


def emitted() -> dict[str, tuple[str, str, str]]:
    """By name: the sender, the arguments, and where it is sent."""
    found: dict[str, tuple[str, str, str]] = {}
    for path, tree in sources():
        for call in calls_of("emit", tree):
            name, sender = (ast.unparse(argument) for argument in call.args[:2])
            arguments = ", ".join(f"`{keyword.arg}`" for keyword in call.keywords)
            for each in [name] if name.startswith("signals.") else names_in_pairs(tree):
                found[each.removeprefix("signals.")] = (f"`{sender}`", arguments, module_name(path))
    return found


def names_in_pairs(tree: ast.AST) -> list[str]:
    """Where the signal is a variable, it came out of a pair (signal, what it tells of)."""
    pairs = [node.elts[0] for node in ast.walk(tree) if isinstance(node, ast.Tuple) and node.elts]
    return [name for first in pairs if (name := ast.unparse(first)).startswith("signals.")]


def module_name(path: Path) -> str:
    return "`" + ".".join(path.relative_to(ROOT).with_suffix("").parts) + "`"


def calls_of(name: str, tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


# --- checks -----------------------------------------------------------------------------------------------------------

LEVELS = {"Error": "error", "Caution": "warning", "Warning": "warning", "Info": "information"}


def checks_page() -> str:
    intro = (
        "`python manage.py check` says what is wrong with the settings before it can hurt. `…` stands for the name\n"
        "in question.\n"
    )
    rows = sorted({row for _path, tree in sources() for row in checks_in(tree)})
    return page("System checks", intro, table(("id", "level", "what it says", "hint"), rows))


def checks_in(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    for scope in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for level in LEVELS:
            for call in calls_of(level, scope):
                yield from check_row(level, call, scope)


def check_row(level: str, call: ast.Call, scope: ast.FunctionDef) -> Iterator[tuple[str, ...]]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if isinstance(identity := given.get("id"), ast.Constant):
        said = assigned_before(call.lineno, scope)
        text = words(call.args[0], said)
        # Where the text comes from elsewhere, the check itself says what it looks for.
        told = text if text.strip("…") else (ast.get_docstring(scope) or text)
        yield f"`{identity.value}`", LEVELS[level], told, words(given.get("hint"), said)


def assigned_before(line: int, scope: ast.FunctionDef) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and node.lineno < line and isinstance(name := node.targets[0], ast.Name):
            known = found.get(name.id)
            if known is None or known.lineno < node.lineno:
                found[name.id] = node.value
    return found


def words(node: ast.expr | None, said: Mapping[str, ast.expr]) -> str:
    """A string of the source as people read it."""
    if isinstance(node, ast.Name) and node.id in said:
        return words(said[node.id], {})
    if isinstance(node, ast.Constant):
        return str(node.value or "")
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "" if node is None else "…"


# --- commands ---------------------------------------------------------------------------------------------------------


def commands_page() -> str:
    parts = [command_part(app, name) for app, folder in COMMANDS.items() for name in commands_in(folder)]
    return page("Commands", "Options that every command of Django has are left out.\n", *parts)


def commands_in(folder: Path) -> list[str]:
    return sorted(p.stem for p in (folder / "management" / "commands").glob("*.py") if not p.stem.startswith("_"))


def command_part(app: str, name: str) -> str:
    command = load_command_class(app, name)
    where = "" if app == "statusbreaks" else " (of the example shop)"
    rows = [(f"`{usage(action)}`", (action.help or "").replace("%%", "%")) for action in own_actions(command, name)]
    options = table(("option", "meaning"), rows) if rows else ""
    return f"## {name}{where}\n\n{command.help}\n\n{options}"


def own_actions(command: BaseCommand, name: str) -> list[argparse.Action]:
    common = {option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings}
    actions = command.create_parser("manage.py", name)._actions
    return [action for action in actions if not common & set(action.option_strings)]


def usage(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    return action.option_strings[-1] + ("" if action.nargs == 0 else f" {value}")


if __name__ == "__main__":
    main()
