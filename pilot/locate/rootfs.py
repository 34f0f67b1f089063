"""The container's own filesystem: the upper directory of its overlay, as a mount at `/`.

Overlay keeps there, in plain files, what the container itself wrote; what is only in its image is
not there until the container opens it for writing (then all of it is). The way there is the
runtime's own, so its shape tells such a folder from a tenant's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.locate.paths import fold
from pilot.model import ROOTFS, Mount

if TYPE_CHECKING:
    from pilot.model import Container

# Docker `<root>[/<uid>.<gid>]/overlay2/<id>/diff`, Podman `<root>/overlay/<id>/diff`, containerd
# `<root>/io.containerd.snapshotter.v1.<name>/snapshots/<number>/fs`.
_UPPER = re.compile(
    r"(?P<home>/.+?)(?:/[0-9]+\.[0-9]+)?/(?:"
    r"(?:overlay2?|fuse-overlayfs)/[0-9A-Za-z_-]+/diff"
    r"|io\.containerd\.snapshotter\.v1\.[0-9A-Za-z_.-]+/snapshots/[0-9]+/fs)"
)


def own_filesystem(container: Container) -> Mount | None:
    """What the container wrote outside of its mounts, as a mount; None where it cannot be had."""
    usable = container.rootfs and fold(container.rootfs) not in (None, "/")
    return Mount("/", container.rootfs, ROOTFS) if usable else None


def runtime_home(root: str) -> str:
    """The root folder of the runtime that keeps an upper directory; "" for any other folder.

    `root` is a file set's root. Pins of its files lie best in `<home>/log-pilot`, for a hard link
    must stay in one mount.
    """
    found = _UPPER.fullmatch(root)
    return found["home"] if found else ""
