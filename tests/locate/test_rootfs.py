"""Files on no mount: in the upper directory of the container's overlay, by leave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from pilot.locate import locate, mount_of, runtime_home
from pilot.model import ROOTFS, Container, FileSet, Mount, Rejection
from pilot.names import volume_set_name
from tests.declarations.making import any_text, bind, container, values

UPPER = f"/var/lib/docker/overlay2/{'c' * 64}/diff"


def own(*mounts: Mount, rootfs: str = UPPER) -> Container:
    return replace(container(mounts=mounts), rootfs=rootfs)


def found(item: str, here: Container) -> FileSet:
    place = locate(here, "key", item, rootfs=True, recursive=True)
    assert isinstance(place, FileSet), place
    return place


def refused(item: str, here: Container, *, rootfs: bool = True) -> Rejection:
    place = locate(here, "key", item, rootfs=rootfs)
    assert isinstance(place, Rejection), place
    return place


@pytest.mark.parametrize(
    ("item", "folder", "pattern", "inside"),
    [
        ("/app/logs/a.log", "app/logs", "a.log", "/app/logs"),
        ("/app/*.log", "app", "*.log", "/app"),
        ("/app/*/x/a.log", "app", "*/x/a.log", "/app"),
        ("/app/**", "app", "**", "/app"),
        ("/a.log", "", "a.log", "/"),
        ("/*/a.log", "", "*/a.log", "/"),
        ("//app/./a.log", "app", "a.log", "/app"),
        ("/devices/a.log", "devices", "a.log", "/devices"),
    ],
)
def test_without_a_mount_it_lies_in_the_upper_directory(
    item: str, folder: str, pattern: str, inside: str
) -> None:
    place = found(item, own())
    assert (place.root, place.folder, place.pattern) == (UPPER, folder, pattern)
    assert (place.inside, place.mounted_at) == (inside, "/")
    assert place.rotated
    assert place.name == volume_set_name(UPPER, folder, pattern)
    assert mount_of(own(), item, rootfs=True) == Mount("/", UPPER, ROOTFS)


def test_a_mount_is_nearer_than_the_own_filesystem() -> None:
    here = own(bind("/logs", "/srv/logs"), Mount("/tmp", "", "tmpfs"))
    assert found("/logs/a", here).root == "/srv/logs"
    assert mount_of(here, "/logs/a", rootfs=True) == here.mounts[0]
    assert found("/logs2/a", here).root == UPPER
    assert refused("/tmp/a", here).code == "mount-unsupported"


def test_without_leave_it_is_refused_and_who_gives_it_is_said() -> None:
    rejection = refused("/app/a.log", own(), rootfs=False)
    assert rejection.code == "path-not-mounted"
    assert "--rootfs (PILOT_ROOTFS)" in rejection.reason
    assert mount_of(own(), "/app/a.log") is None


@pytest.mark.parametrize("rootfs", ["", "relative", "/up/../x", "/a\n", "/", "//."])
def test_an_own_filesystem_that_cannot_be_had_is_refused(rootfs: str) -> None:
    rejection = refused("/app/a.log", own(rootfs=rootfs))
    assert rejection.code == "mount-unsupported"
    assert str(rejection).isprintable()


@pytest.mark.parametrize("item", ["/proc/1/x", "/dev/shm/a.log", "/dev/a.log", "/sys/*/a"])
@pytest.mark.parametrize("rootfs", [True, False])
def test_what_the_runtime_mounts_itself_has_no_files_on_the_node(item: str, rootfs: bool) -> None:
    rejection = refused(item, own(), rootfs=rootfs)
    assert rejection.code == "mount-unsupported"
    assert "in memory" in rejection.reason


@pytest.mark.parametrize(
    ("root", "home"),
    [
        (UPPER, "/var/lib/docker"),
        (f"/var/lib/docker/100000.100000/overlay2/{'c' * 64}/diff", "/var/lib/docker"),
        ("/data/docker/overlay2/1-init/diff", "/data/docker"),
        (
            "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/12/fs",
            "/var/lib/containerd",
        ),
        ("/var/lib/containers/storage/overlay/ab/diff", "/var/lib/containers/storage"),
        ("/home/x/.local/share/docker/fuse-overlayfs/ab/diff", "/home/x/.local/share/docker"),
        (f"{UPPER}/etc", ""),
        (f"{UPPER}/", ""),
        ("/var/lib/docker/overlay2/ab/merged", ""),
        ("/var/lib/docker/overlay2/../diff", ""),
        ("/overlay2/ab/diff", ""),
        ("/var/lib/docker/volumes/x/_data", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_an_upper_directory_is_known_by_its_shape(root: str, home: str) -> None:
    assert runtime_home(root) == home


@given(values | any_text.map(lambda text: f"/{text}"))
def test_whatever_is_asked_it_lies_in_the_upper_directory(item: str) -> None:
    place = locate(own(), "key", item, rootfs=True, recursive=True)
    if isinstance(place, FileSet) and place.inside:
        assert place.root == UPPER
        assert f"{place.directory}/".startswith(f"{UPPER}/")
        assert not {"..", ".", ""} & set(place.pattern.split("/"))
