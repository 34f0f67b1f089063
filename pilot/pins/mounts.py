"""What the mounts of this machine show: where else a folder is that was opened through one."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pilot.mountinfo import mounts


@dataclass(frozen=True, slots=True)
class Place:
    """A path of this machine, and the mount that it lies in; 0 where no mount shows it."""

    mount: int
    path: str


def other_places(mount_id: int, path: str, table: bytes) -> list[Place]:
    """Where else the file or folder at `path`, in that mount, is.

    A bind mount shows a part of a filesystem that other mounts may show too. Where none does, the
    place within the filesystem is told, of no mount: on the filesystem that holds the node's `/`
    that is the node's own path. `table` is what `/proc/self/mountinfo` holds. Raises OSError if it
    does not show that path.
    """
    ours = next(mounts(table, mount_id=mount_id), None)
    if not ours:
        raise OSError(errno.ESTALE, "the mounts changed meanwhile", path)
    root, start = ours.root, ours.place.rstrip("/")
    if path != start and not path.startswith(f"{start}/"):
        raise OSError(errno.ESTALE, "it was moved meanwhile", path)
    inside = f"{root.rstrip('/')}{path.removeprefix(start)}" or "/"
    found = []
    for mount in mounts(table, device=ours.device):
        other = mount.root.rstrip("/")
        if mount.id != mount_id and (root == other or root.startswith(f"{other}/")):
            below = inside.removeprefix(other)
            found.append(Place(mount.id, f"{mount.place.rstrip('/')}{below}" or "/"))
    if not found and root != "/":
        found.append(Place(0, inside))
    return found
