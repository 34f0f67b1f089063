"""The kubelet's folders for pods' volumes: the only place that knows their grammar. Pure.

A volume lies in `<root>/pods/<uid>/volumes/<plugin>/<volume>` (a `/` in a plugin's name is `~`).
What `subPath` names is bound to
`<root>/pods/<uid>/volume-subpaths/<volume>/<container>/<place in volumeMounts>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = "/var/lib/kubelet"
# The usual one, and those of k0s and MicroK8s.
ROOTS = (ROOT, "/var/lib/k0s/kubelet", "/var/snap/microk8s/common/var/lib/kubelet")
# What the kubelet writes itself, secrets among it: plugin → the kind of volume in a pod's spec.
NO_LOGS: Mapping[str, str] = MappingProxyType(
    {
        "kubernetes.io~configmap": "configMap",
        "kubernetes.io~downward-api": "downwardAPI",
        "kubernetes.io~projected": "projected",
        "kubernetes.io~secret": "secret",
    }
)
# The folder of a kind of volume below the pod's `volumes`.
_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "emptyDir": "kubernetes.io~empty-dir/{}",
        "csi": "kubernetes.io~csi/{}/mount",
        "nfs": "kubernetes.io~nfs/{}",
        "cephfs": "kubernetes.io~cephfs/{}",
        "fc": "kubernetes.io~fc/{}",
        "gitRepo": "kubernetes.io~git-repo/{}",
        "glusterfs": "kubernetes.io~glusterfs/{}",
        "iscsi": "kubernetes.io~iscsi/{}",
    }
)
_POD = r"/pods/[^/]+"
# A pod's uid is a UUID or, of a static pod, an MD5.
_UID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
_VOLUME = re.compile(
    rf"{_POD}/(?:volumes/(?P<plugin>[^/]+)/[^/]+|volume-subpaths/[^/]+/[^/]+/[^/]+)"
    r"(?:/(?P<below>.*))?\Z",
    re.DOTALL,
)
_WRITTEN = re.compile(
    rf"{_POD}/volumes/(?P<plugin>{'|'.join(re.escape(each) for each in NO_LOGS)})(?:/|\Z)"
)
_ROOT = re.compile(rf"(?P<root>/.+)/pods/{_UID}/volume(?:s|-subpaths)/")
_UIDS = re.compile(rf"/pods/({_UID})/")


@dataclass(frozen=True, slots=True)
class Volume:
    """What a path tells of the volume that it lies in.

    `plugin` is "" in what `subPath` names, whose path does not tell it. `below` is the rest of the
    path, "" for the volume or the part itself.
    """

    plugin: str
    below: str

    @property
    def without_logs(self) -> str:
        """The kind of volume, where the kubelet itself writes it and no application; else ""."""
        return NO_LOGS.get(self.plugin, "")

    @property
    def is_part(self) -> bool:
        """Whether it may be one file: what `subPath` names, and the same by the volume's folder."""
        return self.below not in ("", "mount") if self.plugin else not self.below


def volume_in(path: str) -> Volume | None:
    """The outermost volume that a folded path lies in, whatever the kubelet's root is."""
    return _volume(_VOLUME.search(path))


def volume_below(root: str, path: str) -> Volume | None:
    """The volume of the kubelet with that root that a folded path lies in."""
    return _volume(_VOLUME.match(path.removeprefix(root.rstrip("/"))))


def _volume(found: re.Match[str] | None) -> Volume | None:
    return found and Volume(found["plugin"] or "", found["below"] or "")


def written_by_kubelet(path: str) -> str:
    """The kind of volume where a folded path leads to what the kubelet itself writes; else "".

    Also for the folder of all a pod's volumes of that kind, and for a volume in another's folder.
    """
    found = _WRITTEN.search(path)
    return NO_LOGS[found["plugin"]] if found else ""


def root_of(path: str) -> str:
    """The root of the kubelet that keeps a volume's folder, "" for any other folder."""
    found = _ROOT.match(f"{path}/")
    return found["root"] if found else ""


def pods_in(path: str) -> list[str]:
    """The uids of pods whose folder a path goes through."""
    return _UIDS.findall(path)


def pod_folder(root: str, uid: str) -> str:
    """Where the kubelet with that root keeps a pod's things."""
    return f"{root.rstrip('/')}/pods/{uid}"


def volume_folder(pod: str, kind: str, name: str, driver: str = "") -> str:
    """A volume's folder in a pod's; "" for kinds that have no folder by their name alone.

    `kind` is the word in the pod's spec; `driver` is that of a flexVolume.
    """
    if kind == "flexVolume":
        plugin = driver.replace("/", "~")
        return f"{pod}/volumes/{plugin}/{name}" if plugin.strip(".") else ""
    place = _PLACES.get(kind)
    return f"{pod}/volumes/{place.format(name)}" if place else ""


def part_folder(pod: str, volume: str, container: str, index: int) -> str:
    """Where a `subPath` of a volume is bound; `index` is the place in `volumeMounts`."""
    return f"{pod}/volume-subpaths/{volume}/{container}/{index}"
