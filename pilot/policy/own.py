"""Which container the pilot itself runs in, so that it never collects its own output unasked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilot.model import Container

PROC = Path("/proc/self")
# The files that runtimes mount into each container from a folder of its own. The same folders are
# seen below other paths by whoever mounts the node's file system, so the place has to be exact.
_OWN_PLACES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/termination-log"})
_MOUNTED_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/")
_MOUNTED_POD = re.compile(r"/pods/([0-9a-f][0-9a-f-]{31,35})/")
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
    for place, source in _mounts(_lines(proc / "mountinfo")):
        if place in _OWN_PLACES:
            containers.update(_MOUNTED_CONTAINER.findall(source))
            pods.update(_MOUNTED_POD.findall(source))
    for line in _lines(proc / "cgroup"):
        containers.update(_GROUP_CONTAINER.findall(line))
        pods.update(found.replace("_", "-") for found in _GROUP_POD.findall(line))
    return Own(frozenset(containers), frozenset(pods))


def _mounts(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Where each is mounted, and which folder or file of its filesystem it shows."""
    for line in lines:
        parts = line.split(" ")
        if len(parts) > 4:
            yield parts[4], parts[3]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
