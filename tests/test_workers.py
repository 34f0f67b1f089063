from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from pilot.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

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
