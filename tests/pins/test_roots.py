from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pilot.model import FileSet, Framing
from pilot.pins.roots import FOLDER, NoPinRootError, PinRoots
from pilot.settings import Floor, Settings
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def roots(base: Path, *paths: str) -> PinRoots:
    return PinRoots(Settings(node_root=base, pin_roots=paths, environment={}))


def output(root: str, framing: Framing = Framing.DOCKER) -> FileSet:
    return FileSet(name="stdout-x", root=root, folder="", pattern="x-json.log", framing=framing)


def test_a_root_is_made_tried_and_left_clean(tmp_path: Path) -> None:
    found = roots(tmp_path, "/pins")
    assert [each.path for each in found.roots] == ["/pins"]
    assert found.roots[0].device == tmp_path.stat().st_dev
    assert os.listdir(tmp_path / "pins") == []


def test_a_root_that_has_pins_and_a_crash_s_probes_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "pins" / "set").mkdir(parents=True)
    for name in (".probe", ".probe-2"):
        (tmp_path / "pins" / name).write_text("left")
    assert len(roots(tmp_path, "/pins").roots) == 1
    assert os.listdir(tmp_path / "pins") == ["set"]


def test_no_folder_is_made_where_nothing_of_the_node_is(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    found = roots(tmp_path, "/docker/log-pilot", "/var/pins")
    assert [each.path for each in found.roots] == ["/var/pins"]
    assert os.listdir(tmp_path) == ["var"]
    (problem,) = found.problems
    assert problem.startswith("/docker/log-pilot: ")


def test_the_order_of_preference_is_kept_and_nothing_tried_twice(tmp_path: Path) -> None:
    found = roots(tmp_path, "/b", "/a", "/b")
    assert [each.path for each in found.roots] == ["/b", "/a"]
    (tmp_path / "b").rmdir()
    found.add(["/b", "/a", "/c"])
    assert [each.path for each in found.roots] == ["/b", "/a", "/c"]


def test_without_any_root_a_person_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoPinRootError, match=r"/file: .*; /none/pins: .*--pin-root.*--pin off"):
        roots(tmp_path, "/file", "/none/pins")


@needs_root
def test_a_read_only_place_is_not_taken(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "ro", "size=64k,ro"), pytest.raises(NoPinRootError, match="Read-only"):
        roots(tmp_path, "/ro/pins")


@needs_root
def test_a_runtime_s_own_filesystem_gets_a_root_beside_its_logs(tmp_path: Path) -> None:
    (tmp_path / "var" / "log").mkdir(parents=True)
    with tmpfs(tmp_path / "data", "size=1m"):
        (tmp_path / "data" / "docker" / "containers" / "x").mkdir(parents=True)
        found = PinRoots(Settings(node_root=tmp_path, environment={}))
        assert [each.path for each in found.roots] == ["/var/log/log-pilot"]
        found.add_near(output("/data/docker/containers/x"))
        assert [each.path for each in found.roots][1:] == [f"/data/docker/{FOLDER}"]
        found.add_near(output("/data/docker/containers/y"))
        assert len(found.roots) == 2


def test_nothing_is_added_beside_a_tenant_s_folder(tmp_path: Path) -> None:
    (tmp_path / "var" / "log").mkdir(parents=True)
    (tmp_path / "v" / "containers" / "x").mkdir(parents=True)
    found = PinRoots(Settings(node_root=tmp_path, environment={}))
    found.add_near(output("/v/containers/x", Framing.LINES))
    found.add_near(output("/v/containers/x"))  # the filesystem has a root already
    found.add_near(output("/none/containers/x"))
    assert len(found.roots) == 1
    assert not (tmp_path / "v" / FOLDER).exists()


def test_chosen_roots_are_the_only_ones(tmp_path: Path) -> None:
    found = roots(tmp_path, "/pins")
    found.add_near(output("/data/containers/x"))
    assert [each.path for each in found.roots] == ["/pins"]


@needs_root
def test_a_root_whose_disk_is_full_when_the_pilot_starts_stays_in_use(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=64k,nr_inodes=8") as disk:
        (disk / "pins" / "set").mkdir(parents=True)
        (disk / "pins" / "set" / "a.log~1~1").write_text("unread\n")
        (disk / "ballast").write_bytes(b"x" * 56 * 1024)
        found = roots(tmp_path, "/disk/pins")
        assert [each.path for each in found.roots] == ["/disk/pins"]
        assert found.roots[0].device == disk.stat().st_dev
        assert os.listdir(disk / "pins") == ["set"], "no probe is left"
        (disk / "ballast").unlink()
        for number in range(8):
            try:
                (disk / str(number)).touch()
            except OSError:
                break  # no inodes any more
        assert len(roots(tmp_path, "/disk/pins").roots) == 1


@needs_root
def test_a_root_that_became_read_only_stays_in_use_for_what_it_holds(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=64k") as disk:
        (disk / "pins" / "set").mkdir(parents=True)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert [each.path for each in roots(tmp_path, "/disk/pins").roots] == ["/disk/pins"]


# -- a kubelet's own folder ------------------------------------------------------------------------

POD = "pods/9f3c2f0e-1b7a-4a53-9d7c-0d5b9a8e1c22"


def volume(root: str) -> FileSet:
    return FileSet(
        name="set", root=root, folder="", pattern="*.log", framing=Framing.LINES, inside="/logs"
    )


@pytest.fixture
def usual(tmp_path: Path) -> Iterator[PinRoots]:
    """A node with the usual root, and another filesystem at /data."""
    (tmp_path / "var" / "log").mkdir(parents=True)
    with tmpfs(tmp_path / "data", "size=1m,mode=755"):
        yield PinRoots(Settings(node_root=tmp_path, environment={}))


@needs_root
@pytest.mark.parametrize(
    "below",
    [
        f"{POD}/volumes/kubernetes.io~empty-dir/logs",
        f"{POD}/volume-subpaths/logs/app/0",
        f"{POD.replace('-', '')}/volumes/kubernetes.io~empty-dir/logs",
    ],
)
def test_another_kubelet_s_folder_gets_a_root(usual: PinRoots, tmp_path: Path, below: str) -> None:
    (tmp_path / "data" / "kubelet").mkdir()
    usual.add_near(volume(f"/data/kubelet/{below}"))
    assert [each.path for each in usual.roots] == ["/var/log/log-pilot", "/data/kubelet/log-pilot"]
    usual.add_near(volume(f"/data/kubelet/{below}"))
    assert len(usual.roots) == 2


@needs_root
def test_a_folder_that_only_looks_like_a_kubelet_s_gets_none(
    usual: PinRoots, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for name in ("open", "theirs", "link", "plain"):
        (data / name).mkdir()
    (data / "open").chmod(0o777)
    os.chown(data / "theirs", 12345, 12345)
    (data / "linked").symlink_to("plain")
    (data / "up").symlink_to(".")
    (data / "etc").mkdir(mode=0o755)
    (data / "link" / FOLDER).symlink_to("../etc")
    for name in ("open", "theirs", "linked", "link", "none", "up/plain"):
        usual.add_near(volume(f"/data/{name}/{POD}/volumes/kubernetes.io~empty-dir/logs"))
    for below in ("pods/x/volumes/y/z", f"{POD}/logs", f"x{POD}/volumes/y/z"):
        usual.add_near(volume(f"/data/plain/{below}"))
    assert [each.path for each in usual.roots] == ["/var/log/log-pilot"]
    assert os.listdir(data / "etc") == []
    assert (data / "etc").stat().st_mode & 0o777 == 0o755
    assert not (data / "plain" / FOLDER).exists()


@needs_root
def test_another_mount_of_one_filesystem_gets_a_root_of_its_own(
    usual: PinRoots, tmp_path: Path
) -> None:
    # link(2) compares mounts: from another one it answers EXDEV.
    (tmp_path / "disk" / "kubelet").mkdir(parents=True)
    (tmp_path / "seen").mkdir()
    disk, seen = str(tmp_path / "disk"), str(tmp_path / "seen")
    subprocess.run(["mount", "--bind", disk, seen], check=True)
    try:
        usual.add_near(volume(f"/seen/kubelet/{POD}/volumes/kubernetes.io~empty-dir/logs"))
        assert [each.path for each in usual.roots][1:] == ["/seen/kubelet/log-pilot"]
        assert usual.roots[0].device == usual.roots[1].device
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "seen")], check=True)


# -- while running ---------------------------------------------------------------------------------


def test_every_place_that_was_tried_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = roots(tmp_path, "/pins", "/away/pins")
    (said,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert said.startswith("no pins in /away/pins: there is no folder")
    good, bad = found.state()
    assert (good.path, good.usable, good.problem) == ("/pins", True, "")
    assert good.root == found.roots[0]
    assert (bad.path, bad.usable, bad.root) == ("/away/pins", False, None)
    assert "there is no folder" in bad.problem


def test_a_root_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    found = roots(tmp_path, "/pins")
    (tmp_path / "pins").rmdir()
    found.repair()
    assert (tmp_path / "pins").stat().st_mode & 0o777 == 0o700
    assert found.state()[0].usable


def test_a_root_whose_place_is_away_comes_back_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    found = roots(tmp_path, "/data/pins", "/pins")
    (tmp_path / "data").rename(tmp_path / "away")
    for _ in range(2):
        found.repair()
    assert [each.path for each in found.roots] == ["/pins"]
    assert not found.state()[0].usable
    assert not (tmp_path / "data").exists()
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1, "said once"
    (tmp_path / "away").rename(tmp_path / "data")
    found.repair()
    assert [each.path for each in found.roots] == ["/data/pins", "/pins"], "in their order"
    assert found.problems == []


def test_a_root_that_was_away_at_the_start_is_found_later(tmp_path: Path) -> None:
    found = roots(tmp_path, "/data/pins", "/pins")
    (tmp_path / "data").mkdir()
    found.repair()
    assert [each.path for each in found.roots] == ["/data/pins", "/pins"]


@needs_root
def test_a_root_that_goes_read_only_says_so_until_it_is_not(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=64k") as disk:
        found = roots(tmp_path, "/disk/pins")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        found.repair()
        (state,) = found.state()
        assert (state.usable, state.problem) == (False, "Read-only file system")
        assert found.roots == (state.root,), "what lies there stays in use"
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        found.repair()
        assert found.state()[0].usable


@needs_root
def test_a_root_on_another_filesystem_than_before_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    found = roots(tmp_path, "/data/pins")
    with tmpfs(tmp_path / "data", "size=64k") as disk:
        found.repair()
        assert found.roots[0].device == disk.stat().st_dev


# -- floors ----------------------------------------------------------------------------------------


@needs_root
def test_what_a_filesystem_lacks_to_its_floor_is_said_once_for_it(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=1m,nr_inodes=100") as disk:
        found = roots(tmp_path, "/disk/a", "/disk/b")
        assert list(found.short(Floor(0.0, 0.0))) == ["/disk/a"]
        assert found.filesystem(found.roots[1].device) == "/disk/a"
        lack = found.short(Floor(0.5, 0.5))["/disk/a"]
        assert (lack.bytes, lack.files) == (0, 0)
        (disk / "ballast").write_bytes(b"x" * (768 << 10))
        for number in range(60):
            (disk / str(number)).touch()
        lack = found.short(Floor(0.5, 0.5))["/disk/a"]
        free = os.statvfs(disk)
        assert lack.bytes == (512 << 10) - free.f_bavail * free.f_frsize > 0
        assert lack.files == 50 - free.f_favail > 0


def test_a_filesystem_that_is_away_lacks_nothing(tmp_path: Path) -> None:
    found = roots(tmp_path, "/pins")
    (tmp_path / "pins").rmdir()
    assert found.short(Floor(1.0, 1.0)) == {}
