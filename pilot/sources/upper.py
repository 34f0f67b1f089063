"""The upper directory of a running container's overlay, as the node's own mounts show it.

For engines that do not say where it is: those that keep images in containerd's store. What the
container's processes see mounted is not asked: they may mount an overlay over their own root, and
so name any folder of the node.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where the pilot itself sees the node's mounts, if the folder of the engine is shared with it.
OWN_TABLE = Path("/proc/self/mountinfo")  # proc(5)
_OCTAL = re.compile(rb"\\([0-7]{3})")
_UPPERDIR = b"upperdir="
# With it a file in the upper directory may have its bytes in a lower one.
_METACOPY = b"metacopy=on"


def upper_of(tables: Iterable[Path], container_id: str) -> str:
    """The upper directory, a path of the node; "" where it cannot be told for certain.

    `tables` are files like OWN_TABLE. Docker mounts a container's root at
    `<docker root>/rootfs/<snapshotter>/<id>`, containerd at
    `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/rootfs`.
    """
    identifier = re.escape(os.fsencode(container_id))
    place = re.compile(
        rb"/rootfs/[^/]+/%b\Z|/io\.containerd\.runtime\.v2\.task/[^/]+/%b/rootfs\Z"
        % (identifier, identifier)
    )
    for table in tables:
        try:
            lines = table.read_bytes().split(b"\n")
        except OSError:
            continue  # Not every pilot may see the mounts of the node's first process.
        for line in lines:
            if found := _upper_in(line, place):
                return found
    return ""


def _upper_in(line: bytes, place: re.Pattern[bytes]) -> str:
    """The upper directory of an overlay whose whole is mounted at a place; "" for other mounts."""
    where, _, filesystem = line.partition(b" - ")
    where_parts, parts = where.split(b" "), filesystem.split(b" ")
    if len(where_parts) < 5 or len(parts) < 3 or parts[0] != b"overlay" or where_parts[3] != b"/":
        return ""
    options = parts[2].split(b",")
    uppers = [each for each in options if each.startswith(_UPPERDIR)]
    if not place.search(_decoded(where_parts[4])) or len(uppers) != 1 or _METACOPY in options:
        return ""
    upper = os.fsdecode(_decoded(uppers[0].removeprefix(_UPPERDIR)))
    return upper if upper.startswith("/") else ""


def _decoded(field: bytes) -> bytes:
    # Spaces, commas and the like in a path are octal escapes there.
    return _OCTAL.sub(lambda octal: bytes([int(octal[1], 8) & 255]), field)
