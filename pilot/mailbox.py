"""What other threads ask the one loop to do, in order, and how one step of it is run."""

from __future__ import annotations

import logging
import queue
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SLICE = 0.02  # seconds of posted calls between two passes

log = logging.getLogger(__name__)


class Mailbox:
    """What other threads ask the loop to do, in order but for what is urgent."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._urgent: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        """Have the loop run this; from any thread."""
        self._calls.put(call)

    def post_urgent(self, call: Callable[[], None]) -> None:
        """Have the loop run this before all that is not urgent; from any thread."""
        self._urgent.put(call)
        self.wake()

    def wake(self) -> None:
        """Have the loop look at its hints; from any thread."""
        self._calls.put(lambda: None)

    def wait(self, timeout: float) -> None:
        """Run what was posted; wait up to `timeout` seconds for the first of it.

        Returns after SLICE seconds even if more was posted, so that deadlines, hints and a stop
        have their turn in a flood.
        """
        until = None
        while until is None or time.monotonic() < until:
            try:
                call = self._calls.get(timeout=max(0.0, timeout) if until is None else 0)
            except queue.Empty:
                return
            until = until or time.monotonic() + SLICE
            self._run_urgent(until)
            guarded(call)

    def _run_urgent(self, until: float) -> None:
        """What is left at that time has its turn with the next call: each has woken the loop."""
        while time.monotonic() < until:
            try:
                call = self._urgent.get_nowait()
            except queue.Empty:
                return
            guarded(call)


def guarded(call: Callable[[], object]) -> None:
    """Run one step of the loop; a defect in it is said and ends neither the loop nor the rest."""
    try:
        call()
    except Exception:
        log.exception("a defect: one step failed, the pilot goes on")
