from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pilot.model import FileSet, Framing
from pilot.pins.roots import FOLDER, NoPinRootError, PinRoots
from pilot.settings import Settings
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
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
