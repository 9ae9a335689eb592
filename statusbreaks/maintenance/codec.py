"""A snapshot as text and back: a line with format and checksum, then JSON. What does not check is not read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from statusbreaks.exceptions import StateUnreadable
from statusbreaks.maintenance.state import Edition, Lease, Map, Page, Snapshot

FORMAT = 1
_MAGIC = "statusbreaks-state"


def encode(snapshot: Snapshot) -> bytes:
    body = json.dumps(asdict(snapshot), default=_moment, ensure_ascii=False, sort_keys=True).encode()
    return f"{_MAGIC} {FORMAT} {_checksum(body)}\n".encode() + body


def decode(data: bytes) -> Snapshot:
    """Raises StateUnreadable with what is wrong: empty, truncated, of another format, or not ours at all."""
    head, _newline, body = data.partition(b"\n")
    if head.split(b" ")[:2] != [_MAGIC.encode(), str(FORMAT).encode()]:
        raise StateUnreadable("it is empty, or not written by this version")
    if head.split(b" ")[-1] != _checksum(body).encode():
        raise StateUnreadable("its checksum does not match: it is damaged or incomplete")
    try:
        return _snapshot(json.loads(body))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateUnreadable(f"it holds something else than a state: {error!r}") from error


def _checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(value)


def _snapshot(given: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        version=int(given["version"]),
        published_at=datetime.fromisoformat(given["published_at"]),
        fingerprint=given["fingerprint"],
        leases=tuple(_lease(lease) for lease in given["leases"]),
        map=_map(given["map"]),
        languages=tuple(given["languages"]),
    )


def _map(given: Mapping[str, Any]) -> Map:
    return Map(
        scopes={scope: tuple(paths) for scope, paths in given["scopes"].items()},
        always_open=tuple(given["always_open"]),
        writable=tuple(given["writable"]),
        prefix_languages=tuple(given["prefix_languages"]),
    )


def _lease(given: Mapping[str, Any]) -> Lease:
    expected = given["expected_open_at"]
    return Lease(
        id=int(given["id"]),
        scope=given["scope"],
        begins_at=datetime.fromisoformat(given["begins_at"]),
        ends_at=datetime.fromisoformat(given["ends_at"]),
        expected_open_at=datetime.fromisoformat(expected) if expected else None,
        editions=tuple(_edition(edition) for edition in given["editions"]),
        reference=given["reference"],
    )


def _edition(given: Mapping[str, Any]) -> Edition:
    pages = {language: Page(**page) for language, page in given["pages"].items()}
    if not pages:
        raise ValueError("an edition without a page")
    return Edition(datetime.fromisoformat(given["shown_from"]), pages)
