"""A few daemon threads for calls that may block; their results are handed to the one loop.

Not concurrent.futures: its threads are joined at exit, so a call that hangs on a dead mount would
keep a stopping pilot alive.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Workers:
    """Threads that run jobs in the order given; `post` takes what the loop is to run afterwards."""

    def __init__(self, name: str, threads: int, post: Callable[[Callable[[], None]], None]) -> None:
        """Start nothing yet: threads start with the first jobs, so that an idle pool costs none."""
        self._name, self._threads, self._post = name, threads, post
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._started = 0

    def submit(
        self, call: Callable[[], Result], then: Callable[[Result | Exception], None]
    ) -> None:
        """Run `call` on a thread, then `then(result or exception)` on the loop."""

        def job() -> None:
            try:
                result: Result | Exception = call()
            except Exception as error:  # noqa: BLE001 -- the loop decides; nothing may be lost here
                result = error
            self._post(lambda: then(result))

        self._jobs.put(job)
        if self._started < self._threads:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._jobs.get()()
