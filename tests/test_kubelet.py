"""The kubelet's folders: what is made is read again, and what only looks like one is not."""

from __future__ import annotations

import pytest

from pilot import kubelet

UID = "0f5a6cb7-13d3-4b49-a5c2-6b1f3f9f1f2e"
POD = kubelet.pod_folder("/data/kubelet/", UID)


@pytest.mark.parametrize("kind", ["emptyDir", "csi", "nfs", "iscsi", "flexVolume"])
def test_a_volume_that_was_made_is_read_again(kind: str) -> None:
    folder = kubelet.volume_folder(POD, kind, "logs", driver="acme.example/disk")
    assert folder.startswith(f"/data/kubelet/pods/{UID}/volumes/")
    volume = kubelet.volume_in(folder)
    assert volume is not None
    assert volume == kubelet.volume_below("/data/kubelet", folder)
    assert not volume.is_part
    assert not volume.without_logs
    assert kubelet.root_of(folder) == "/data/kubelet"
    assert kubelet.pods_in(folder) == [UID]


@pytest.mark.parametrize("kind", ["secret", "hostPath", "persistentVolumeClaim", ""])
def test_some_kinds_have_no_folder_by_their_name(kind: str) -> None:
    assert kubelet.volume_folder(POD, kind, "logs") == ""


@pytest.mark.parametrize(
    "path",
    [
        kubelet.part_folder(POD, "logs", "web", 0),
        f"{kubelet.volume_folder(POD, 'emptyDir', 'logs')}/app.log",
        f"{kubelet.volume_folder(POD, 'csi', 'logs')}/sub",
    ],
)
def test_what_a_sub_path_names_may_be_one_file(path: str) -> None:
    volume = kubelet.volume_in(path)
    assert volume is not None
    assert volume.is_part


@pytest.mark.parametrize("plugin", kubelet.NO_LOGS)
def test_what_the_kubelet_writes_is_known_by_its_plugin(plugin: str) -> None:
    kind = kubelet.NO_LOGS[plugin]
    volume = kubelet.volume_in(f"{POD}/volumes/{plugin}/x/..data")
    assert volume is not None
    assert volume.without_logs == kind
    for path in (f"{POD}/volumes/{plugin}", f"{POD}/volumes/other/v{POD}/volumes/{plugin}/x"):
        assert kubelet.written_by_kubelet(path) == kind
    assert kubelet.written_by_kubelet(f"{POD}/volumes/{plugin}-more/x") == ""


@pytest.mark.parametrize("path", ["/srv/logs", f"{POD}/etc-hosts", f"{POD}/volumes/plugin", ""])
def test_other_folders_are_no_volumes(path: str) -> None:
    assert kubelet.volume_in(path) is None
    assert kubelet.written_by_kubelet(path) == ""


def test_only_a_real_uid_tells_a_root() -> None:
    assert kubelet.root_of("/data/pods/mine/volumes/p/v") == ""
    assert kubelet.root_of(f"/data/pods/{UID.replace('-', '')}/volumes/p/v") == "/data"
    assert kubelet.root_of(f"/pods/{UID}/volumes/p/v") == ""


def test_a_volume_of_another_root_is_not_below_it() -> None:
    folder = kubelet.volume_folder(POD, "emptyDir", "logs")
    assert kubelet.volume_below("/var/lib/kubelet", folder) is None
