from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from pilot.hints import Backoff, Deadlines, Hints


class Wakes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_burst_is_one_look() -> None:
    wakes = Wakes()
    hints = Hints(wakes)
    for _ in range(1000):
        hints.mark("a")
    assert wakes.count == 1
    assert hints.take() == ["a"]
    assert hints.take() == []
    assert hints.marked == 1000


def test_a_mark_during_processing_is_taken_afterwards() -> None:
    wakes = Wakes()
    hints = Hints(wakes)
    hints.mark("a")
    assert hints.take() == ["a"]
    hints.mark("a")
    assert hints.take() == []
    assert hints.busy
    before = wakes.count
    hints.done("a")
    assert wakes.count == before + 1
    assert hints.take() == ["a"]
    hints.done("a")
    assert wakes.count == before + 1
    assert not hints.busy


def test_keys_come_in_the_order_of_their_first_mark() -> None:
    hints = Hints(Wakes())
    for key in "cabca":
        hints.mark(key)
    assert hints.take() == ["c", "a", "b"]


def test_everything_is_marked_once() -> None:
    wakes = Wakes()
    hints = Hints(wakes)
    hints.mark_all()
    hints.mark_all()
    assert hints.busy
    assert wakes.count >= 1
    assert hints.take_all()
    assert not hints.take_all()
    assert not hints.busy


def test_done_without_a_take_does_no_harm() -> None:
    hints = Hints(Wakes())
    hints.done("a")
    hints.mark("a")
    hints.done("a")
    assert hints.take() == ["a"]


KEYS = st.sampled_from("abc")


@given(st.lists(st.tuples(st.sampled_from(["mark", "take", "done"]), KEYS), max_size=60))
def test_every_mark_is_followed_by_a_look_that_began_later(steps: list[tuple[str, str]]) -> None:
    hints = Hints(Wakes())
    owed: set[str] = set()  # marked and not taken since
    processing: set[str] = set()
    for step, key in steps:
        if step == "mark":
            hints.mark(key)
            owed.add(key)
        elif step == "take":
            taken = set(hints.take())
            assert taken == owed - processing
            owed -= taken
            processing |= taken
        elif key in processing:
            hints.done(key)
            processing.discard(key)
        assert hints.busy == bool(owed or processing)
    for key in processing:
        hints.done(key)
    assert set(hints.take()) == owed


def test_no_mark_is_lost_between_threads() -> None:
    """The loop sleeps until it is woken; if a wake were lost, the last value would not be seen."""
    rounds, keys = 300, [f"k{number}" for number in range(5)]
    woken = threading.Semaphore(0)
    hints = Hints(woken.release)
    written = dict.fromkeys(keys, 0)
    seen = dict.fromkeys(keys, 0)

    def change(key: str) -> None:
        for number in range(1, rounds + 1):
            written[key] = number
            hints.mark(key)

    writers = [threading.Thread(target=change, args=(key,)) for key in keys]
    for writer in writers:
        writer.start()
    while set(seen.values()) != {rounds}:
        assert woken.acquire(timeout=10), seen
        for key in hints.take():
            seen[key] = written[key]
            hints.done(key)
    for writer in writers:
        writer.join()


TIMES = st.integers(min_value=0, max_value=20).map(float)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, TIMES),
        st.tuples(st.just("drop"), KEYS, st.just(0.0)),
        st.tuples(st.just("due"), st.just(""), TIMES),
    ),
    max_size=50,
)


@given(STEPS)
def test_deadlines_are_a_map_with_a_smallest_value(steps: list[tuple[str, str, float]]) -> None:
    deadlines: Deadlines[str] = Deadlines()
    model: dict[str, float] = {}
    for step, key, at in steps:
        if step == "set":
            deadlines.set(key, at)
            model[key] = at
        elif step == "drop":
            deadlines.drop(key)
            model.pop(key, None)
        else:
            taken = deadlines.due(at)
            assert sorted(taken) == sorted(each for each, when in model.items() if when <= at)
            assert [model[each] for each in taken] == sorted(model[each] for each in taken)
            model = {each: when for each, when in model.items() if when > at}
        assert deadlines.next() == min(model.values(), default=None)


def test_keys_of_a_kind_that_has_no_order_are_fine() -> None:
    deadlines: Deadlines[frozenset[int]] = Deadlines()
    deadlines.set(frozenset({1}), 1.0)
    deadlines.set(frozenset({2}), 1.0)
    assert list(deadlines.due(1.0)) == [frozenset({1}), frozenset({2})]


FIRST = st.floats(min_value=0.01, max_value=10)
FACTOR = st.floats(min_value=1, max_value=100)


@given(FIRST, FACTOR, st.integers(min_value=1, max_value=20))
def test_waits_double_to_a_limit_and_lie_in_the_upper_half(
    first: float, factor: float, tries: int
) -> None:
    limit = first * factor
    shortest = Backoff(first, limit, lambda low, _high: low)
    longest = Backoff(first, limit, lambda _low, high: high)
    jittered = Backoff(first, limit)
    for number in range(tries):
        full = min(first * 2**number, limit)
        assert longest.wait() == full
        assert shortest.wait() == full / 2
        assert full / 2 <= jittered.wait() <= full
    longest.reset()
    assert longest.wait() == first
