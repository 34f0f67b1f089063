"""Kinds of mounts that no log can be read from, and the sentence that says why."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pilot.kubelet import volume_in, written_by_kubelet
from pilot.model import BIND, BLOCK, CLAIMS, IMAGE, TMPFS, VOLUME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Mount

# What the kubelet or a runtime writes there, never an application; whatever the source is. Kinds
# are compared without case.
_NO_LOGS: Mapping[str, str] = MappingProxyType(
    {
        "secret": "it is a secret, which the kubelet writes and no log is taken from",
        "configmap": "it is a configMap, which the kubelet writes and no log is taken from",
        "projected": "it is a projected volume, which the kubelet writes and no log is taken from",
        "downwardapi": "it is a downwardAPI volume, which the kubelet writes and no log is taken"
        " from",
        IMAGE: "it is the content of an image, which is never written to",
        BLOCK: "it is a block device, which has no files",
        "volumedevice": "it is a block device, which has no files",
        "npipe": "it is a named pipe, which has no files",
        "cluster": "it is a cluster volume of a swarm, whose files have no lasting place on the"
        " node",
    }
)
# Kinds that the node may have a folder for, while nobody says where.
_NO_PLACE: Mapping[str, str] = MappingProxyType(
    {
        TMPFS: "it is a tmpfs, which is in memory and has no folder on the node",
        VOLUME: "its volume driver does not say in which folder of the node its files are",
        BIND: "the runtime does not say which folder of the node it comes from",
        **dict.fromkeys(
            map(str.casefold, CLAIMS),
            "only the Kubernetes API knows which folder of the node the claim has; it is found once"
            " the pod runs",
        ),
    }
)
# What a runtime mounts into every container, without a folder on the node.
_RUNTIMES_OWN = ("/dev", "/proc", "/sys")


def is_folder(mount: Mount, source: str) -> bool:
    """Whether a mount is known to be of a folder: a whole volume always is.

    `source` is the mount's, folded.
    """
    volume = volume_in(source)
    return source == "/" or (mount.kind == VOLUME and not (volume and volume.is_part))


def unreadable(mount: Mount, source: str) -> str:
    """Why nothing can be read from a mount: part of a sentence, "" if something can.

    `source` is the mount's, folded; "" where there is none.
    """
    kind = mount.kind.casefold()
    if reason := _NO_LOGS.get(kind):
        return reason
    if written := written_by_kubelet(source):
        return _NO_LOGS[written.casefold()]
    if source:
        return ""
    return _NO_PLACE.get(kind, "it has no folder on the node")


def runtimes_own(path: str) -> str:
    """The folder that a runtime mounts by itself and that holds a folded path; "" if none does."""
    return next((each for each in _RUNTIMES_OWN if f"{path}/".startswith(f"{each}/")), "")
