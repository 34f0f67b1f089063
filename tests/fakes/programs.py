"""Small collector programs, and waiting for what they do."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from pilot.handover import Command

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 20.0  # seconds; only a defect waits so long


def program(code: str, *, lock: str = "", stop_grace: float = 10.0) -> Command:
    """A collector whose program is this Python text."""
    return Command((sys.executable, "-c", code), lock=lock, stop_grace=stop_grace)


def wait_for(condition: Callable[[], object], what: str = "") -> None:
    """Return once the condition holds; fail when it does not for too long."""
    until = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < until, f"waited in vain {what}"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
