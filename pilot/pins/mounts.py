"""What the mounts of this machine show: where else a folder is that was opened through one."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")  # proc(5)
# Mount, its parent, device, the folder of the filesystem that is shown, where it is shown.
# Only space, tab, newline and backslash are escaped: any other white space may be in a name.
_LINE = rb"^%b \d+ %b ([^ \n]+) ([^ \n]+) "


@dataclass(frozen=True, slots=True)
class Place:
    """A path of this machine, and the mount that it lies in; 0 where no mount shows it."""

    mount: int
    path: str


def other_places(mount_id: int, path: str, table: bytes) -> list[Place]:
    """Where else the file or folder at `path`, in that mount, is.

    A bind mount shows a part of a filesystem that other mounts may show too. Where none does, the
    place within the filesystem is told, of no mount: on the filesystem that holds the node's `/`
    that is the node's own path. `table` is what MOUNTINFO holds. Raises OSError if it does not
    show that path.
    """
    ours = re.search(_LINE % (b"%d" % mount_id, rb"(\d+:\d+)"), table, re.MULTILINE)
    if not ours:
        raise OSError(errno.ESTALE, "the mounts changed meanwhile", path)
    device, shown, point = ours.groups()
    root, start = text_of(shown), text_of(point).rstrip("/")
    if path != start and not path.startswith(f"{start}/"):
        raise OSError(errno.ESTALE, "it was moved meanwhile", path)
    inside = f"{root.rstrip('/')}{path.removeprefix(start)}" or "/"
    found = []
    for line in re.finditer(
        rb"^(\d+) \d+ %s ([^ \n]+) ([^ \n]+) " % re.escape(device), table, re.MULTILINE
    ):
        other = text_of(line[2]).rstrip("/")
        if line[1] != b"%d" % mount_id and (root == other or root.startswith(f"{other}/")):
            below = inside.removeprefix(other)
            found.append(Place(int(line[1]), f"{text_of(line[3]).rstrip('/')}{below}" or "/"))
    if not found and root != "/":
        found.append(Place(0, inside))
    return found


def text_of(field: bytes) -> str:
    """A path in mountinfo, where white space and backslashes are octal escapes."""
    return (re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8) & 255]), field)).decode(
        "utf-8", "surrogateescape"
    )
