from __future__ import annotations

import errno
import fnmatch
import os
import resource
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pilot.files import TEMPORARY, remove_temporaries, short_name, sync_folder, write_atomically
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_replaced_as_a_whole_by_a_new_inode(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new content")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new content"
    assert os.listdir(tmp_path) == ["a.yml"]


def test_the_mode_is_the_one_asked_for(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", b"x")
    write_atomically(tmp_path / "public", b"x", mode=0o644)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode & 0o777 & ~0o644 == 0


def test_no_collector_matches_a_file_that_is_being_written(tmp_path: Path) -> None:
    # Go's filepath.Glob and Python's fnmatch alike take a leading dot for `*`.
    code = (
        "import os, resource, signal, sys, pathlib\n"
        "from pilot.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"  # ends the process in mid-write
        "write_atomically(pathlib.Path(sys.argv[1]), b'x' * (1 << 20))\n"
    )
    name = "0123.yml"
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, cwd=tmp_path
    )
    assert ended.returncode < 0
    (left,) = os.listdir(tmp_path)
    assert left.startswith(TEMPORARY)
    assert not fnmatch.fnmatch(left, "*.yml")
    assert remove_temporaries(tmp_path) == 1
    assert os.listdir(tmp_path) == []


def test_a_name_of_full_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".yml")
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_write_that_fails_keeps_the_old_content_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    write_atomically(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # Python ignores SIGXFSZ: EFBIG
    try:
        with pytest.raises(OSError, match="too large") as caught:
            write_atomically(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.yml"]


@needs_root
def test_a_full_disk_keeps_the_old_content_and_leaves_nothing(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=64k") as folder:
        path = folder / "a.yml"
        write_atomically(path, b"old")
        with pytest.raises(OSError, match="No space") as caught:
            write_atomically(path, b"x" * 200_000)
        assert caught.value.errno == errno.ENOSPC
        assert path.read_bytes() == b"old"
        assert os.listdir(folder) == ["a.yml"]
        write_atomically(path, b"y" * 30_000)
        assert path.stat().st_size == 30_000


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "a.yml", b"x")
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "no")
    sync_folder(tmp_path)


def test_a_target_that_is_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "a.yml", b"x")
    assert os.listdir(tmp_path) == ["a.yml"]


def test_only_our_own_leftovers_are_removed(tmp_path: Path) -> None:
    for name in (f"{TEMPORARY}a.yml~", f"{TEMPORARY}b.yml", ".hidden.yml", "a.yml", "a.yml~"):
        (tmp_path / name).write_bytes(b"x")
    assert remove_temporaries(tmp_path) == 2
    assert sorted(os.listdir(tmp_path)) == [".hidden.yml", "a.yml", "a.yml~"]


def test_a_socket_may_lie_deeper_than_the_kernel_s_limit(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as asking:
        with short_name(folder / "s") as name:
            listening.bind(name)
        listening.listen()
        assert (folder / "s").is_socket()
        with short_name(folder / "s") as name:
            asking.connect(name)
