from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot.pins.copying import SAMPLE, Growth, grow, keep_floor, punch
from pilot.settings import Floor
from tests.fakes.disks import needs_root, tmpfs
from tests.pins.node import open_files

FREE = Floor(0.0, 0.0)
MANY = 1 << 30
BLOCK = 4096


def grown(log: Path, copy: Path, *, most: int = MANY, floor: Floor = FREE) -> Growth:
    """One look's work for one copy; nothing stays open, whatever comes of it."""
    before = open_files()
    file = os.open(log, os.O_PATH)
    try:
        return grow(file, copy, most=most, floor=floor)
    finally:
        os.close(file)
        assert open_files() == before


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def append(log: Path, text: bytes) -> None:
    with log.open("ab") as file:
        file.write(text)


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


# -- growing ---------------------------------------------------------------------------------------


def test_a_copy_grows_by_what_its_original_grew_by(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    assert grown(log, copy) == Growth(4, 4)
    assert grown(log, copy) == Growth(4, 0)
    append(log, b"two\n" * 1000)
    assert grown(log, copy) == Growth(4004, 4000)
    assert copy.read_bytes() == log.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600


def test_what_one_look_does_not_copy_the_next_ones_do(log: Path, copy: Path) -> None:
    log.write_bytes(os.urandom(10_000))
    assert grown(log, copy, most=4000) == Growth(4000, 4000, more=True)
    assert grown(log, copy, most=4000) == Growth(8000, 4000, more=True)
    assert grown(log, copy, most=4000) == Growth(10_000, 2000)
    assert copy.read_bytes() == log.read_bytes()


def test_without_leave_to_add_anything_it_is_said_that_there_is_more(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    grown(log, copy)
    append(log, b"two\n")
    assert grown(log, copy, most=0) == Growth(4, 0, more=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs CAP_DAC_READ_SEARCH")
def test_a_file_that_nobody_may_read_is_copied(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    log.chmod(0)
    assert grown(log, copy) == Growth(4, 4)


def test_a_copy_is_not_begun_where_it_should_be_already(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    before = open_files()
    with log.open("rb") as file, pytest.raises(FileNotFoundError):
        grow(file.fileno(), copy, most=MANY, floor=FREE, new=False)
    assert not copy.exists()
    assert open_files() == before


def test_a_symlink_in_the_copy_s_place_is_not_written_through(
    log: Path, copy: Path, tmp_path: Path
) -> None:
    log.write_bytes(b"one\n")
    copy.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        grown(log, copy)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("sparse", [False, True])
def test_a_file_that_shrinks_and_grows_while_it_is_read_holds_nobody_up(
    log: Path, copy: Path, sparse: bool
) -> None:
    text, stop = os.urandom(1 << 20), threading.Event()
    log.write_bytes(text)

    file = log.open("r+b", buffering=0)

    def write() -> None:
        while not stop.is_set():
            file.truncate(0)
            file.seek(BLOCK if sparse else 0)
            file.write(text)

    writing = threading.Thread(target=write)
    writing.start()
    outcomes = set()
    try:
        for number in range(300):
            growth = grown(log, copy.with_name(f"copy-{number % 10}"))
            outcomes.add(growth.same)
            if not growth.same:
                copy.with_name(f"copy-{number % 10}").unlink()
    finally:
        stop.set()
        writing.join()
        file.close()
    assert True in outcomes


def test_a_file_that_grows_while_it_is_read_is_copied_whole(log: Path, copy: Path) -> None:
    def write() -> None:
        for number in range(3000):
            file.write(b"%d\n" % number * 20)

    with log.open("ab", buffering=0) as file:
        writing = threading.Thread(target=write)
        writing.start()
        while writing.is_alive():
            assert grown(log, copy).same
        writing.join()
        assert grown(log, copy).same
    assert copy.read_bytes() == log.read_bytes()


# -- another file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, SAMPLE, 10 * SAMPLE])
@pytest.mark.parametrize("longer", [-1, 0, 1, 10 * SAMPLE])
def test_a_file_that_was_truncated_and_grew_again_is_another(
    log: Path, copy: Path, size: int, longer: int
) -> None:
    log.write_bytes(os.urandom(size))
    grown(log, copy)
    before = copy.read_bytes()
    log.write_bytes(os.urandom(size + longer))  # the same inode
    assert grown(log, copy) == Growth(size, same=False)
    assert copy.read_bytes() == before


def test_a_file_that_the_caller_knows_to_be_another_is(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    grown(log, copy)
    append(log, b"two\n")
    with log.open("rb") as file:
        growth = grow(file.fileno(), copy, most=MANY, floor=FREE, same=False)
    assert growth == Growth(4, same=False)


def test_the_start_tells_files_apart_that_end_alike(log: Path, copy: Path) -> None:
    log.write_bytes(b"first" + b"x" * 2 * SAMPLE)
    grown(log, copy)
    log.write_bytes(b"other" + b"x" * 2 * SAMPLE)
    assert not grown(log, copy).same


# -- holes -----------------------------------------------------------------------------------------


def test_a_sparse_file_gives_a_sparse_copy(log: Path, copy: Path) -> None:
    with log.open("wb") as file:
        for place in (5 << 20, 1 << 30, 1 << 40):
            file.seek(place)
            file.write(b"data")
        file.truncate((1 << 40) + (1 << 20))
    size = log.stat().st_size
    assert grown(log, copy) == Growth(size, size)
    assert copy.stat().st_size == size
    assert allocated(copy) <= allocated(log)
    with copy.open("rb") as file:
        for place in (5 << 20, 1 << 30, 1 << 40):
            file.seek(place - 2)
            assert file.read(8) == b"\0\0data\0\0"


def test_holes_cost_nothing_of_what_a_look_may_copy(log: Path, copy: Path) -> None:
    with log.open("wb") as file:
        file.seek(1 << 30)
        file.write(b"x" * BLOCK)
    assert grown(log, copy, most=BLOCK) == Growth((1 << 30) + BLOCK, (1 << 30) + BLOCK)


def test_a_file_that_is_only_a_hole_is_copied(log: Path, copy: Path) -> None:
    log.touch()
    os.truncate(log, 1 << 20)
    assert grown(log, copy).size == 1 << 20
    assert allocated(copy) == 0
    append(log, b"end\n")
    assert grown(log, copy).added == 4
    assert copy.read_bytes()[-5:] == b"\0end\n"


@needs_root
def test_where_holes_cannot_be_told_they_are_copied_as_zeros(copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ramfs"  # which offers SEEK_DATA that finds no holes
    folder.mkdir()
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", str(folder)]).returncode:
        pytest.skip("this root may not mount")
    try:
        log = folder / "app.log"
        log.write_bytes(b"start")
        os.truncate(log, 1 << 20)
        append(log, b"end")
        assert grown(log, copy).size == log.stat().st_size
        assert copy.read_bytes() == log.read_bytes()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# -- punching --------------------------------------------------------------------------------------


def test_what_was_read_gives_its_space_back_and_the_copy_goes_on(log: Path, copy: Path) -> None:
    log.write_bytes(os.urandom(100 * BLOCK))
    grown(log, copy)
    punch(copy, 60 * BLOCK + 17)
    assert allocated(copy) == 40 * BLOCK
    assert copy.stat().st_size == 100 * BLOCK
    append(log, b"more\n")
    assert grown(log, copy) == Growth(100 * BLOCK + 5, 5)
    assert copy.read_bytes() == bytes(60 * BLOCK) + log.read_bytes()[60 * BLOCK :]


@pytest.mark.parametrize("size", [0, 1, BLOCK, 10 * BLOCK])
def test_the_end_is_never_given_back(log: Path, copy: Path, size: int) -> None:
    text = os.urandom(size)
    log.write_bytes(text)
    grown(log, copy)
    for _ in range(2):
        punch(copy, size + 10 * BLOCK)
    assert copy.stat().st_size == size
    assert copy.read_bytes()[-SAMPLE:] == text[-SAMPLE:]
    assert allocated(copy) <= BLOCK
    assert grown(log, copy).same
    log.write_bytes(os.urandom(size + 1))
    assert grown(log, copy).same == (size == 0)


def test_a_copy_that_is_away_cannot_give_space_back(copy: Path) -> None:
    before = open_files()
    with pytest.raises(FileNotFoundError):
        punch(copy, BLOCK)
    assert open_files() == before


@needs_root
def test_where_no_space_can_be_given_back_nothing_happens(tmp_path: Path) -> None:
    folder = tmp_path / "ramfs"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", str(folder)]).returncode:
        pytest.skip("this root may not mount")
    try:
        copy = folder / "copy"
        copy.write_bytes(b"x" * 3 * BLOCK)
        punch(copy, 2 * BLOCK)
        assert copy.read_bytes() == b"x" * 3 * BLOCK
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# -- full disks ------------------------------------------------------------------------------------


def test_nothing_is_added_below_the_floor(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    with pytest.raises(OSError, match="nearly full") as raised:
        grown(log, copy, floor=Floor(1.0, 0.0))
    assert raised.value.errno == errno.ENOSPC
    assert not copy.exists()
    grown(log, copy)
    append(log, b"two\n")
    with pytest.raises(OSError, match="nearly full"):
        grown(log, copy, floor=Floor(1.0, 0.0))
    assert copy.read_bytes() == b"one\n"


def test_inodes_matter_to_a_new_copy_only(log: Path, copy: Path) -> None:
    log.write_bytes(b"one\n")
    with pytest.raises(OSError, match="inodes"):
        grown(log, copy, floor=Floor(0.0, 1.0))
    grown(log, copy)
    append(log, b"two\n")
    assert grown(log, copy, floor=Floor(0.0, 1.0)).added == 4


@needs_root
def test_a_copy_stops_at_the_floor_and_at_a_full_disk_and_goes_on_later(
    log: Path, tmp_path: Path
) -> None:
    log.write_bytes(os.urandom(12 << 20))
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        copy, floor = disk / "copy", Floor(0.3, 0.0)
        growth = grown(log, copy, floor=floor)
        assert growth.more
        with pytest.raises(OSError, match="nearly full"):
            grown(log, copy, floor=floor)
        growth = grown(log, copy)
        assert growth.more
        with pytest.raises(OSError, match="No space"):
            grown(log, copy)
        assert copy.read_bytes() == log.read_bytes()[: copy.stat().st_size]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert not grown(log, copy, floor=floor).more
        assert copy.read_bytes() == log.read_bytes()


def test_the_floor_is_asked_of_a_folder_too(tmp_path: Path) -> None:
    keep_floor(tmp_path, FREE, begins=True)
    with pytest.raises(OSError, match="inodes"):
        keep_floor(tmp_path, Floor(0.0, 1.0), begins=True)
    keep_floor(tmp_path, Floor(0.0, 1.0))


# -- any sequence ----------------------------------------------------------------------------------


@dataclass
class Model:
    """An original, its copies, and what each copy must hold: what was read when it was read."""

    folder: Path
    copies: list[Path] = field(default_factory=list)
    read: dict[Path, bytes] = field(default_factory=dict)
    punched: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "log").touch()
        self._begin()

    def _begin(self) -> None:
        copy = self.folder / f"copy-{len(self.copies)}"
        self.copies.append(copy)
        self.read[copy], self.punched[copy] = b"", 0

    def look(self, most: int) -> None:
        log, copy = self.folder / "log", self.copies[-1]
        held = log.read_bytes()
        growth = grown(log, copy, most=most)
        if not growth.same:
            assert held[: len(self.read[copy])] != self.read[copy], "it is the same file"
            self._begin()
            growth = grown(log, self.copies[-1], most=most)
        copy = self.copies[-1]
        assert growth.same
        assert held[: len(self.read[copy])][-SAMPLE:] == self.read[copy][-SAMPLE:]
        assert growth.size == len(self.read[copy]) + growth.added
        assert growth.more == (growth.size < len(held))
        self.read[copy] += held[len(self.read[copy]) : growth.size]

    def punch(self, part: float) -> None:
        copy = self.copies[-1]
        if copy.exists():
            upto = int(len(self.read[copy]) * part)
            self.punched[copy] = max(self.punched[copy], upto)
            punch(copy, upto)

    def check(self) -> None:
        for copy in self.copies:
            if copy.exists():
                whole, upto = copy.read_bytes(), self.punched[copy]
                assert len(whole) == len(self.read[copy])
                assert whole[upto:] == self.read[copy][upto:]


CHANGES = ["append", "append", "append", "hole", "truncate", "truncate"]
STEP = st.tuples(
    st.sampled_from(CHANGES),
    st.integers(1, 3 * BLOCK),
    st.sampled_from([None, 1, BLOCK - 1, MANY, MANY]),  # how much a look may copy
    st.sampled_from([0.0, 0.0, 0.5, 1.0]),  # how much of what was copied is given back
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_a_copy_holds_what_its_original_held_when_it_was_read(
    steps: list[tuple[str, int, int | None, float]],
) -> None:
    # A look has no state of its own, so each look is also one after a restart.
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder))
        log = model.folder / "log"
        for number, (change, amount, most, part) in enumerate(steps):
            if change == "append":
                line = b"%d," % number
                append(log, line * (amount // len(line) + 1))
            elif change == "hole":
                os.truncate(log, log.stat().st_size + amount)
            else:
                os.truncate(log, log.stat().st_size // (1 + amount % 5))
            if most is not None:
                model.look(most)
            model.punch(part)
            model.check()
        model.look(MANY)
        model.check()
