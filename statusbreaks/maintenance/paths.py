"""Paths as a shopper, a proxy or an attacker may spell them. Pure.

What is closed is closed in every reading of a path; what always stays open must be open in every reading. So a doubtful
spelling is closed, and nothing dodges a scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from urllib.parse import unquote

Segments = tuple[str, ...]

_DECODINGS = 3  # by the server, by a careless proxy before it, and by one that was meant to trip us


def segments(path: str) -> Segments:
    """`//Shop/ cart/` → ("Shop", "cart"). A line feed at the end still matches `$` in a pattern, so it goes as well."""
    parts = (part.strip() for part in path.replace("\\", "/").split("/"))
    return tuple(part for part in parts if part)


def readings(path: str) -> Iterator[Segments]:
    """The path as it stands, decoded once more and again, each with its dots and with its dots resolved."""
    for _attempt in range(_DECODINGS):
        found = segments(path)
        yield found
        yield _without_dots(found)
        decoded = unquote(path)
        if decoded == path:
            return
        path = decoded


def _without_dots(parts: Segments) -> Segments:
    kept: list[str] = []
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    return tuple(kept)


def folded(parts: Segments) -> Segments:
    return tuple(part.casefold() for part in parts)


def is_under(parts: Segments, prefixes: Iterable[Segments]) -> bool:
    """Whole segments only: `/checkout-help/` is not under `/checkout/`."""
    return any(parts[: len(prefix)] == prefix for prefix in prefixes)


def alternatives(parts: Segments, languages: Collection[str]) -> tuple[Segments, ...]:
    """As it stands, and without a language in front where the shop's addresses carry one."""
    if parts and parts[0].lower() in languages:
        return parts, parts[1:]
    return (parts,)


def is_in(path: str, prefixes: Iterable[Segments], languages: Collection[str] = ()) -> bool:
    """Whether any reading of the path lies under one of the prefixes, which are folded."""
    prefixes = tuple(prefixes)
    return any(is_under(way, prefixes) for read in readings(path) for way in alternatives(folded(read), languages))


def is_surely_in(path: str, prefixes: Iterable[Segments], languages: Collection[str] = ()) -> bool:
    """Whether every reading of the path lies under one of the prefixes, as they are spelt."""
    prefixes = tuple(prefixes)
    if "//" in path or "\\" in path:
        return False
    return all(any(is_under(way, prefixes) for way in alternatives(read, languages)) for read in readings(path))
