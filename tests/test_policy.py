"""Which folders of the node a mount may bring logs from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.policy import NODE_FOLDERS, RUNTIME_ROOTS, Policy
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


@pytest.mark.parametrize("path", ["", "srv", "../etc", "/srv/../etc", "/srv/.."])
def test_what_is_no_plain_absolute_path_is_forbidden(path: str) -> None:
    assert POLICY.forbids(path) == "it is no absolute path without '..'"


@given(any_text.map(lambda text: text.replace("..", "")), st.sampled_from(FORBIDDEN))
def test_no_spelling_of_a_forbidden_folder_is_allowed(text: str, folder: str) -> None:
    assert POLICY.forbids(folder.replace("/", "//") + "/" + text)
    assert POLICY.forbids(folder.replace("/", "/./") + "/" + text)
