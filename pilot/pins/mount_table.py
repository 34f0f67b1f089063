"""Which mount a path lies in, without touching the mount: it may hang."""

from __future__ import annotations

import os
import select

MOUNTINFO = "/proc/self/mountinfo"  # proc(5)


class MountTable:
    """The mounts that this process sees, read again when the kernel says that they changed."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._descriptor = os.open(MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLPRI)
        self._mounts: dict[str, int] = {}  # where → mount id

    def mount_of(self, path: str) -> int:
        """The id of the mount that holds a path, as its text says; symlinks are not followed."""
        if not self._mounts or self._poll.poll(0):
            self._mounts = self._read()
        while path not in self._mounts:
            if path in ("", "/"):
                return 0
            path = path.rstrip("/").rpartition("/")[0] or "/"
        return self._mounts[path]

    def close(self) -> None:
        """Close the table."""
        os.close(self._descriptor)

    def _read(self) -> dict[str, int]:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with open(self._descriptor, "rb", closefd=False) as file:
            lines = [line.split(b" ", 5) for line in file.read().split(b"\n") if line]
        # Of several mounts at one place the last is seen. Octal escapes: proc_pid_mountinfo(5).
        return {os.fsdecode(_unescaped(line[4])): int(line[0]) for line in lines}


def _unescaped(field: bytes) -> bytes:
    for octal, byte in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        field = field.replace(octal, byte)
    return field
