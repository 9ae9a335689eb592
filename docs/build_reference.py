"""Writes docs/reference/ from the code: `python docs/build_reference.py` after each change of what it describes."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
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
from django.test import Client  # noqa: E402
from django.urls import resolve  # noqa: E402

from statusbreaks import conf, signals  # noqa: E402
from statusbreaks.api.base import Door  # noqa: E402
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
        "rest-api.md": rest_page(),
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
    actions = own_actions(command, name)
    verbs = [action for action in actions if isinstance(action, argparse._SubParsersAction)]
    parts = [f"## {name}{where}\n\n{command.help}\n", options([action for action in actions if action not in verbs])]
    for verb in verbs:
        helps = {choice.dest: choice.help or "" for choice in verb._choices_actions}
        for word, parser in verb.choices.items():
            parts.append(f"### {name} {word}\n\n{sentence(helps[word])}\n")
            parts.append(options([action for action in parser._actions if action.dest in own_words(parser)]))
    return "\n".join(part for part in parts if part)


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def own_words(parser: argparse.ArgumentParser) -> set[str]:
    common = {action.dest for action in BaseCommand().create_parser("", "")._actions}
    return {action.dest for action in parser._actions} - common


def options(actions: list[argparse.Action]) -> str:
    rows = [(f"`{usage(action)}`", (action.help or "").replace("%%", "%")) for action in actions]
    return table(("option", "meaning"), rows) if rows else ""


def own_actions(command: BaseCommand, name: str) -> list[argparse.Action]:
    common = {option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings}
    actions = command.create_parser("manage.py", name)._actions
    return [action for action in actions if not common & set(action.option_strings)]


def usage(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    return action.option_strings[-1] + ("" if action.nargs == 0 else f" {value}")


# --- REST API ---------------------------------------------------------------------------------------------------------


def rest_page() -> str:
    told = schema()
    intro = (
        "Below the address at which `statusbreaks.urls` is included: here `/statusbreaks/`. Requests and answers are\n"
        "JSON; times carry their offset from UTC. People come with the session of the admin, and their `POST` with a\n"
        "CSRF token; shops come with `Authorization: Bearer <token>`. What is wrong with a field is answered by 400\n"
        "with the name of the field. Lists come in pages: follow `next`.\n\n"
        "The same as OpenAPI is served at `/statusbreaks/api/schema/` where drf-spectacular is installed\n"
        '(`pip install "statusbreaks[api-schema]"`).\n'
    )
    parts = [
        operation(path, method, said, told["components"]["schemas"])
        for path, methods in told["paths"].items()
        for method, said in methods.items()
    ]
    return page("REST API", intro, *parts)


def schema() -> dict[str, Any]:
    client = Client(headers={"host": "localhost", "accept-language": "en"})
    told: dict[str, Any] = json.loads(client.get("/statusbreaks/api/schema/?format=json").content)
    return told


def operation(path: str, method: str, said: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    lines = [f"## {method.upper()} {path}\n", f"{description(said)}{who_may(path, method, said)}\n"]
    if parameters := [one for one in said.get("parameters", []) if one["in"] == "query"]:
        rows = [(f"`{one['name']}`", kind_of(one["schema"], schemas), one.get("description", "")) for one in parameters]
        lines.append(table(("parameter", "type", "meaning"), rows))
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        lines += ["Body:\n", field_table(body, schemas, "needed")]
    good = [(status, answer) for status, answer in said["responses"].items() if status < "300"]
    for status, answer in good:
        lines += [f"Answer {status}:\n", field_table(answer["content"]["application/json"]["schema"], schemas)]
    lines.append(
        f"Otherwise: {', '.join(sorted(set(said['responses']) - {status for status, _ in good})) or 'nothing'}.\n"
    )
    return "\n".join(lines)


def who_may(path: str, method: str, said: Mapping[str, Any]) -> str:
    view = resolve(path.replace("{id}", "1")).func.cls  # type: ignore[attr-defined]
    needs = getattr(view, "needs", {}).get(method.upper())
    if needs:
        return "For staff with " + " and ".join(f"`{one}`" for one in needs) + "."
    return "For shops with a token." if {"token": []} in said.get("security", []) else "For everybody."


def description(said: Mapping[str, Any]) -> str:
    text = str(said.get("description", ""))
    # A method without words of its own inherits those of a class, which say nothing about it.
    return "" if not text or text == inspect.getdoc(Door) else f"{text}\n\n"


def field_table(kind: Mapping[str, Any], schemas: Mapping[str, Any], mark: str = "") -> str:
    inner = meant(kind, schemas)
    if set(inner.get("properties", {})) == {"next", "previous", "results"}:
        inner = meant(inner["properties"]["results"], schemas)
    required = inner.get("required", [])
    rows = [
        (f"`{name}`", kind_of(each, schemas), *([mark if name in required else ""] if mark else []), about(each))
        for name, each in inner.get("properties", {}).items()
    ]
    return table(("field", "type", *([""] if mark else []), "meaning"), rows)


def about(each: Mapping[str, Any]) -> str:
    """Its description, without the list of words that stands under its type already."""
    return str(each.get("description", "")).partition("* `")[0].strip()


def meant(kind: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description of an object, whatever way leads to it."""
    if "$ref" in kind:
        return meant(schemas[kind["$ref"].rpartition("/")[2]], schemas)
    for way in ("allOf", "oneOf", "anyOf"):
        if way in kind:
            return meant(kind[way][0], schemas)
    return meant(kind["items"], schemas) if kind.get("type") == "array" else kind


def kind_of(each: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    inner = meant(each, schemas)
    many = "list of " if each.get("type") == "array" else ""
    if "enum" in inner:
        return many + ", ".join(f"`{word}`" for word in inner["enum"] if word)
    if inner.get("type") == "object":
        return many + "object: " + ", ".join(f"`{name}`" for name in inner.get("properties", {}))
    return many + str(
        {"date-time": "time", "decimal": "decimal as text"}.get(inner.get("format", ""), inner.get("type"))
    )


if __name__ == "__main__":
    main()
