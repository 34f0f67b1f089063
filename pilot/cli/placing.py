"""Stand-ins for the folders of volumes that only the node knows, for pods in manifests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.model import CLAIMS, VOLUME

if TYPE_CHECKING:
    from pilot.model import Container, Mount


def unplaced(mount: Mount) -> bool:
    """Whether a mount's folder is there once the pod runs, and nobody knows it before."""
    return not mount.source and mount.kind in CLAIMS


def placed(container: Container, kubelet_root: str) -> Container:
    """A pod's container as it may be on its node: claims have a folder there, whichever it is."""
    if not (container.pod and any(map(unplaced, container.mounts))):
        return container
    pod = kubelet.pod_folder(kubelet_root, container.pod.uid)
    mounts = tuple(
        replace(each, source=kubelet.volume_folder(pod, "csi", f"<{each.name}>"), kind=VOLUME)
        if unplaced(each)
        else each
        for each in container.mounts
    )
    return replace(container, mounts=mounts)
