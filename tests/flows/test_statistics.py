"""Whether a flow stands still: exact values, and what holds for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusbreaks.flows.statistics import EDGES, LIMIT, LONGEST, NEVER, Pace, Reading, Turn, bucket, one_in

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

ages = st.floats(min_value=0, max_value=2 * LONGEST)
counters = st.dictionaries(st.integers(0, len(EDGES) - 1), st.floats(0, 10_000), max_size=20)
turns = st.builds(Turn, st.floats(0, 50), st.floats(0, 50), st.integers(0, 50))


@pytest.mark.parametrize(
    ("seconds", "number"),
    [
        (-5, 0),
        (0, 0),
        (0.9, 0),
        (1, 1),
        (1.41, 1),
        (1.42, 2),
        (2, 3),
        (MINUTE, 12),
        (DAY, 33),
        (LONGEST, 48),
        (1e12, 48),
    ],
)
def test_a_length_falls_into_the_bucket_whose_edges_enclose_it(seconds, number):
    assert bucket(seconds) == number


@pytest.mark.parametrize(
    ("came", "due", "odds"),
    [
        (0, 0.0, 1.0),
        (3, 0.0, 1.0),
        (0, 9.3, math.exp(9.3)),
        (0, 1000.0, NEVER),
        (1, 2.0, math.exp(2) / 3),
        (2, 2.0, math.exp(2) / 5),
        (3, 10.0, math.exp(10) / (1 + 10 + 50 + 1000 / 6)),
        (500, 5.0, 1.0),
    ],
)
def test_the_odds_are_those_of_poissons_distribution(came, due, odds):
    assert one_in(came, due) == pytest.approx(odds)


def test_of_a_hundred_orders_that_took_a_minute_none_is_due_before_and_most_are_after():
    pace = Pace.learned({bucket(MINUTE): 100.0}, {})

    low, high = EDGES[bucket(MINUTE)], EDGES[bucket(MINUTE) + 1]
    assert pace.due(0, low) == 0
    assert pace.due(low, high) == pytest.approx(100 / 51)
    assert pace.due(high, LONGEST) == 0
    assert low < pace.usual < high
    assert pace.turn == 3 * pace.usual


def test_a_slower_flow_is_due_at_twice_the_age():
    pace = Pace.learned({10: 60.0, 20: 40.0}, {})

    assert pace.due_slowly(60, 600) == pace.due(30, 300)


def test_orders_that_wait_still_make_the_pace_slower():
    went_on = {bucket(HOUR): 50.0}

    finished = Pace.learned(went_on, {})
    with_waiting = Pace.learned(went_on, {bucket(DAY): 50.0})

    assert with_waiting.due(0, 2 * HOUR) < finished.due(0, 2 * HOUR)
    assert with_waiting.usual > finished.usual


def test_little_history_says_nothing():
    assert not Pace().is_known
    assert not Pace.learned({5: 29.0}, {}).is_known
    assert Pace.learned({5: 30.0}, {}).is_known
    assert Pace().due(0, DAY) == 0
    assert Pace().usual == LONGEST


def test_silence_alarms_once_it_is_rare_even_at_half_the_pace():
    reading = Reading().after(Turn(due=9.0, due_slowly=8.0, came=0))
    assert not reading.is_alarming
    assert not reading.is_calm

    reading = reading.after(Turn(due=3.0, due_slowly=2.5, came=0))

    assert reading.is_alarming
    assert (reading.due, reading.came) == (12.0, 0)
    assert reading.odds == pytest.approx(math.exp(12))


def test_a_trickle_is_still_an_alarm():
    reading = Reading().after(Turn(due=20.0, due_slowly=18.0, came=2))

    assert reading.score == pytest.approx(0.9 * 18 - 2 * math.log(10))
    assert reading.is_alarming


def test_what_comes_as_it_is_due_leaves_nothing_over():
    reading = Reading().after(Turn(due=20.0, due_slowly=18.0, came=0)).after(Turn(due=1.0, due_slowly=1.0, came=9))

    assert reading == Reading()
    assert reading.is_over


def test_a_long_stop_needs_no_long_recovery():
    reading = Reading()
    for _ in range(1000):
        reading = reading.after(Turn(due=5.0, due_slowly=5.0, came=0))

    assert reading.score == 2 * LIMIT
    assert reading.after(Turn(due=0.0, due_slowly=0.0, came=9)).is_over


@given(counters, counters, ages, ages)
def test_what_is_due_is_never_negative_and_adds_up(went_on, unfinished, one, other):
    pace = Pace.learned(went_on, unfinished)
    low, high = sorted((one, other))

    assert pace.due(low, high) >= 0
    assert pace.due(0, low) + pace.due(low, high) == pytest.approx(pace.due(0, high))


@given(counters, st.floats(0, 10_000))
def test_more_unfinished_orders_never_make_a_flow_faster(went_on, more):
    pace = Pace.learned(went_on, {})
    slower = Pace.learned(went_on, {len(EDGES) - 1: more})

    assert slower.due(0, LONGEST) <= pace.due(0, LONGEST) + 1e-9
    assert slower.usual >= pace.usual - 1e-6


@given(st.lists(turns, max_size=20), turns)
def test_a_step_more_never_makes_a_stop_likelier(earlier, turn):
    reading = Reading()
    for one in earlier:
        reading = reading.after(one)

    more = Turn(turn.due, turn.due_slowly, turn.came + 1)

    assert 0 <= reading.after(more).score <= reading.after(turn).score <= 2 * LIMIT


@given(st.integers(0, 2000), st.floats(0, 1e6))
def test_the_odds_are_at_least_one_and_finite(came, due):
    assert 1 <= one_in(came, due) <= NEVER
    assert one_in(came + 1, due) <= one_in(came, due) * (1 + 1e-6)
