"""Processes and mounts as /proc shows them: found by what they mention, ended by their id."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

MNT_DETACH = 2  # umount2(2)


def end(process: subprocess.Popen[Any], *, grace: float) -> None:
    """SIGTERM, and SIGKILL after `grace` seconds."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def mentioning(text: str) -> list[int]:
    """Process ids whose command line contains a text; never our own or a parent's."""
    ours = {os.getpid(), *_ancestors(os.getpid())}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:  # It ended.
            continue
        if text.encode() in line and int(folder.name) not in ours:
            found.append(int(folder.name))
    return found


def descendants(pid: int) -> list[int]:
    """Every process below this one, the deepest first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        children.setdefault(_parent(int(folder.name)), []).append(int(folder.name))
    found: list[int] = []
    level = children.get(pid, [])
    while level:
        found = [*level, *found]
        level = [grandchild for child in level for grandchild in children.get(child, [])]
    return found


def unmount_below(folder: Path) -> None:
    """Detach every mount below a folder, the deepest first."""
    libc = ctypes.CDLL(None, use_errno=True)
    for place in reversed(mounts_below(folder)):
        libc.umount2(os.fsencode(place), MNT_DETACH)


def mounts_below(folder: Path) -> list[str]:
    """Where something is mounted below a folder, in the order of mounting."""
    text = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    # The kernel writes blanks and backslashes as octal escapes: proc_pid_mountinfo(5).
    places = [
        re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split(" ")[4])
        for line in text.splitlines()
    ]
    return [place for place in places if place.startswith(f"{folder}/")]


def _ancestors(pid: int) -> list[int]:
    found = []
    while pid := _parent(pid):
        found.append(pid)
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:  # It ended.
        return 0
