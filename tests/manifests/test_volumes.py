"""Every kind of volume, and the folder of the node that the kubelet has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from pilot.manifests.environment import Environment
from pilot.manifests.volumes import PodFolder, PodMount, mount_of_runtime, mounts
from pilot.model import Mount
from tests.manifests.making import PODS, UID

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = PodFolder(kubelet_root="/var/lib/kubelet/", uid=UID)


def placed(volume: str, mount: str = "{name: v, mountPath: /logs}", **env: str) -> PodMount:
    spec = {"volumes": [{"name": "v", **yaml.safe_load(volume)}]}
    container = {"name": "app", "volumeMounts": [{"name": "gone"}, yaml.safe_load(mount)]}
    (found,) = mounts(spec, container, FOLDER, Environment(values=dict(env)))
    return found


@pytest.mark.parametrize(
    ("volume", "folder"),
    [
        ("{}", "kubernetes.io~empty-dir/v"),
        ("{emptyDir: {}}", "kubernetes.io~empty-dir/v"),
        ("{emptyDir: {medium: Memory}}", "kubernetes.io~empty-dir/v"),
        ("{csi: {driver: d}}", "kubernetes.io~csi/v/mount"),
        ("{nfs: {server: s, path: /p}}", "kubernetes.io~nfs/v"),
        ("{flexVolume: {driver: vendor.com/foo}}", "vendor.com~foo/v"),
    ],
)
def test_a_volume_that_the_kubelet_places_lies_in_the_pod_s_folder(
    volume: str, folder: str
) -> None:
    found = placed(volume)
    source = f"{PODS}/volumes/{folder}"
    assert found == PodMount(Mount("/logs", source, "volume", "v"), listed=source)


@pytest.mark.parametrize(
    "kind",
    [
        "secret",
        "configMap",
        "projected",
        "downwardAPI",
        "image",
        "persistentVolumeClaim",
        "ephemeral",
        "awsElasticBlockStore",
    ],
)
def test_a_volume_without_files_or_without_a_known_place_has_no_source(kind: str) -> None:
    assert placed(f"{{{kind}: {{}}}}").mount == Mount("/logs", "", kind, "v")
    sub = placed(f"{{{kind}: {{}}}}", "{name: v, mountPath: /logs, subPath: a}")
    assert sub.mount == Mount("/logs", "", kind, "v")


def test_a_host_path_is_a_bind_of_the_path_itself() -> None:
    assert placed("{hostPath: {path: /srv/logs/}}").mount == Mount(
        "/logs", "/srv/logs", "bind", "v"
    )


def test_a_sub_path_is_bound_by_its_place_in_the_list_and_reached_through_the_volume() -> None:
    found = placed("{emptyDir: {}}", "{name: v, mountPath: /logs, subPath: a/./b}")
    bound = f"{PODS}/volume-subpaths/v/app/1"
    assert found.mount == Mount("/logs", bound, "volume", "v")
    assert found.plain == f"{PODS}/volumes/kubernetes.io~empty-dir/v/a/b"
    assert found.listed == bound


def test_a_sub_path_of_a_host_path_is_judged_by_the_node_s_path() -> None:
    found = placed("{hostPath: {path: /srv}}", "{name: v, mountPath: /logs, subPath: deep/er}")
    assert found.mount == Mount("/logs", "/srv/deep/er", "bind", "v")
    assert found.listed == f"{PODS}/volume-subpaths/v/app/1"


def test_a_sub_path_expression_is_expanded() -> None:
    mount = "{name: v, mountPath: /logs, subPathExpr: $(POD)-x}"
    assert placed("{emptyDir: {}}", mount, POD="web").plain.endswith("/v/web-x")
    unknown = placed("{emptyDir: {}}", mount)
    assert unknown.plain == ""
    assert unknown.mount.source == f"{PODS}/volume-subpaths/v/app/1"
    assert placed("{hostPath: {path: /srv}}", mount).mount.source == ""


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x"])
def test_a_sub_path_that_leads_out_has_no_way_through_the_volume(path: str) -> None:
    mount = f"{{name: v, mountPath: /logs, subPath: {path}}}"
    assert placed("{emptyDir: {}}", mount).plain == ""
    assert placed("{hostPath: {path: /srv}}", mount).mount.source == ""


@pytest.mark.parametrize("path", ["", ".", "./"])
def test_a_sub_path_that_names_the_volume_itself_is_none(path: str) -> None:
    mount = f"{{name: v, mountPath: /logs, subPath: '{path}'}}"
    assert placed("{emptyDir: {}}", mount).mount.source.endswith("~empty-dir/v")


def test_a_block_device_has_no_files() -> None:
    container = {"name": "app", "volumeDevices": [{"name": "d", "devicePath": "/dev/xvda"}]}
    (found,) = mounts({}, container, FOLDER, Environment())
    assert found.mount == Mount("/dev/xvda", "", "block", "d")


def test_names_that_lead_elsewhere_have_no_folder() -> None:
    spec = {"volumes": [{"name": "../../x", "emptyDir": {}}]}
    container = {"name": "app", "volumeMounts": [{"name": "../../x", "mountPath": "/l"}]}
    (found,) = mounts(spec, container, FOLDER, Environment())
    assert found.mount.source == ""


@pytest.mark.parametrize("junk", [None, 5, "x", [], [1], {"name": []}, [{"name": {}}], [[[]]]])
def test_what_is_of_no_shape_is_left_out(junk: object) -> None:
    given: Mapping[str, object] = {"volumes": junk, "volumeMounts": junk, "volumeDevices": junk}
    assert mounts(given, given, FOLDER, Environment()) == ()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (f"{PODS}/volumes/kubernetes.io~empty-dir/ed", "volume"),
        (f"{PODS}/volume-subpaths/ed/app1/2", "volume"),
        (f"{PODS}/etc-hosts", "bind"),
        ("/srv/logs", "bind"),
    ],
)
def test_a_mount_that_the_runtime_lists_has_the_kind_of_its_folder(source: str, kind: str) -> None:
    assert mount_of_runtime("/a", source) == Mount("/a", source, kind)


@pytest.mark.parametrize(
    ("plugin", "kind"),
    [
        ("configmap", "configMap"),
        ("secret", "secret"),
        ("projected", "projected"),
        ("downward-api", "downwardAPI"),
    ],
)
def test_the_kubelet_s_own_files_are_no_logs(plugin: str, kind: str) -> None:
    source = f"{PODS}/volumes/kubernetes.io~{plugin}/x"
    assert mount_of_runtime("/a", source) == Mount("/a", "", kind)
    assert mount_of_runtime("/a", "", image=True) == Mount("/a", "", "image")
