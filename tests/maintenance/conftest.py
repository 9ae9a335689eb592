from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from statusbreaks.maintenance import store
from statusbreaks.maintenance.state import Lease
from tests.maintenance.build import snapshot


@pytest.fixture
def state_dir(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A state directory of this test's own, and a process that knows nothing yet."""
    directory = tmp_path / "state"
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": directory}
    yield directory
    store.reader.forget()


@pytest.fixture
def closed(state_dir: Path) -> Callable[..., None]:
    """Publish these leases, with no table asked."""

    def publish(*leases: Lease, **facts: Any) -> None:
        with store.exclusively(state_dir):
            store.save(state_dir, snapshot(*leases, **facts))
        store.reader.look_again()

    return publish
