from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from pilot.workers import MOST, STUCK, Workers
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

DEADLINE = 10  # seconds; only a defect waits so long


class Loop:
    """Runs what is posted, on the test's thread, as the reconciler does."""

    def __init__(self) -> None:
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def run(self, calls: int) -> None:
        for _ in range(calls):
            self.posted.get(timeout=DEADLINE)()


def threads() -> list[str]:
    return [each.name for each in threading.enumerate()]


def test_results_and_errors_come_back_on_the_loop() -> None:
    loop = Loop()
    workers = Workers("test", 2, loop.posted.put)
    got: list[object] = []
    where: list[threading.Thread] = []

    def take(result: object) -> None:
        got.append(result)
        where.append(threading.current_thread())

    def work() -> threading.Thread:
        return threading.current_thread()

    def fail() -> int:
        raise OSError("no")

    workers.submit(work, take)
    workers.submit(fail, take)
    loop.run(2)
    assert set(where) == {threading.current_thread()}
    (thread,) = [each for each in got if isinstance(each, threading.Thread)]
    assert thread.name.startswith("test-")
    assert thread.daemon, "a call that hangs must not keep a stopping pilot alive"
    (error,) = [each for each in got if isinstance(each, OSError)]
    assert str(error) == "no"


def test_a_failing_job_does_not_cost_its_thread() -> None:
    loop = Loop()
    workers = Workers("test", 1, loop.posted.put)
    got: list[object] = []

    def fail() -> int:
        raise ValueError

    for _ in range(5):
        workers.submit(fail, got.append)
    workers.submit(lambda: 7, got.append)
    loop.run(6)
    assert [type(each) for each in got] == [ValueError] * 5 + [int]


def test_one_thread_keeps_the_order_and_no_more_start_than_asked_for() -> None:
    loop = Loop()
    workers = Workers("orderly", 1, loop.posted.put)
    assert "orderly-1" not in threads(), "an idle pool costs no thread"
    got: list[int | Exception] = []
    for number in range(100):
        workers.submit(lambda number=number: number, got.append)  # type: ignore[misc]
    loop.run(100)
    assert got == list(range(100))
    assert [name for name in threads() if name.startswith("orderly")] == ["orderly-1"]


def test_a_hanging_job_holds_up_one_thread_only() -> None:
    loop = Loop()
    workers = Workers("test", 2, loop.posted.put)
    release = threading.Event()
    got: list[object] = []
    workers.submit(lambda: release.wait(DEADLINE), got.append)
    for number in range(3):
        workers.submit(lambda number=number: number, got.append)  # type: ignore[misc]
    loop.run(3)
    assert got == [0, 1, 2]
    release.set()
    loop.run(1)
    assert got[3] is True


class Hanging:
    """Calls that hang until the test lets them go."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.release = threading.Event()

    def __call__(self) -> bool:
        self.begun.put(None)
        return self.release.wait(DEADLINE)

    def until_begun(self, count: int) -> None:
        for _ in range(count):
            self.begun.get(timeout=DEADLINE)


def test_threads_that_hang_are_replaced_by_the_next_job() -> None:
    loop, clock, hanging = Loop(), Clock(), Hanging()
    workers = Workers("replaced", 2, loop.posted.put, clock)
    got: list[object] = []
    for _ in range(2):
        workers.submit(hanging, got.append)
    hanging.until_begun(2)
    workers.submit(lambda: "waits", got.append)
    assert loop.posted.empty()
    clock.now += STUCK + 1
    workers.submit(lambda: "comes", got.append)
    loop.run(2)
    assert got == ["waits", "comes"]
    hanging.release.set()
    loop.run(2)
    assert got[2:] == [True, True]


def test_what_waits_behind_threads_that_hang_needs_no_further_job() -> None:
    loop, clock, hanging = Loop(), Clock(), Hanging()
    workers = Workers("relieved", 1, loop.posted.put, clock)
    got: list[object] = []
    workers.submit(hanging, got.append)
    hanging.until_begun(1)
    workers.submit(lambda: "waits", got.append)
    clock.now += STUCK
    workers.relieve()
    assert [name for name in threads() if name.startswith("relieved")] == ["relieved-1"], "not yet"
    clock.now += 1
    workers.relieve()
    loop.run(1)
    assert got == ["waits"]
    hanging.release.set()
    loop.run(1)


def test_a_pool_has_a_largest_size_however_many_threads_hang() -> None:
    loop, clock, hanging = Loop(), Clock(), Hanging()
    workers = Workers("crowded", 1, loop.posted.put, clock)
    got: list[object] = []
    for _ in range(MOST):
        workers.submit(hanging, got.append)
        hanging.until_begun(1)
        clock.now += STUCK + 1
    for _ in range(10):
        workers.submit(hanging, got.append)
        clock.now += STUCK + 1
        workers.relieve()
    assert len([name for name in threads() if name.startswith("crowded")]) == MOST
    hanging.release.set()
    loop.run(MOST + 10)
    assert got == [True] * (MOST + 10)


def test_a_thread_that_cannot_be_started_is_said_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = Loop()
    workers = Workers("unlucky", 1, loop.posted.put)
    got: list[object] = []
    usual = threading.stack_size(1 << 47)  # more than there are addresses
    try:
        workers.submit(lambda: "it", got.append)
    finally:
        threading.stack_size(usual)
    assert "no further thread for unlucky" in caplog.text
    workers.relieve()
    loop.run(1)
    assert got == ["it"]
