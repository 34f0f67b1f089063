"""Waiting for something to become true, with a deadline and a message that says for what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float, what: str, *, every: float = 0.02) -> T:
    """Wait until the condition gives something true, and give that.

    Raises AssertionError with `what` after `seconds`; the condition is asked once more then, so a
    machine that slept through the deadline is not blamed.
    """
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= deadline
        if value := condition():
            return value
        if late:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
