"""Which container the pilot itself runs in, so that it never collects its own output unasked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.kubelet import pods_in
from pilot.mountinfo import mounts

if TYPE_CHECKING:
    from pilot.model import Container

PROC = Path("/proc/self")
# The files that runtimes mount into each container from a folder of its own. The same folders are
# seen below other paths by whoever mounts the node's file system, so the place has to be exact.
_OWN_PLACES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/termination-log"})
_MOUNTED_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/")
_GROUP_CONTAINER = re.compile(r"(?:^|[/-])([0-9a-f]{64})(?:\.scope)?$", re.ASCII)
_GROUP_POD = re.compile(r"pod([0-9a-f]{8}(?:[_-][0-9a-f]{4}){3}[_-][0-9a-f]{12}|[0-9a-f]{32})\b")


@dataclass(frozen=True, slots=True)
class Own:
    """The pilot's own containers by id, and its pod by uid; empty outside any container."""

    containers: frozenset[str] = frozenset()
    pods: frozenset[str] = frozenset()

    def is_own(self, container: Container) -> bool:
        """Whether it is the pilot's, or one beside it in its pod: there runs its collector."""
        if container.id in self.containers:
            return True
        return container.pod is not None and container.pod.uid in self.pods


def find_own(proc: Path = PROC) -> Own:
    """What a process's mounts and control groups say of the container that it runs in.

    With control groups of version 2 the groups usually say nothing; Docker's mounts then name the
    container, the kubelet's the pod.
    """
    containers: set[str] = set()
    pods: set[str] = set()
    for mount in mounts(_read(proc / "mountinfo")):
        if mount.place in _OWN_PLACES:
            containers.update(_MOUNTED_CONTAINER.findall(mount.root))
            pods.update(pods_in(mount.root))
    for line in _read(proc / "cgroup").decode("utf-8", "replace").splitlines():
        containers.update(_GROUP_CONTAINER.findall(line))
        pods.update(found.replace("_", "-") for found in _GROUP_POD.findall(line))
    return Own(frozenset(containers), frozenset(pods))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
