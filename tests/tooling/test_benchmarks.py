"""The frame of the benchmarks: fair turns, honest verdicts, and a word on what could not be measured."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from benchmarks import __main__ as bench
from benchmarks import frame
from benchmarks.frame import Measure, Row, interleaved, row


class Clock:
    """Time goes on only while somebody works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.worked: list[str] = []

    def work(self, who: str, seconds: float) -> None:
        self.worked.append(who)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(frame, "perf_counter", lambda: clock.now)
    return clock


def a_row(ratio: float, bound: float = 1.3, sense: frame.Sense = "at most") -> Row:
    return row("hook.change", "a save : a bare save", Measure(ratio, 1.0, ratio), bound=bound, sense=sense)


def test_both_sides_are_timed_in_turns_and_each_is_first_every_other_time(clock: Clock) -> None:
    measure = interleaved(lambda: clock.work("A", 3.0), lambda: clock.work("B", 2.0), rounds=4)

    assert clock.worked[4:] == ["B", "A", "A", "B", "B", "A", "A", "B"]
    assert measure == Measure(ours=3.0, peer=2.0, ratio=1.5)


def test_what_is_prepared_is_not_timed(clock: Clock) -> None:
    measure = interleaved(
        lambda: clock.work("A", 3.0), lambda: clock.work("B", 2.0), rounds=2, prepare=lambda: clock.work("p", 60.0)
    )

    assert measure == Measure(ours=3.0, peer=2.0, ratio=1.5)
    assert clock.worked[:4] == ["p", "B", "p", "A"]


def test_one_slow_moment_does_not_move_the_ratio(clock: Clock) -> None:
    hiccups: Iterator[float] = iter([3.0, 3.0, 3.0, 900.0, 3.0, 3.0, 3.0])

    measure = interleaved(lambda: clock.work("A", next(hiccups)), lambda: clock.work("B", 2.0), rounds=5)

    assert measure.ratio == 1.5


@pytest.mark.parametrize(
    ("ratio", "sense", "kept"),
    [
        (1.29, "at most", True),
        (1.3, "at most", True),
        (1.31, "at most", False),
        (1.31, "at least", True),
        (1.3, "at least", True),
        (1.29, "at least", False),
    ],
)
def test_a_bound_is_kept_or_not(ratio: float, sense: frame.Sense, kept: bool) -> None:
    assert a_row(ratio, sense=sense).kept is kept


def test_a_row_as_json_has_the_five_agreed_fields() -> None:
    assert json.loads(a_row(1.2).as_json()) == {
        "name": "hook.change",
        "ratio": 1.2,
        "bound": 1.3,
        "sense": "at most",
        "kept": True,
    }


def test_a_name_that_is_unknown_gets_a_sentence_with_the_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "hok"])

    assert bench.main() == 2
    said = capsys.readouterr()
    assert said.err.startswith("bench: there is no benchmark 'hok'; there are: ")
    assert "hook" in said.err
    assert said.out == ""


@pytest.mark.parametrize(("ratios", "status"), [([1.1, 1.2], 0), ([1.1, 1.4], 1)])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_bound_that_is_not_kept_is_shown_and_ends_with_status_1(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    ratios: list[float],
    status: int,
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    monkeypatch.setattr(bench, "_measured", lambda names: (a_row(ratio) for ratio in ratios))

    assert bench.main() == status
    lines = capsys.readouterr().out.splitlines()
    if arguments:
        assert [json.loads(line)["kept"] for line in lines] == [ratio <= 1.3 for ratio in ratios]
    else:
        assert [line.split()[-1] for line in lines[1::2]] == ["yes" if ratio <= 1.3 else "NO" for ratio in ratios]


def test_a_service_that_is_missing_is_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def child(name: str, database: str) -> Iterator[Row]:
        if database == "postgresql":
            raise frame.Missing("connection refused")
        yield a_row(1.2)

    monkeypatch.setattr(bench, "_in_a_child", child)

    assert list(bench._measured(["hook"])) == [a_row(1.2)]
    assert capsys.readouterr().err == "bench: hook on postgresql is skipped: connection refused\n"


def test_a_server_that_does_not_answer_is_a_missing_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "POSTGRESQL", "postgres://nobody@127.0.0.1:1/nothing")

    with pytest.raises(frame.Missing, match="refused"):
        list(bench._in_a_child("hook", "postgresql"))
