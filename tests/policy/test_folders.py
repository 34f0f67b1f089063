"""Which folders of the node a mount may bring logs from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.policy import NODE_FOLDERS, RUNTIME_ROOTS, Policy, root_of
from tests.declarations.making import any_text

POLICY = Policy(roots=("/data/docker/",))
FORBIDDEN = [*NODE_FOLDERS, *RUNTIME_ROOTS, "/data/docker"]


@pytest.mark.parametrize("kind", ["bind", "volume", "", "tmpfs"])
@pytest.mark.parametrize("folder", FORBIDDEN)
def test_the_nodes_own_folders_are_forbidden_to_every_kind(folder: str, kind: str) -> None:
    for path in (folder, folder + "/", f"/{folder}//", f"/.{folder}/."):
        assert POLICY.forbids(path, kind) == f"{folder} is the node's own"


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_whatever_lies_under_them_is_forbidden(folder: str) -> None:
    assert POLICY.forbids(f"{folder}/a/b") == f"it lies under {folder}"
    assert POLICY.forbids(f"{folder}/volumes/a/_data") == f"it lies under {folder}"


@pytest.mark.parametrize("path", ["/", "//", "/./", "/var", "/var/lib", "/var/log", "/data"])
def test_whatever_contains_one_is_forbidden(path: str) -> None:
    assert POLICY.forbids(path)
    assert POLICY.forbids(path, "volume")


@pytest.mark.parametrize(
    "path",
    [
        "/srv",
        "/etcetera",
        "/home/me/etc",
        "/var/log/app",
        "/var/libs",
        "/opt/proc",
        "/rootless",
        "/var/lib/dockerfiles",
        "/data/dockers",
        "/tmp",
        "/var/log/podsx",
    ],
)
def test_everything_else_is_allowed(path: str) -> None:
    assert POLICY.forbids(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/var/lib/docker/volumes/v/_data",
        "/data/docker/volumes/v/_data",
        "/var/lib/docker/100000.100000/volumes/v/_data",
        "/var/lib/docker/plugins/1a/propagated-mount/v",
        "/var/lib/containers/storage/volumes/v/_data",
    ],
)
def test_a_volume_may_lie_where_its_runtime_keeps_volumes_and_a_bind_may_not(path: str) -> None:
    assert POLICY.forbids(path, "volume") is None
    assert POLICY.forbids(path, "bind")


@pytest.mark.parametrize(
    "path",
    [
        "/var/lib/docker/volumes",
        "/var/lib/docker/containers/c/volumes/v",
        "/etc/volumes/v/_data",
        "/var/lib/docker/overlay2/o/merged",
        "/var/lib/kubelet/pods/p/volumes/v",
    ],
)
def test_a_volume_elsewhere_among_the_nodes_own_is_forbidden(path: str) -> None:
    assert POLICY.forbids(path, "volume")


KUBELET_ROOTS = ["/var/lib/kubelet", "/var/lib/k0s/kubelet", "/data/kubelet"]
KUBELET = Policy(roots=("/data/kubelet",))
UID = "pods/0b1c-2d"


@pytest.mark.parametrize("root", KUBELET_ROOTS)
@pytest.mark.parametrize(
    "path",
    [
        "volumes/kubernetes.io~empty-dir/logs",
        "volumes/kubernetes.io~empty-dir/logs/deep/app.log",
        "volumes/kubernetes.io~csi/pv-1/mount",
        "volumes/kubernetes.io~nfs/v",
        "volumes/kubernetes.io~local-volume/pv",
        "volumes/secret/secret",
        "volume-subpaths/logs/app/2",
        "volume-subpaths/logs/app/2/deep/app.log",
    ],
)
def test_a_pods_volume_is_a_volume(root: str, path: str) -> None:
    assert KUBELET.forbids(f"{root}/{UID}/{path}", "volume") is None
    assert KUBELET.forbids(f"{root}/{UID}/{path}", "bind")


@pytest.mark.parametrize("root", KUBELET_ROOTS)
@pytest.mark.parametrize("kind", ["volume", "bind"])
@pytest.mark.parametrize(
    "path",
    [
        f"{UID}/volumes/kubernetes.io~secret/s",
        f"{UID}/volumes/kubernetes.io~secret/s/..data/token",
        f"{UID}/volumes/kubernetes.io~configmap/s/x",
        f"{UID}/volumes/kubernetes.io~projected/kube-api-access-x/token",
        f"{UID}/volumes/kubernetes.io~downward-api/s",
        f"{UID}/volumes/kubernetes.io~empty-dir",
        f"{UID}/volumes",
        f"{UID}/volume-subpaths/logs/app",
        f"{UID}/volumeDevices/kubernetes.io~csi/pv",
        f"{UID}/etc-hosts",
        f"{UID}/containers/app/1a",
        f"{UID}/plugins/kubernetes.io~empty-dir/wrapped_x",
        f"x/{UID}/volumes/kubernetes.io~empty-dir/logs",
        UID,
        "pods",
        "pki/kubelet.key",
    ],
)
def test_what_else_a_kubelet_keeps_is_forbidden(root: str, path: str, kind: str) -> None:
    assert KUBELET.forbids(f"{root}/{path}", kind)


OWN = Policy(
    roots=("/var/lib/log-pilot", "/etc/filebeat", "/var/log/log-pilot", "/mnt/a/log-pilot/")
)


@pytest.mark.parametrize("kind", ["bind", "volume"])
@pytest.mark.parametrize(
    "path",
    [
        "/var/lib/log-pilot",
        "/var/lib/log-pilot/sets/x.json",
        "/var/log/log-pilot/stdout-abc",
        "/var/log",
        "/mnt/a/log-pilot/x",
        "/mnt/a",
        "/mnt",
    ],
)
def test_the_pilots_own_folders_are_forbidden_to_every_kind(path: str, kind: str) -> None:
    assert OWN.forbids(path, kind)
    assert OWN.forbids("/var/lib/docker/volumes/v/_data", "volume") is None
    assert OWN.forbids("/mnt/b", kind) is None


def test_a_volume_that_the_pilot_keeps_its_own_files_in_is_nobody_elses() -> None:
    own = Policy(roots=("/var/lib/docker/volumes/pilot/_data",))
    assert own.forbids("/var/lib/docker/volumes/pilot/_data", "volume")
    assert own.forbids("/var/lib/docker/volumes/other/_data", "volume") is None


def test_the_root_of_a_containers_runtime_counts_for_that_call() -> None:
    assert Policy().forbids("/data/docker/containers/x", "bind", "/data/docker")
    assert Policy().forbids("/data/docker/volumes/v/_data", "volume", "/data/docker") is None
    assert Policy().forbids("/data/docker/containers/x") is None


@pytest.mark.parametrize(
    ("log_path", "root"),
    [
        ("/data/docker/containers/a/a-json.log", "/data/docker"),
        ("/data//docker/./containers/a/a-json.log", "/data/docker"),
        ("/data/1.1/containers/a/a-json.log", "/data"),
        ("/data/containers/containers/a/a-json.log", "/data/containers"),
        ("/data/docker/containers/a/b-json.log", ""),
        ("/data/docker/containers/a/a-json.log.1", ""),
        ("/containers/a/a-json.log", ""),
        ("/var/log/pods/n_p_u/c/0.log", ""),
        ("data/containers/a/a-json.log", ""),
        ("", ""),
    ],
)
def test_the_root_is_told_by_dockers_place_for_a_log(log_path: str, root: str) -> None:
    assert root_of(log_path) == root


@pytest.mark.parametrize(
    ("path", "forbidden"),
    [
        (f"/x/containers/{'a' * 64}", True),
        (f"/x/containers/{'a' * 64}/mounts/secrets", True),
        (f"/x/containers/{'a' * 63}", False),
        (f"/x/containers/{'a' * 65}", False),
        ("/x/containers/web", False),
        (f"/x/{'a' * 64}", False),
    ],
)
def test_what_looks_like_one_containers_folder_is_forbidden_but_in_a_volume(
    path: str, *, forbidden: bool
) -> None:
    assert bool(Policy().forbids(path)) is forbidden
    assert bool(Policy().forbids(path, "volume")) is forbidden
    assert Policy().forbids(f"/data/docker/volumes/dind/_data{path}", "volume") is None
    assert bool(Policy().forbids(f"/data/docker/volumes/dind/_data{path}")) is forbidden


@pytest.mark.parametrize("path", ["", "srv", "../etc", "/srv/../etc", "/srv/.."])
def test_what_is_no_plain_absolute_path_is_forbidden(path: str) -> None:
    assert POLICY.forbids(path) == "it is no absolute path without '..'"


@given(any_text.map(lambda text: text.replace("..", "")), st.sampled_from(FORBIDDEN))
def test_no_spelling_of_a_forbidden_folder_is_allowed(text: str, folder: str) -> None:
    assert POLICY.forbids(folder.replace("/", "//") + "/" + text)
    assert POLICY.forbids(folder.replace("/", "/./") + "/" + text)
