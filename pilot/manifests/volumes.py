"""A pod's volumes and a container's mounts of them → folders of the node, as the kubelet has."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.manifests.environment import Environment, expand
from pilot.manifests.shapes import absolute, at, mapping, sequence, text
from pilot.model import BIND, BLOCK, EMPTY_DIR, HOST_PATH, IMAGE, VOLUME, Mount

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class PodMount:
    """One mount of a container of a pod.

    `listed` is the path that the container runtime lists for it, "" where that is not known.
    `plain` is the same folder by a way that no mount of `subPath` lies on: an open file there holds
    up no pod's end. Its last part is the tenant's to replace by a link, so it may only be opened
    under the volume's own folder; "" where there is no such way.
    """

    mount: Mount
    listed: str = ""
    plain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFolder:
    """Where the kubelet keeps a pod's things."""

    kubelet_root: str
    uid: str

    @property
    def path(self) -> str:
        """The folder itself."""
        return kubelet.pod_folder(self.kubelet_root, self.uid)


def mounts(
    pod_spec: Mapping[str, object],
    container: Mapping[str, object],
    folder: PodFolder,
    variables: Environment,
) -> tuple[PodMount, ...]:
    """The mounts of one container, in the order of its `volumeMounts`, then its block devices.

    `variables` are the container's, for `subPathExpr`. A mount that names no volume is left out:
    such a pod is not taken by Kubernetes.
    """
    volumes = {text(mapping(each).get("name")): each for each in sequence(pod_spec.get("volumes"))}
    name = text(container.get("name"))
    made = []
    for index, entry in enumerate(sequence(container.get("volumeMounts"))):
        volume = volumes.get(text(mapping(entry).get("name")))
        # The kubelet takes a relative path as one below the root.
        path = text(mapping(entry).get("mountPath"))
        destination = absolute("/" + path.removeprefix("/"))
        if isinstance(volume, dict) and path and destination:
            bound = kubelet.part_folder(folder.path, text(volume.get("name")), name, index)
            made.append(_mount(volume, entry, destination, folder, bound=bound, known=variables))
    devices = (
        Mount(device, "", BLOCK, text(entry.get("name")))
        for entry in map(mapping, sequence(container.get("volumeDevices")))
        if (device := absolute(text(entry.get("devicePath"))))
    )
    return (*made, *map(PodMount, devices))


def mount_of_runtime(destination: str, source: str, *, image: bool = False) -> Mount:
    """A mount as the container runtime lists it (CRI), with the kind that its folder tells."""
    if image:
        return Mount(destination, "", IMAGE)
    volume = kubelet.volume_in(source)
    if not volume:
        return Mount(destination, source, BIND)
    if volume.without_logs:
        return Mount(destination, "", volume.without_logs)
    return Mount(destination, source, VOLUME)


def _mount(
    volume: Mapping[str, object],
    entry: Mapping[str, object],
    destination: str,
    folder: PodFolder,
    *,
    bound: str,
    known: Environment,
) -> PodMount:
    """One entry of `volumeMounts`; `bound` is where the kubelet binds its `subPath`, if it has."""
    name = text(volume.get("name"))
    kind = next((key for key in volume if key != "name"), EMPTY_DIR)
    below = _sub_path(entry, known)
    own = _own_folder(kind, volume, folder)
    if not own:
        return PodMount(Mount(destination, "", kind, name))
    through = posixpath.join(own, below) if below else ""
    if kind == HOST_PATH:
        # As a bind, for the administrator's rules: the path of the spec is judged, not the
        # kubelet's bind of it, which tells nothing.
        if below is None:
            return PodMount(Mount(destination, "", kind, name), listed=bound)
        return PodMount(
            Mount(destination, through or own, BIND, name), listed=bound if below else own
        )
    if below == "":
        return PodMount(Mount(destination, own, VOLUME, name), listed=own)
    return PodMount(Mount(destination, bound, VOLUME, name), listed=bound, plain=through)


def _sub_path(entry: Mapping[str, object], known: Environment) -> str | None:
    """What of the volume is mounted: "" for all of it, None where that is not known or refused."""
    path = text(entry.get("subPath"))
    if expression := text(entry.get("subPathExpr")):
        expanded, _ = expand(expression, known, foreign=True)
        if expanded is None:
            return None
        path = expanded
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        return None
    folded = posixpath.normpath(path) if path else "."
    return "" if folded == "." else folded


def _own_folder(kind: str, volume: Mapping[str, object], folder: PodFolder) -> str:
    """Where the whole of a volume lies on the node; "" where it has no files or nobody can tell."""
    if kind == HOST_PATH:
        return absolute(text(at(volume, kind, "path")))
    name = text(volume.get("name"))
    if not _NAME.fullmatch(name):
        return ""
    return kubelet.volume_folder(folder.path, kind, name, driver=text(at(volume, kind, "driver")))
