"""Becomes another program that ends when its parent does: `python -m pilot.tether PARENT ARGV…`.

A program of its own, because code between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives execve(2) of a program without extra privileges


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent's thread ends: prctl(2)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def main() -> None:
    """Ask for the signal, make sure that the parent still lives, become the program."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    end_with_parent()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Ignored by Python; execve(2) keeps that.
        signal.signal(number, signal.SIG_DFL)
    if os.getppid() != parent:
        sys.exit(1)  # The parent ended before the signal was asked for.
    try:
        os.execvp(argv[0], argv)  # noqa: S606 -- there is no shell here
    except OSError as error:
        sys.exit(f"log-pilot: cannot run {argv[0]!r}: {error.strerror}")


if __name__ == "__main__":
    main()
