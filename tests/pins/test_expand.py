from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot.model import FileSet, Framing
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.expand import Limits, look_into
from pilot.pins.kernel import NotOfferedError
from pilot.pins.tree import beneath
from tests.pins.trees import SEEN_AT, TREES, Model, inode, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def not_offered(_: str, __: int) -> int:
    raise NotOfferedError


OPENERS = {"openat2": beneath, "walk": not_offered}
PATTERNS = st.lists(
    st.sampled_from(["*", "**", "a", "b", "[ab]", "?", ".h", "*.log", "c.log"]),
    min_size=1,
    max_size=4,
).map("/".join)
EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Callable[[str, int], int]:
    return OPENERS[request.param]


class Look:
    """One look at a volume below a temporary node, as plain values."""

    def __init__(
        self,
        base: Path,
        pattern: str,
        *,
        folder: str = "",
        seen_at: str = SEEN_AT,
        limits: Limits | None = None,
        opener: Callable[[str, int], int] = beneath,
    ) -> None:
        wanted = FileSet(
            name="set",
            root="/volume",
            folder=folder,
            pattern=pattern,
            framing=Framing.LINES,
            inside=f"{seen_at}/{folder}".rstrip("/"),
        )
        self.folders: list[str] = []
        self.files: dict[str, tuple[int, int]] = {}

        def on_node(path: str) -> Path:
            return base / path.lstrip("/")

        with look_into(wanted, on_node, lambda _: None, limits, beneath=opener) as view:
            for each in view.folders():
                self.folders.append(each.path)
                for match in view.matches(each):
                    assert match.name not in self.files
                    self.files[match.name] = (match.status.st_dev, match.status.st_ino)
        self.refused, self.failed, self.stamps = view.refused, view.failed, view.stamps

    @property
    def names(self) -> list[str]:
        return list(self.files)


@contextmanager
def node() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp())
    try:
        yield base
    finally:
        shutil.rmtree(base)


def touch(base: Path, *paths: str) -> None:
    for path in paths:
        (base / "volume" / path).parent.mkdir(parents=True, exist_ok=True)
        (base / "volume" / path).touch()


def changed(look: Look) -> bool:
    """Whether a second look is due, by the stamps alone."""
    for path, stamp in look.stamps.items():
        try:
            now = os.stat(path, follow_symlinks=False)
        except OSError:
            return True
        if (now.st_dev, now.st_ino, now.st_mtime_ns) != stamp:
            return True
    return False


# -- patterns --------------------------------------------------------------------------------------


def test_folders_may_be_globs(tmp_path: Path, opener: Callable[[str, int], int]) -> None:
    touch(tmp_path, "a/x/1.log", "b/x/2.log", "b/x/2.log.1", "b/y/3.log", "c", "1.log", "a/1.log")
    look = Look(tmp_path, "*/x/*.log", opener=opener)
    assert look.names == ["a/x/1.log", "b/x/2.log", "b/x/2.log.1"]
    assert look.folders == ["a/x", "b/x"]
    assert (look.refused, look.failed) == ({}, {})
    assert set(look.stamps) == {
        str(tmp_path / "volume" / each) for each in ("", "a", "b", "a/x", "b/x")
    } | {str(tmp_path / "volume")} - {str(tmp_path / "volume") + "/"}


def test_only_the_last_part_is_also_taken_as_rotation_names_it(tmp_path: Path) -> None:
    touch(tmp_path, "app/1.log", "app.1/1.log", "app/1.log.20260102", "app/1.log.gz")
    assert Look(tmp_path, "app/1.log").names == ["app/1.log", "app/1.log.20260102"]
    assert Look(tmp_path, "ap[p]/1.log").names == ["app/1.log", "app/1.log.20260102"]


def test_two_stars_are_any_number_of_folders(tmp_path: Path) -> None:
    touch(tmp_path, "1.log", "a/2.log", "a/b/3.log", "a/b/.c/4.log", "a/b/no", ".5.log")
    every = [".5.log", "1.log", "a/2.log", "a/b/3.log", "a/b/.c/4.log"]
    assert sorted(Look(tmp_path, "**/*.log").names) == sorted(every)
    assert sorted(Look(tmp_path, "**/**/*.log").names) == sorted(every)
    assert sorted(Look(tmp_path, "**").names) == sorted([*every, "a/b/no"])
    assert Look(tmp_path, "a/**/b/*.log").names == ["a/b/3.log"]
    assert sorted(Look(tmp_path, "**/b/**/*.log").names) == ["a/b/.c/4.log", "a/b/3.log"]


def test_hidden_files_match_as_fnmatch_says(tmp_path: Path) -> None:
    touch(tmp_path, ".a.log", ".d/b.log")
    assert Look(tmp_path, "*.log").names == [".a.log"]
    assert Look(tmp_path, "*/*.log").names == [".d/b.log"]


def test_names_of_any_bytes_come_back(tmp_path: Path) -> None:
    odd = ["new\nline.log", "\udcff\udcfe.log", "x" * 251 + ".log", " .log", "[a].log", "\\.log"]
    touch(tmp_path, *(f"d\n\udcff/{each}" for each in odd))
    assert Look(tmp_path, "*/*.log").names == sorted(f"d\n\udcff/{each}" for each in odd)


def test_a_folder_with_two_names_is_listed_once_by_its_own(tmp_path: Path) -> None:
    touch(tmp_path, "v1/1.log")
    (tmp_path / "volume" / "current").symlink_to("v1")
    look = Look(tmp_path, "*/*.log")
    assert (look.names, look.folders) == (["v1/1.log"], ["v1"])
    assert Look(tmp_path, "c*/*.log").names == ["current/1.log"]
    assert Look(tmp_path, "current/*.log").names == ["current/1.log"]


@given(TREES, PATTERNS, st.sampled_from(sorted(OPENERS)))
@settings(max_examples=120, deadline=None)
def test_what_matches_is_what_the_container_would_see_and_nothing_else(
    tree: dict[str, object], pattern: str, opener: str
) -> None:
    with node() as base:
        make(tree, base / "volume")
        for outside in ("secret", "mnt", "a", "mnt/logs/a"):  # Canaries wherever a link may lead.
            for name in ("a", "b", "c.log", "d.log", ".h"):
                (base / outside / name).parent.mkdir(parents=True, exist_ok=True)
                if not (base / outside / name).exists():
                    (base / outside / name).write_text("secret")
        before = len(os.listdir("/proc/self/fd"))
        look = Look(base, pattern, opener=OPENERS[opener])
        assert len(os.listdir("/proc/self/fd")) == before
        device = (base / "volume").stat().st_dev
        expected = {
            (device, inode(base.joinpath("volume", *place))) for place in Model(tree).files(pattern)
        }
        assert set(look.files.values()) == expected
        assert len(set(look.folders)) == len(look.folders)
        assert not changed(look)


@given(TREES, PATTERNS, st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_changes_the_answer_changes_a_stamp(
    tree: dict[str, object], pattern: str, data: st.DataObject
) -> None:
    with node() as base:
        make(tree, base / "volume")
        look = Look(base, pattern)
        places = [
            Path(top) / name
            for top, below, own in os.walk(base / "volume")
            for name in (*below, *own)
        ]
        if not places:
            return
        gone = data.draw(st.sampled_from(sorted(places)))
        gone.rename(base / "elsewhere")
        # A kernel's clock for files may stand still for some milliseconds.
        os.utime(gone.parent, ns=(1, 1))
        if Look(base, pattern).files != look.files:
            assert changed(look)


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("real/1.log", ""),
        ("./real/../real//1.log", ""),
        ("/mnt/logs/real/1.log", ""),
        ("../logs/real/1.log", ""),
        ("../../mnt/logs/real/1.log", ""),
        ("../../../../mnt/./logs/real/1.log", ""),
        ("chain", ""),
        ("/etc/passwd", "'/etc/passwd', which is outside of the volume"),
        ("../secret", "'../secret', which is outside of the volume"),
        ("/mnt/logs/../secret", "outside of the volume"),
        ("/mnt/logs2/1.log", "outside of the volume"),
        ("/mnt", "outside of the volume"),
        ("..", "outside of the volume"),
        ("/", "outside of the volume"),
        ("/proc/self/root/etc/passwd", "outside of the volume"),
        ("loop.log", "too many symlinks"),
        ("none", "not there"),
        ("real/1.log/x", "not there"),
        ("real/1.log/", "not there"),
        ("real", "no regular file"),
        ("pipe", "no regular file"),
        (".", "no regular file"),
        ("/mnt/logs", "no regular file"),
    ],
)
def test_a_link_means_what_the_container_sees(
    tmp_path: Path, target: str, says: str, opener: Callable[[str, int], int]
) -> None:
    touch(tmp_path, "real/1.log")
    (tmp_path / "secret").write_text("secret")
    volume = tmp_path / "volume"
    (volume / "chain").symlink_to("/mnt/logs/chained")
    (volume / "chained").symlink_to("real/1.log")
    os.mkfifo(volume / "pipe")
    (volume / "loop.log").symlink_to(target)
    look = Look(tmp_path, "loop.log", opener=opener)
    if says:
        assert look.files == {}
        assert says in look.refused["loop.log"]
    else:
        status = (volume / "real" / "1.log").stat()
        assert look.files == {"loop.log": (status.st_dev, status.st_ino)}
        assert look.refused == {}
        assert str(volume / "real") in look.stamps


def test_forty_links_are_followed_and_no_more(tmp_path: Path) -> None:
    touch(tmp_path, "0")
    for number in range(1, 42):
        (tmp_path / "volume" / f"{number}").symlink_to(f"{number - 1}")
    assert Look(tmp_path, "40").names == ["40"]
    assert Look(tmp_path, "41").names == []


def test_the_folder_itself_may_be_a_link_in_the_volume(
    tmp_path: Path, opener: Callable[[str, int], int]
) -> None:
    touch(tmp_path, "v1/in/1.log")
    volume = tmp_path / "volume"
    (volume / "current").symlink_to("/mnt/logs/v1")
    look = Look(tmp_path, "*.log", folder="current/in", opener=opener)
    assert (look.names, look.folders) == (["1.log"], ["v1/in"])
    assert set(look.stamps) == {str(volume), str(volume / "v1" / "in")}
    (volume / "out").symlink_to("/secret")
    (tmp_path / "secret").mkdir()
    with pytest.raises(RefusedError, match=r"/volume/out is.*'/secret', which is outside"):
        Look(tmp_path, "*.log", folder="out", opener=opener)
    with pytest.raises(RefusedError, match="a symlink or a file"):
        Look(tmp_path, "*.log", folder="v1/in/1.log", opener=opener)
    with pytest.raises(FolderMissingError):
        Look(tmp_path, "*.log", folder="current/none", opener=opener)
    with pytest.raises(RefusedError, match="upwards"):
        Look(tmp_path, "*.log", folder="v1/..", opener=opener)


def test_no_link_is_followed_in_what_no_container_sees(tmp_path: Path) -> None:
    touch(tmp_path, "d/1.log")
    (tmp_path / "volume" / "2.log").symlink_to("d/1.log")
    wanted = FileSet(
        name="s", root="/volume", folder="", pattern="*.log", framing=Framing.DOCKER, inside=""
    )
    with look_into(wanted, lambda path: tmp_path / path[1:], lambda _: "no") as view:
        assert [m.name for f in view.folders() for m in view.matches(f)] == []
    assert "not followed" in view.refused["2.log"]


def test_what_is_no_regular_file_is_refused_without_being_opened(tmp_path: Path) -> None:
    touch(tmp_path, "1.log")
    volume = tmp_path / "volume"
    os.mkfifo(volume / "pipe.log")  # An open for reading would wait for a writer.
    (volume / "folder.log").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        descriptor = os.open(volume, os.O_PATH)
        listening.bind(f"/proc/self/fd/{descriptor}/socket.log")
        os.close(descriptor)
    look = Look(tmp_path, "*.log")
    assert look.names == ["1.log"]
    assert set(look.refused) == {"pipe.log", "folder.log", "socket.log"}


# -- limits ----------------------------------------------------------------------------------------


def test_of_too_many_files_the_first_are_taken_and_it_is_said(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{folder}/{number}.log" for folder in "ab" for number in range(5)))
    look = Look(tmp_path, "*/*.log", limits=Limits(files=7))
    assert len(look.names) == 7
    assert "more than 7 files" in look.refused["…"]
    assert "…" not in Look(tmp_path, "*/*.log", limits=Limits(files=10)).refused


def test_of_too_many_folders_the_first_are_taken_and_it_is_said(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}/1.log" for number in range(9)))
    look = Look(tmp_path, "*/*.log", limits=Limits(folders=5))
    assert look.names == ["0/1.log", "1/1.log", "2/1.log", "3/1.log"]
    assert "more than 5 folders" in look.refused["…"]


def test_two_stars_go_no_deeper_than_allowed_and_it_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "a/b/1.log", "a/b/c/2.log", "a/b/c/d/3.log")
    look = Look(tmp_path, "**/*.log", limits=Limits(depth=3))
    assert look.names == ["a/b/1.log", "a/b/c/2.log"]
    assert "3 folders" in look.refused["…"]
    assert look.folders == ["", "a", "a/b", "a/b/c"]


def test_a_look_that_takes_too_long_says_that_something_may_be_missing(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.log")
    look = Look(tmp_path, "*/*.log", limits=Limits(seconds=0))
    assert look.names == []
    assert "longer than 0 s" in look.failed["…"]


def test_a_deep_tree_needs_few_descriptors(tmp_path: Path) -> None:
    """Deeper than a path may be long."""
    (tmp_path / "volume").mkdir()
    here = os.open(tmp_path / "volume", os.O_PATH)
    for _ in range(24):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_PATH, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("1.log", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here))
    os.close(here)
    look = Look(tmp_path, "/".join(["*"] * 24 + ["*.log"]))
    assert [name[-5:] for name in look.names] == ["1.log"]
    shutil.rmtree(tmp_path / "volume")


# -- races -----------------------------------------------------------------------------------------


def exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), EXCHANGE):
        pytest.skip("no RENAME_EXCHANGE here")


def test_a_folder_that_goes_during_the_look_hurts_no_other(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.log", "b/2.log", "c/3.log", "d/4.log")
    volume = tmp_path / "volume"
    wanted = FileSet(
        name="s", root="/volume", folder="", pattern="*/*", framing=Framing.LINES, inside="/logs"
    )
    names = []
    with look_into(wanted, lambda path: tmp_path / path[1:], lambda _: None) as view:
        for each in view.folders():
            if each.path == "a":
                shutil.rmtree(volume / "b")
                shutil.rmtree(volume / "c")
                (volume / "c").symlink_to("/etc")
            names += [match.name for match in view.matches(each)]
    assert names == ["a/1.log", "d/4.log"]
    assert set(view.failed) == {"c"}
    assert view.refused == {}


def test_whoever_leaves_a_look_early_leaves_nothing_open(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.log", "a/2.log", "b/3.log")
    wanted = FileSet(
        name="s", root="/volume", folder="", pattern="*/*", framing=Framing.LINES, inside="/logs"
    )
    before = len(os.listdir("/proc/self/fd"))
    with look_into(wanted, lambda path: tmp_path / path[1:], lambda _: None) as view:
        folders = view.folders()
        matches = view.matches(next(folders))
        next(matches)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("what", ["file", "folder", "above"])
def test_nothing_outside_is_ever_matched_while_links_are_swapped_in(
    tmp_path: Path, what: str, opener: Callable[[str, int], int]
) -> None:
    """`x` and the link `y` change places all the time."""
    touch(tmp_path, "a/x/x/x.log")
    secret = tmp_path / "secret"
    (secret / "x" / "x").mkdir(parents=True)
    canaries = [secret / "x.log", secret / "x" / "x.log", secret / "x" / "x" / "x.log"]
    for canary in canaries:
        canary.write_text("secret")
    forbidden = {inode(canary) for canary in canaries}
    volume = tmp_path / "volume"
    good = inode(volume / "a" / "x" / "x" / "x.log")
    swapped = {"file": "a/x/x/x.log", "folder": "a/x/x", "above": "a/x"}[what]
    one, other = volume / swapped, volume / "other"
    other.symlink_to(canaries[0] if what == "file" else secret)
    done = threading.Event()

    def flip() -> None:
        while not done.is_set():
            exchange(one, other)

    exchange(one, other)
    flipping = threading.Thread(target=flip)
    flipping.start()
    seen: list[int] = []
    try:
        for number in itertools.count():
            if number >= 150 and (seen or number >= 20_000):
                break
            pattern, folder = [("*.log", "a/x/x"), ("*/*/*.log", "a"), ("**/*.log", "a")][
                number % 3
            ]
            try:
                look = Look(tmp_path, pattern, folder=folder, opener=opener)
            except (RefusedError, FolderMissingError):
                continue
            seen += [number for _, number in look.files.values()]
    finally:
        done.set()
        flipping.join()
    assert not forbidden & set(seen)
    assert set(seen) <= {good}
    assert seen
