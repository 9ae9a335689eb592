import hashlib
import logging
import os
import stat
import threading

import pytest

from statusbreaks.exceptions import StateUnreadable
from statusbreaks.maintenance import store
from statusbreaks.maintenance.codec import decode, encode
from statusbreaks.maintenance.state import OPEN, Edition
from tests.maintenance.build import HOUR, NOW, lease, snapshot

STATE = snapshot(lease("checkout", expected_open_at=NOW + HOUR, reference="KT-1"), lease("writes", id=2))


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Clock()


@pytest.fixture
def reader(seconds, state_dir):
    state_dir.mkdir()
    return store.Reader(seconds)


def test_a_state_is_read_as_it_was_written():
    assert decode(encode(STATE)) == STATE


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"", "empty"),
        (lambda data: data[:-1], "checksum"),
        (lambda data: data[: len(data) // 2], "checksum"),
        (lambda data: data.replace(b"checkout", b"checkin!"), "checksum"),
        (lambda data: b"{}", "not written by this version"),
        (lambda data: data.replace(b" 1 ", b" 2 ", 1), "not written by this version"),
    ],
)
def test_what_is_damaged_or_foreign_is_not_read(damage, reason):
    with pytest.raises(StateUnreadable, match=reason):
        decode(damage(encode(STATE)))


def test_a_whole_file_that_holds_something_else_is_not_read():
    body = b'{"version": 1}'
    foreign = encode(STATE).split(b"\n")[0].rsplit(b" ", 1)[0] + b" " + _checksum(body) + b"\n" + body

    with pytest.raises(StateUnreadable, match="something else"):
        decode(foreign)


def _checksum(body):
    return hashlib.sha256(body).hexdigest().encode()


def test_the_file_and_its_copy_are_for_the_owner_and_his_group_only(reader, state_dir):
    store.save(state_dir, STATE)

    for name in ("state", "state.kept"):
        assert stat.S_IMODE((state_dir / name).stat().st_mode) == 0o640
    assert sorted(os.listdir(state_dir)) == ["state", "state.kept"]


def test_a_shop_of_which_nothing_is_known_is_open(reader):
    assert reader.current() == OPEN


def test_a_process_looks_at_the_file_at_most_once_a_second(reader, seconds, state_dir):
    reader.current()
    store.save(state_dir, STATE)

    seconds.now = 0.9
    early = reader.current()
    seconds.now = 1.0
    late = reader.current()

    assert (early, late) == (OPEN, STATE)


def _remove(directory):
    (directory / "state").unlink()


def _empty(directory):
    (directory / "state").write_bytes(b"")


def _truncate(directory):
    (directory / "state").write_bytes(encode(STATE)[:200])


def _replace_by_a_directory(directory):
    (directory / "state").unlink()
    (directory / "state").mkdir()


FAULTS = pytest.mark.parametrize("fault", [_remove, _empty, _truncate, _replace_by_a_directory])


@FAULTS
def test_a_running_process_keeps_the_last_good_state(reader, seconds, state_dir, fault):
    store.save(state_dir, STATE)
    assert reader.current() == STATE

    fault(state_dir)
    (state_dir / "state.kept").unlink()
    seconds.now = 5.0

    assert reader.current() == STATE


@FAULTS
def test_a_new_process_takes_the_copy_that_was_kept(reader, state_dir, fault):
    store.save(state_dir, STATE)

    fault(state_dir)

    assert reader.current() == STATE


def test_a_file_that_is_sound_again_is_read_again(reader, seconds, state_dir):
    store.save(state_dir, STATE)
    reader.current()
    _empty(state_dir)
    seconds.now = 1.0
    reader.current()

    newer = snapshot(version=2)
    store.save(state_dir, newer)
    seconds.now = 2.0

    assert reader.current() == newer


def test_a_fault_is_told_once_a_minute(reader, seconds, state_dir, caplog):
    store.save(state_dir, STATE)
    _empty(state_dir)

    with caplog.at_level(logging.ERROR, "statusbreaks"):
        for second in range(61):
            seconds.now = float(second)
            reader.current()

    assert [record.message[:36] for record in caplog.records] == ["the shop's state in " + str(state_dir)[:16]] * 2


def test_where_nothing_can_be_read_and_nothing_was_known_the_shop_is_open(reader, state_dir, caplog):
    (state_dir / "state").write_bytes(b"rubbish")
    (state_dir / "state.kept").write_bytes(b"rubbish")

    assert reader.current() == OPEN
    assert "cannot be read" in caplog.text


def test_settings_without_a_directory_mean_open(settings, state_dir):
    settings.STATUSBREAKS = {}
    settings.BASE_DIR = None

    assert store.state_dir() is None
    assert store.Reader().current() == OPEN


def test_the_directory_is_the_projects_where_none_is_named(settings, tmp_path):
    settings.STATUSBREAKS = {}
    settings.BASE_DIR = tmp_path

    assert store.state_dir() == tmp_path / ".statusbreaks"


def test_another_directory_is_another_state(reader, state_dir, settings, tmp_path, seconds):
    store.save(state_dir, STATE)
    assert reader.current() == STATE

    settings.STATUSBREAKS = {**settings.STATUSBREAKS, "STATE_DIR": tmp_path / "other"}
    seconds.now = 1.0

    assert reader.current() == OPEN


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_publisher_that_is_killed_half_way_leaves_the_last_good_state(reader, state_dir, share):
    store.save(state_dir, STATE)
    data = encode(snapshot(version=2))

    (state_dir / ".state.abcdef").write_bytes(data[: int(len(data) * share)])

    assert reader.current() == STATE
    assert store.load(state_dir) == STATE


def test_a_publisher_that_fails_leaves_the_last_good_state_and_no_rubbish(reader, state_dir, monkeypatch):
    store.save(state_dir, STATE)

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        store.save(state_dir, snapshot(version=2))

    assert reader.current() == STATE
    assert sorted(os.listdir(state_dir)) == ["state", "state.kept"]


def test_a_publisher_that_is_killed_between_the_file_and_its_copy_is_found_out(reader, state_dir):
    store.save(state_dir, STATE)

    (state_dir / "state").write_bytes(encode(snapshot(version=2)))

    assert store.load(state_dir).version == 2
    assert not store.is_whole(state_dir)


def test_readers_among_writers_only_ever_see_a_whole_state(reader, state_dir):
    known = {version: snapshot(lease(id=version), version=version) for version in range(1, 21)}
    store.save(state_dir, known[1])
    seen = []

    def write():
        for state in known.values():
            with store.exclusively(state_dir):
                store.save(state_dir, state)

    def look():
        seen.extend(store.read(state_dir / "state") for _ in range(60))

    threads = [threading.Thread(target=target) for target in (write, write, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 120
    assert all(state == known[state.version] for state in seen)


def test_an_edition_without_a_page_is_not_a_state():
    empty = snapshot(lease(editions=(Edition(NOW, {}),)))

    with pytest.raises(StateUnreadable, match="without a page"):
        decode(encode(empty))


def test_only_what_a_file_can_hold_is_written():
    with pytest.raises(TypeError):
        encode(snapshot(fingerprint=object()))
