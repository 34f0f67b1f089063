"""Every kind of mount: read from, or refused with a sentence that says why."""

from __future__ import annotations

import pytest

from pilot.locate import locate, mount_of
from pilot.model import Code, FileSet, Mount, Rejection
from tests.declarations.making import bind, container, volume

POD = "/var/lib/kubelet/pods/1-2/volumes"
ITEM = "/logs/a.log"


def place(kind: str, source: str = "", item: str = ITEM) -> FileSet | Rejection:
    return locate(container(mounts=(Mount("/logs", source, kind),)), "key", item)


@pytest.mark.parametrize(
    ("kind", "source", "word"),
    [
        ("secret", f"{POD}/kubernetes.io~secret/s", "secret"),
        ("secret", "", "secret"),
        ("configMap", f"{POD}/kubernetes.io~configmap/c", "configMap"),
        ("projected", "", "projected"),
        ("downwardAPI", "/any/where", "downwardAPI"),
        ("image", "/var/lib/docker/overlay2/x/diff", "image"),
        ("block", "/dev/sda", "block device"),
        ("volumeDevice", "", "block device"),
        ("npipe", "\\\\.\\pipe\\x", "no usable path"),
        ("npipe", "", "named pipe"),
        ("cluster", "/var/lib/docker/csi/x", "cluster volume"),
        ("tmpfs", "", "tmpfs"),
        ("volume", "", "volume driver"),
        ("bind", "", "does not say"),
        ("persistentVolumeClaim", "", "only the Kubernetes API knows"),
        ("ephemeral", "", "only the Kubernetes API knows"),
        ("of tomorrow", "", "no folder on the node"),
        ("", "", "no folder on the node"),
        # A runtime's own word says nothing of what the kubelet mounted.
        ("bind", f"{POD}/kubernetes.io~secret/s", "secret"),
        ("bind", "/data/kubelet/pods/1-2/volumes/kubernetes.io~projected/p", "projected"),
        ("", "/data/kubelet/pods/1-2/volumes/kubernetes.io~downward-api/p/d", "downwardAPI"),
        ("bind", f"{POD}//kubernetes.io~configmap/./c", "configMap"),
    ],
)
def test_a_kind_without_logs_is_refused_with_its_reason(kind: str, source: str, word: str) -> None:
    for item in (ITEM, "/logs/deep/*.log", "/logs"):
        found = place(kind, source, item)
        assert isinstance(found, Rejection)
        assert found.code is Code.MOUNT_UNSUPPORTED
        assert word in found.reason
        assert "'/logs'" in found.reason


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("bind", "/srv/logs"),
        ("volume", "/var/lib/docker/volumes/data/_data"),
        ("volume", "/var/lib/docker/plugins/1/propagated-mount/data"),
        ("emptyDir", f"{POD}/kubernetes.io~empty-dir/e"),
        ("hostPath", "/srv/logs"),
        ("persistentVolumeClaim", f"{POD}/kubernetes.io~csi/pvc-1/mount"),
        ("ephemeral", f"{POD}/kubernetes.io~csi/pvc-1/mount"),
        ("nfs", f"{POD}/kubernetes.io~nfs/n"),
        ("csi", f"{POD}/kubernetes.io~csi/c/mount"),
        ("of tomorrow", "/srv/logs"),
        ("bind", "/srv/kubernetes.io~secret/s"),
    ],
)
def test_a_kind_with_a_folder_on_the_node_is_read(kind: str, source: str) -> None:
    found = place(kind, source)
    assert isinstance(found, FileSet)
    assert found.directory == source


def test_of_nested_mounts_the_nearest_decides_whatever_its_kind() -> None:
    mounts = (
        bind("/logs", "/srv/logs"),
        volume("/logs/deep", "data"),
        Mount("/logs/deep/memory", "", "tmpfs"),
        Mount("/logs/deep/memory/kept", "/srv/kept", "bind"),
    )
    here = container(mounts=mounts)
    found = [
        locate(here, "key", item)
        for item in (
            "/logs/a",
            "/logs/deep/a",
            "/logs/deep/memory/a",
            "/logs/deep/memory/*/a",
            "/logs/deep/memory/kept/a",
        )
    ]
    assert [each.root if isinstance(each, FileSet) else each.code.value for each in found] == [
        "/srv/logs",
        "/var/lib/docker/volumes/data/_data",
        "mount-unsupported",
        "mount-unsupported",
        "/srv/kept",
    ]


def test_the_anonymous_volume_of_an_image_is_a_volume() -> None:
    anonymous = "9" * 64
    mounts = (volume("/logs", anonymous),)
    found = locate(container(mounts=mounts), "key", ITEM)
    assert isinstance(found, FileSet)
    assert anonymous in found.root
    assert mount_of(container(mounts=mounts), ITEM) == mounts[0]


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        (f"{POD}/kubernetes.io~empty-dir/v", True),
        (f"{POD}/kubernetes.io~csi/pv/mount", True),
        ("/var/lib/docker/volumes/v/_data", True),
        (f"{POD}/kubernetes.io~empty-dir/v/sub/a.log", False),
        (f"{POD}/kubernetes.io~csi/pv/mount/a.log", False),
        ("/var/lib/kubelet/pods/1-2/volume-subpaths/v/app/4", False),
    ],
)
def test_a_volume_is_a_folder_but_a_part_of_one_may_be_a_file(source: str, folder: bool) -> None:
    found = place("volume", source, item="/logs")
    if folder:
        assert isinstance(found, Rejection)
        assert found.code is Code.PATH_FOLDER
    else:
        assert isinstance(found, FileSet)
        assert f"{found.root}/{found.pattern}" == source
