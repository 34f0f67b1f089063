"""A few daemon threads for calls that may block; their results are handed to the one loop.

A thread whose call hangs is replaced by another, so that one dead mount does not stop the rest.

Not concurrent.futures: its threads are joined at exit, so a call that hangs on a dead mount would
keep a stopping pilot alive.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
STUCK = 5.0  # seconds after which a call is taken to hang
MOST = 64  # threads of one pool, however many hang

log = logging.getLogger(__name__)


class Workers:
    """Threads that run jobs in the order given; `post` takes what the loop is to run afterwards."""

    def __init__(
        self,
        name: str,
        threads: int,
        post: Callable[[Callable[[], None]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start nothing yet: threads start with the first jobs, so that an idle pool costs none."""
        self._name, self._threads, self._post, self._now = name, threads, post, monotonic
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._began: dict[threading.Thread, float] = {}  # thread → when its call began, else inf

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
        self.relieve()

    def relieve(self) -> None:
        """Start a thread for jobs that wait, if one may start or hangs; to be called regularly."""
        if self._jobs.empty():
            return
        stuck = sum(self._now() - began > STUCK for began in list(self._began.values()))
        if len(self._began) < min(self._threads + stuck, MOST):
            name = f"{self._name}-{len(self._began) + 1}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._began[thread] = math.inf
            try:
                thread.start()
            except RuntimeError as error:  # the kernel's or a cgroup's limit; the jobs wait
                del self._began[thread]
                log.error("no further thread for %s: %s", self._name, error)

    def _run(self) -> None:
        thread = threading.current_thread()
        while True:
            job = self._jobs.get()
            self._began[thread] = self._now()
            job()
            self._began[thread] = math.inf
