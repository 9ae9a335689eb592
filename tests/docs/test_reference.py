"""The reference is made from the code, and says what the code of this commit says."""

from __future__ import annotations

import pytest

from docs import build_reference
from docs.build_reference import REFERENCE
from statusbreaks import conf

PAGES = build_reference.pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_is_up_to_date(name: str) -> None:
    written = (REFERENCE / name).read_text() if (REFERENCE / name).exists() else ""

    assert written == PAGES[name], "run: python docs/build_reference.py"


def test_no_page_is_left_over() -> None:
    assert sorted(path.name for path in REFERENCE.iterdir()) == sorted(PAGES)


@pytest.mark.parametrize("kind", [conf.Settings, conf.Orders, conf.FlowPaths, conf.CustomerPaths])
def test_every_setting_is_described(kind: type) -> None:
    described = build_reference.comments(kind)

    assert [name for name in kind.__dataclass_fields__ if not described[name]] == []
