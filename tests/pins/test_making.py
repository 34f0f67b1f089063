from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pilot
from pilot.model import PinKind
from pilot.pins.copying import SAMPLE
from pilot.pins.making import AT_ONCE, LEAST, Copier, Made, PausedError, make
from pilot.settings import Floor
from tests.fakes.disks import needs_root, tmpfs
from tests.pins.node import Node, elsewhere, key_of, open_files

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = Floor(0.0, 0.0)
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from pilot.settings import Floor
from pilot.pins.making import Copier, make
os.setresuid(12345, 12345, 12345)
made = make(int(sys.argv[1]), Path(), ("pin",), Copier(Floor(0.0, 0.0)))
print(made.kind, made.size)
"""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """An original as a look has it; nothing else stays open, whatever comes of it."""
    before = open_files()
    file = os.open(path, os.O_PATH)
    try:
        yield file
    finally:
        os.close(file)
        assert open_files() == before


def made(node: Node, path: Path, *names: str, copier: Copier | None = None) -> Made:
    with opened(path) as file:
        return make(file, node.at(node.pins) / "set", names or ("pin",), copier or Copier(FREE))


def pin(node: Node, name: str = "pin") -> Path:
    return node.at(node.pins) / "set" / name


# -- links -----------------------------------------------------------------------------------------


def test_a_pin_is_a_link_to_the_open_file(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    with opened(log) as file:
        log.rename(node.logs / "app.log.1")
        log.write_text("another")
        result = make(file, pin(node).parent, ("pin",), Copier(FREE))
    assert result == Made("pin", PinKind.LINKED)
    assert key_of(pin(node)) == key_of(node.logs / "app.log.1")


def test_the_folder_of_pins_is_made_for_us_alone(node: Node) -> None:
    (node.logs / "app.log").touch()
    node.at(node.pins).rmdir()
    made(node, node.logs / "app.log")
    for folder in (pin(node).parent, node.at(node.pins)):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_root_whose_parent_is_away_is_not_made(node: Node) -> None:
    (node.logs / "app.log").touch()
    away = node.base / "away" / "pins" / "set"
    with opened(node.logs / "app.log") as file, pytest.raises(FileNotFoundError):
        make(file, away, ("pin",), Copier(FREE))
    assert not (node.base / "away").exists()


def test_a_link_that_is_there_already_is_the_pin(node: Node) -> None:
    (node.logs / "app.log").touch()
    assert made(node, node.logs / "app.log") == made(node, node.logs / "app.log")


def test_a_name_that_another_file_s_pin_has_is_not_used_again(node: Node) -> None:
    for name in ("a.log", "b.log", "c.log"):
        (node.logs / name).write_text(name)
    made(node, node.logs / "a.log", "1")
    made(node, node.logs / "b.log", "2")
    assert made(node, node.logs / "c.log", "1", "2", "3") == Made("3", PinKind.LINKED)
    assert pin(node, "1").read_text() == "a.log"
    with pytest.raises(FileExistsError):
        made(node, node.logs / "c.log", "1", "2")


@needs_root
def test_a_link_to_a_read_only_root_is_an_error_and_no_copy(node: Node) -> None:
    (node.logs / "app.log").write_text("one\n")
    with tmpfs(node.base / "other", "size=64k"):
        (node.base / "other" / "set").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(node.base / "other")], check=True)
        with opened(node.logs / "app.log") as file, pytest.raises(OSError, match="Read-only") as no:
            make(file, node.base / "other" / "set", ("pin",), Copier(FREE))
        assert no.value.errno == errno.EROFS


# -- copies ----------------------------------------------------------------------------------------


def test_where_no_link_is_possible_a_copy_is_begun(node: Node) -> None:
    (node.logs / "app.log").write_text("one\n")
    with elsewhere(node) as other:
        assert made(other, node.logs / "app.log") == Made("pin", PinKind.COPIED, 4)
        assert pin(other).read_text() == "one\n"


@needs_root
def test_an_append_only_file_is_copied(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    if subprocess.run(["chattr", "+a", str(log)], capture_output=True).returncode:
        pytest.skip("this filesystem has no append-only files")
    try:
        assert made(node, log) == Made("pin", PinKind.COPIED, 4)
        assert log.stat().st_nlink == 1
    finally:
        subprocess.run(["chattr", "-a", str(log)], check=True)


@needs_root
def test_who_may_not_link_others_files_copies_them(node: Node) -> None:
    # fs.protected_hardlinks: without CAP_FOWNER only what one may write to can be linked.
    log = node.logs / "app.log"
    log.write_text("one\n")
    log.chmod(0o644)
    if Path("/proc/sys/fs/protected_hardlinks").read_text().strip() != "1":
        pytest.skip("fs.protected_hardlinks is off here")
    pin(node).parent.mkdir()
    os.chown(pin(node).parent, 12345, 12345)
    file = os.open(log, os.O_PATH)
    try:
        ran = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(file)],
            cwd=pin(node).parent,
            env={"PYTHONPATH": str(Path(pilot.__file__).parent.parent)},
            pass_fds=[file],
            capture_output=True,
            text=True,
        )
    finally:
        os.close(file)
    assert (ran.stdout, ran.stderr) == ("copied 4\n", "")
    assert pin(node).read_text() == "one\n"


def test_a_file_that_lost_its_last_name_is_saved_by_a_copy(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    with opened(log) as file:
        log.unlink()
        result = make(file, pin(node).parent, ("pin",), Copier(FREE))
    assert result == Made("pin", PinKind.COPIED, 4)
    assert pin(node).read_text() == "one\n"


def test_of_an_empty_file_that_lost_its_last_name_nothing_is_kept(node: Node) -> None:
    log = node.logs / "app.log"
    log.touch()
    with opened(log) as file:
        log.unlink()
        with pytest.raises(FileNotFoundError):
            make(file, pin(node).parent, ("pin",), Copier(FREE))
    assert list(pin(node).parent.iterdir()) == []


def test_a_copy_that_a_kill_left_without_a_record_goes_on(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    with elsewhere(node) as other:
        made(other, log)
        log.write_text("one\ntwo\n")
        assert made(other, log) == Made("pin", PinKind.COPIED, 8)


def test_another_file_s_copy_keeps_its_name(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    with elsewhere(node) as other:
        made(other, log)
        log.write_text("other\n")
        assert made(other, log, "pin", "2").name == "2"
        assert pin(other).read_text() == "one\n"


@needs_root
def test_where_there_is_no_inode_for_a_copy_nothing_is_left(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    with tmpfs(node.base / "other", "size=64k,nr_inodes=3"):
        other = Node(node.base, pins="/other/pins")
        pin(other).parent.mkdir()
        with pytest.raises(OSError, match="No space") as raised:
            made(other, log)
        assert raised.value.errno == errno.ENOSPC
        assert list(pin(other).parent.iterdir()) == []


# -- one look's share ------------------------------------------------------------------------------


def test_while_nothing_may_be_copied_none_is_begun(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    copier = Copier(FREE, full=True)
    assert made(node, log, copier=copier).kind is PinKind.LINKED
    assert not copier.paused
    with elsewhere(node) as other:
        with pytest.raises(PausedError):
            made(other, log, copier=copier)
        assert copier.paused
        assert not pin(other).exists()


def test_a_look_shares_its_bytes_out_and_leaves_some_for_each(node: Node) -> None:
    log, text = node.logs / "app.log", b"x" * (2 * LEAST)
    log.write_bytes(text)
    copier = Copier(FREE, left=LEAST + SAMPLE)
    with elsewhere(node) as other, opened(log) as file:
        sizes = [copier.grow(file, other.at(other.pins) / str(number)).size for number in range(3)]
        assert sizes == [LEAST + SAMPLE, LEAST, LEAST]
        assert copier.unfinished
        assert copier.spent > 0
    assert AT_ONCE > LEAST


def test_a_copy_that_is_up_to_date_leaves_nothing_to_do(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    copier = Copier(FREE)
    with elsewhere(node) as other, opened(log) as file:
        for _ in range(2):
            copier.grow(file, other.at(other.pins) / "pin")
    assert not copier.unfinished
    assert not copier.paused


def test_a_missing_copy_is_an_error_only_where_it_must_be_there(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    copier = Copier(FREE, full=True)
    with opened(log) as file:
        assert copier.grow(file, node.at("/pins/none")).more
        assert copier.paused
        with pytest.raises(FileNotFoundError):
            copier.grow(file, node.at("/pins/none"), new=False)
    assert not node.at("/pins/none").exists()
