"""Kinds of mounts that no log can be read from, and the sentence that says why."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Mount

ROOTFS = "rootfs"  # what the container wrote into its own filesystem: a kind of ours
VOLUME = "volume"

# What the kubelet or a runtime writes there, never an application; whatever the source is.
_NO_LOGS: Mapping[str, str] = MappingProxyType(
    {
        "secret": "it is a secret, which the kubelet writes and no log is taken from",
        "configmap": "it is a configMap, which the kubelet writes and no log is taken from",
        "projected": "it is a projected volume, which the kubelet writes and no log is taken from",
        "downwardapi": "it is a downwardAPI volume, which the kubelet writes and no log is taken"
        " from",
        "image": "it is the content of an image, which is never written to",
        "block": "it is a block device, which has no files",
        "volumedevice": "it is a block device, which has no files",
        "npipe": "it is a named pipe, which has no files",
        "cluster": "it is a cluster volume of a swarm, whose files have no lasting place on the"
        " node",
    }
)
# Kinds that the node may have a folder for, while nobody says where.
_NO_PLACE: Mapping[str, str] = MappingProxyType(
    {
        "tmpfs": "it is a tmpfs, which is in memory and has no folder on the node",
        "volume": "its volume driver does not say in which folder of the node its files are",
        "bind": "the runtime does not say which folder of the node it comes from",
        "persistentvolumeclaim": "only the Kubernetes API knows which folder of the node the claim"
        " has; it is found once the pod runs",
        "ephemeral": "only the Kubernetes API knows which folder of the node the claim has; it is"
        " found once the pod runs",
    }
)
# The kubelet's folders for the first four, wherever its root is.
_KUBELET = re.compile(
    r"/pods/[^/]+/volumes/kubernetes\.io~(?P<plugin>configmap|downward-api|projected|secret)(?:/|\Z)"
)
# A part of a volume, which may be one file: what the kubelet binds for `subPath`, and the same by
# the volume's own folder.
_PART = re.compile(
    r"/pods/[^/]+/(?:volume-subpaths/[^/]+/[^/]+/[^/]+|volumes/[^/]+/[^/]+/(?!mount\Z).+)\Z"
)
# What a runtime mounts into every container, without a folder on the node.
_RUNTIMES_OWN = ("/dev", "/proc", "/sys")


def is_folder(mount: Mount, source: str) -> bool:
    """Whether a mount is known to be of a folder: a whole volume always is.

    `source` is the mount's, folded.
    """
    return source == "/" or (mount.kind == VOLUME and not _PART.search(source))


def unreadable(mount: Mount, source: str) -> str:
    """Why nothing can be read from a mount: part of a sentence, "" if something can.

    `source` is the mount's, folded; "" where there is none.
    """
    kind = mount.kind.casefold()
    if reason := _NO_LOGS.get(kind):
        return reason
    if found := _KUBELET.search(source):
        return _NO_LOGS[found["plugin"].replace("-", "")]
    if source:
        return ""
    return _NO_PLACE.get(kind, "it has no folder on the node")


def runtimes_own(path: str) -> str:
    """The folder that a runtime mounts by itself and that holds a folded path; "" if none does."""
    return next((each for each in _RUNTIMES_OWN if f"{path}/".startswith(f"{each}/")), "")
