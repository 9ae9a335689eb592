"""Somebody wrote something else to the place of the shop's state."""

import os
import pickle
import stat

import pytest

from statusbreaks.exceptions import StateUnreadable
from statusbreaks.maintenance.codec import FORMAT, decode, encode
from statusbreaks.maintenance.services import close_shop
from statusbreaks.maintenance.store import KEPT, NAME, load, state_dir
from tests.maintenance.build import snapshot

RAN = []


class Planted:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return RAN.append, ("planted",)


def test_a_state_is_read_as_data_and_never_run():
    with pytest.raises(StateUnreadable):
        decode(pickle.dumps(Planted()))
    with pytest.raises(StateUnreadable):
        decode(f"statusbreaks-state {FORMAT} x\n".encode() + pickle.dumps(Planted()))

    assert RAN == []


def test_one_byte_that_was_changed_is_noticed():
    whole = encode(snapshot())

    for place in range(0, len(whole), 7):
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        with pytest.raises(StateUnreadable):
            decode(changed)


@pytest.mark.django_db(transaction=True)
def test_what_is_written_can_be_changed_by_its_owner_only(settings, tmp_path):
    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": tmp_path / "state"}
    before = os.umask(0)
    try:
        close_shop(scope="checkout")
    finally:
        os.umask(before)

    others = stat.S_IWGRP | stat.S_IRWXO
    assert load(state_dir()).leases
    for path in (state_dir(), state_dir() / NAME, state_dir() / KEPT):
        assert path.stat().st_mode & others == 0
