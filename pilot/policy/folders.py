"""Which folders of the node a tenant's mount may bring logs from, whatever a policy file says.

Whoever may start a container here need not be allowed to read the node's own files, but a mount
that is read by the pilot is read with the pilot's rights. Paths are judged as written; what a
symlink makes of them is judged by asking again with the path that was really opened.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.model import BIND, HOST_PATH, VOLUME

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST_KINDS = frozenset({"", BIND, HOST_PATH})  # mounts of a folder that somebody chose himself

NODE_FOLDERS = (
    "/boot",
    "/dev",
    "/etc",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/var/lib/etcd",
    "/var/lib/rancher",
    "/var/log/pods",
    "/var/run",
)
# Other containers' files, secrets and logs lie there.
RUNTIME_ROOTS = (
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    *kubelet.ROOTS,
)
# Below a runtime's root, what it keeps volumes in: its own, and those that plugins mount for it.
_VOLUME_FOLDERS = frozenset({"plugins", "volumes"})
# Docker's place for a json-file log; with userns-remap its root is a folder `<uid>.<gid>` within.
_DOCKER_LOG = re.compile(
    r"(?P<root>/.+?)(?:/[0-9]+\.[0-9]+)?/containers/(?P<id>[^/]+)/(?P=id)-json\.log"
)
_DOCKER_ENDING = "-json.log"
# Docker's folder for one container: its log, its environment, its secrets. Within a volume it is
# that of a Docker in a container.
_CONTAINER = re.compile(r"/containers/[0-9a-f]{64}(?:/|\Z)")
_DOCKER_VOLUME = re.compile(r"/volumes/[^/]+/_data\Z")
_VOLUMES = re.compile(r"/(?:plugins|volumes|volume-subpaths)/")


def forbids(
    path: str, kind: str = BIND, root: str = "", *, roots: Iterable[str] = ()
) -> str | None:
    """Which rule forbids a path of the node to mounts of that kind; None if none does.

    Forbidden are `/`, the listed folders, whatever lies under one, and whatever contains one. A
    volume may lie where its runtime keeps volumes. `root` is the data-root of the container's
    own runtime, "" where nobody knows it; a folder that looks like that of one Docker container
    is forbidden without it, because a container chooses its log driver and so hides the root.
    `roots` are further folders that are not a tenant's: a runtime's data-root, the pilot's own.
    """
    if not path.startswith("/") or ".." in path.split("/"):
        return "it is no absolute path without '..'"
    folded = fold(path)
    if folded == "/":
        return "it is the whole node"
    rules, runtimes = _rules((*roots, root))
    inside = f"{folded}/"
    for rule, below in rules:
        if folded == rule:
            return f"{rule} is the node's own"
        if inside.startswith(below):
            if kind == VOLUME and rule in runtimes and _is_volume(folded, rule):
                continue
            return f"it lies under {rule}"
        if below.startswith(inside):
            return f"it contains {rule}"
    container = _CONTAINER.search(folded)
    if container and not (kind == VOLUME and _VOLUMES.search(folded, 0, container.start() + 1)):
        return "it lies in the folder that Docker keeps for one container"
    return None


@functools.lru_cache(maxsize=64)
def _rules(roots: tuple[str, ...]) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    """All forbidden folders in order, each with what paths below it begin with.

    And those of them that runtimes have volumes in.
    """
    further = (fold(each) for each in roots if each.startswith("/"))
    runtimes = frozenset((*RUNTIME_ROOTS, *further))
    ordered = sorted({*NODE_FOLDERS, *runtimes})
    return tuple((each, each.rstrip("/") + "/") for each in ordered), runtimes


def root_of(log_path: str) -> str:
    """The data-root of the Docker that keeps a container's log there, "" if none can be told."""
    if not log_path.startswith("/") or _DOCKER_ENDING not in log_path:
        return ""
    found = _DOCKER_LOG.fullmatch(fold(log_path))
    return found["root"] if found else ""


def docker_volume(root: str) -> str:
    """What Docker's path of a named volume ends with, `/volumes/<name>/_data`; "" for others."""
    found = _DOCKER_VOLUME.search(root)
    return found[0] if found else ""


def fold(path: str) -> str:
    """An absolute path in its shortest form."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def under(path: str, folder: str) -> bool:
    """Whether a folded path lies below a folded folder."""
    return path.startswith(folder.rstrip("/") + "/")


def _is_volume(path: str, root: str) -> bool:
    """Docker puts volumes in `<root>[/<uid>.<gid>]/volumes/<name>`, Podman in `storage/volumes`."""
    if volume := kubelet.volume_below(root, path):
        return not volume.without_logs
    above = path.removeprefix(root).split("/")[1:-1]
    return not _VOLUME_FOLDERS.isdisjoint(above[:2])
