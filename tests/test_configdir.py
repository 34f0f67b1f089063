from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pilot.configdir import MARK, ConfigDirectory
from pilot.files import TEMPORARY
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from pathlib import Path

ONE = MARK + b"\none\n"
TWO = MARK + b"\ntwo\n"


def opened(folder: Path) -> ConfigDirectory:
    directory = ConfigDirectory(folder, ".yml")
    directory.adopt()
    return directory


def identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def test_the_folder_is_made(tmp_path: Path) -> None:
    directory = opened(tmp_path / "a" / "b")
    assert directory.write("x.yml", ONE)
    assert (tmp_path / "a" / "b" / "x.yml").read_bytes() == ONE
    directory.sync()


def test_unchanged_bytes_are_not_touched(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    directory.write("x.yml", ONE)
    before = identity(tmp_path / "x.yml")
    assert not directory.write("x.yml", ONE)
    assert not opened(tmp_path).write("x.yml", ONE)
    assert identity(tmp_path / "x.yml") == before


def test_changed_bytes_come_as_a_new_file(tmp_path: Path) -> None:
    opened(tmp_path).write("x.yml", ONE)
    before = identity(tmp_path / "x.yml")
    assert opened(tmp_path).write("x.yml", TWO)
    assert identity(tmp_path / "x.yml")[0] != before[0]
    assert (tmp_path / "x.yml").read_bytes() == TWO


def test_a_crash_s_leftovers_go_and_the_files_stay(tmp_path: Path) -> None:
    opened(tmp_path).write("x.yml", ONE)
    (tmp_path / f"{TEMPORARY}x.yml~").write_bytes(MARK + b"\nhal")
    directory = opened(tmp_path)
    assert os.listdir(tmp_path) == ["x.yml"]
    assert directory.names() == ["x.yml"]


def test_files_without_our_mark_are_somebody_else_s(tmp_path: Path) -> None:
    foreign = {
        "admin.yml": b"- type: filestream\n",
        "empty.yml": b"",
        "half.yml": MARK[:-1],
        "late.yml": b"\n" + MARK,
        "ours-elsewhere.txt": ONE,
    }
    for name, content in foreign.items():
        (tmp_path / name).write_bytes(content)
    directory = opened(tmp_path)
    assert directory.names() == []
    for name in foreign:
        assert not directory.remove(name)
    assert {name: (tmp_path / name).read_bytes() for name in foreign} == foreign


def test_a_wanted_name_that_somebody_else_has_is_not_overwritten(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    (tmp_path / "x.yml").write_bytes(b"mine\n")  # made after we looked
    with pytest.raises(FileExistsError, match="left alone"):
        directory.write("x.yml", ONE)
    assert (tmp_path / "x.yml").read_bytes() == b"mine\n"
    (tmp_path / "x.yml").unlink()
    assert directory.write("x.yml", ONE)


def test_symlinks_folders_and_pipes_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(ONE)
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "link.yml").symlink_to(outside)
    (folder / "dir.yml").mkdir()
    os.mkfifo(folder / "pipe.yml")
    directory = opened(folder)
    assert directory.names() == []
    assert outside.read_bytes() == ONE


def test_only_files_of_ours_are_removed(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    directory.write("x.yml", ONE)
    assert directory.remove("x.yml")
    assert not directory.remove("x.yml")
    assert os.listdir(tmp_path) == []
    directory.write("y.yml", ONE)
    (tmp_path / "y.yml").unlink()  # somebody was faster
    assert directory.remove("y.yml")
    assert directory.names() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("../x.yml", ONE), ("a/b.yml", ONE), (".x.yml", ONE), ("x.yml", b"no mark")],
)
def test_what_is_no_file_of_ours_is_never_written(
    tmp_path: Path, name: str, content: bytes
) -> None:
    directory = opened(tmp_path / "d")
    with pytest.raises(ValueError, match="config directory"):
        directory.write(name, content)
    assert os.listdir(tmp_path) == ["d"]
    assert os.listdir(tmp_path / "d") == []


@needs_root
def test_a_full_disk_keeps_the_last_good_file_and_recovers(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=64k") as folder:
        directory = opened(folder)
        directory.write("x.yml", ONE)
        (folder / "ballast").write_bytes(b"x" * 40_000)
        big = MARK + b"\n" + b"y" * 40_000
        with pytest.raises(OSError, match="No space"):
            directory.write("x.yml", big)
        assert (folder / "x.yml").read_bytes() == ONE
        assert sorted(os.listdir(folder)) == ["ballast", "x.yml"]
        (folder / "ballast").unlink()
        assert directory.write("x.yml", big)
        assert (folder / "x.yml").read_bytes() == big


@needs_root
def test_a_read_only_folder_keeps_the_last_good_file_and_recovers(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=64k") as folder:
        directory = opened(folder)
        directory.write("x.yml", ONE)
        remount(folder, "ro")
        with pytest.raises(OSError, match="Read-only"):
            directory.write("x.yml", TWO)
        with pytest.raises(OSError, match="Read-only"):
            directory.remove("x.yml")
        assert (folder / "x.yml").read_bytes() == ONE
        remount(folder, "rw")
        assert directory.write("x.yml", TWO)
        assert directory.remove("x.yml")


def remount(folder: Path, mode: str) -> None:
    assert os.system(f"mount -o remount,{mode} {folder}") == 0


def test_nothing_is_altered_by_our_own_writing(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    for content in (ONE, TWO):
        directory.write("x.yml", content)
        assert not directory.forget_altered()
    directory.remove("x.yml")
    assert not directory.forget_altered()
    directory.write("x.yml", ONE)
    assert not opened(tmp_path).forget_altered()


@pytest.mark.parametrize("alteration", ["removed", "changed", "replaced", "a folder"])
def test_a_file_that_somebody_altered_is_written_again(
    tmp_path: Path, alteration: str, caplog: pytest.LogCaptureFixture
) -> None:
    directory = opened(tmp_path)
    for name in ("x.yml", "y.yml"):
        directory.write(name, ONE)
    before = identity(tmp_path / "y.yml")
    if alteration == "removed":
        (tmp_path / "x.yml").unlink()
    elif alteration == "changed":
        with (tmp_path / "x.yml").open("ab") as file:
            file.write(b"edited\n")
    elif alteration == "replaced":
        (tmp_path / "new").write_bytes(ONE)
        (tmp_path / "new").rename(tmp_path / "x.yml")
    else:
        (tmp_path / "x.yml").unlink()
        (tmp_path / "x.yml").mkdir()
    assert directory.forget_altered()
    assert directory.names() == ["y.yml"]
    assert len([line for line in caplog.messages if "x.yml was altered" in line]) == 1
    if alteration == "a folder":
        with pytest.raises(OSError, match="directory"):
            directory.write("x.yml", ONE)
        (tmp_path / "x.yml").rmdir()
    assert directory.write("x.yml", ONE)
    assert (tmp_path / "x.yml").read_bytes() == ONE
    assert not directory.write("y.yml", ONE)
    assert identity(tmp_path / "y.yml") == before
    assert not directory.forget_altered()
