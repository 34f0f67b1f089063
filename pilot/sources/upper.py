"""The upper directory of a running container's overlay, as the node's own mounts show it.

For engines that do not say where it is: those that keep images in containerd's store. What the
container's processes see mounted is not asked: they may mount an overlay over their own root, and
so name any folder of the node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.mountinfo import mounts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pilot.mountinfo import MountLine

_UPPERDIR = "upperdir="
# With it a file in the upper directory may have its bytes in a lower one.
_METACOPY = "metacopy=on"


def upper_of(tables: Iterable[Path], container_id: str) -> str:
    """The upper directory, a path of the node; "" where it cannot be told for certain.

    `tables` are files like /proc/self/mountinfo. Docker mounts a container's root at
    `<docker root>/rootfs/<snapshotter>/<id>`, containerd at
    `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/rootfs`.
    """
    identifier = re.escape(container_id)
    place = re.compile(
        rf"/rootfs/[^/]+/{identifier}\Z"
        rf"|/io\.containerd\.runtime\.v2\.task/[^/]+/{identifier}/rootfs\Z"
    )
    for table in tables:
        try:
            lines = table.read_bytes()
        except OSError:
            continue  # Not every pilot may see the mounts of the node's first process.
        for mount in mounts(lines):
            if found := _upper_in(mount, place):
                return found
    return ""


def _upper_in(mount: MountLine, place: re.Pattern[str]) -> str:
    """The upper directory of an overlay whose whole is mounted at a place; "" for other mounts."""
    if mount.root != "/" or not place.search(mount.place) or mount.filesystem != "overlay":
        return ""
    uppers = [each for each in mount.options if each.startswith(_UPPERDIR)]
    if len(uppers) != 1 or _METACOPY in mount.options:
        return ""
    upper = uppers[0].removeprefix(_UPPERDIR)
    return upper if upper.startswith("/") else ""
