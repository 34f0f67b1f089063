from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot.model import PinKind
from pilot.names import parse_pin_name, unescape
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.copying import SAMPLE, punch
from pilot.pins.making import AT_ONCE, LEAST
from pilot.pins.roots import PinRoot
from pilot.pins.sweep import Copy, Lost, sweep
from pilot.settings import Floor
from tests.fakes.disks import needs_root, tmpfs
from tests.pins.node import Node, elsewhere, file_set, key_of, open_files

if TYPE_CHECKING:
    from pilot.names import FileKey
    from pilot.pins.sweep import Sweep


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


# -- what is pinned --------------------------------------------------------------------------------


def test_a_linked_pin_is_the_very_file(node: Node) -> None:
    (node.logs / "app.log").write_text("one\n")
    result = node.sweep()
    (made,) = result.pinned
    pin = node.at("/pins/set") / made.name
    assert made.kind is PinKind.LINKED
    assert key_of(pin) == key_of(node.logs / "app.log") == made.key
    assert made.name == f"app.log~{made.key[1]}~1"
    (node.logs / "app.log").unlink()
    assert pin.read_text() == "one\n"


def test_a_file_that_is_pinned_already_is_left_alone(node: Node) -> None:
    (node.logs / "app.log").touch()
    key = key_of(node.logs / "app.log")
    result = node.sweep(owner=lambda each: each == key)
    assert [(each, seen.name) for each, seen in result.files.items()] == [(key, "app.log")]
    assert result.pinned == []
    assert node.pinned() == {}


def test_no_descriptor_is_kept(node: Node) -> None:
    for number in range(20):
        (node.logs / f"{number}.log").touch()
    (node.logs / "link.log").symlink_to("/etc/passwd")
    (node.logs / "bad.log").mkdir()
    before = open_files()
    node.sweep()
    node.sweep(roots=(PinRoot("/away/pins", node.root.device),))
    with elsewhere(node) as other:
        other.sweep()
        other.sweep(full=True)
        other.sweep(floor=Floor(1.0, 1.0))
    with pytest.raises(ZeroDivisionError):
        node.sweep(owner=lambda _: 1 // 0)
    with pytest.raises(FolderMissingError):
        node.sweep(file_set(folder="logs/none"))
    with pytest.raises(RefusedError):
        node.sweep(forbids=lambda _: "no")
    assert open_files() == before


def test_two_names_of_one_file_make_one_pin(node: Node) -> None:
    (node.logs / "app.log").write_text("one\n")
    os.link(node.logs / "app.log", node.logs / "app.log.1")  # how logrotate's `link` rotates
    result = node.sweep()
    assert len(result.pinned) == 1
    assert len(node.inodes()) == 1
    assert result.further == {"app.log.1": "app.log"}


def test_a_rename_between_listing_and_opening_makes_no_second_pin(node: Node) -> None:
    for number in range(1, 4):
        (node.logs / f"{number}.log").write_text(f"{number}\n")

    def serial() -> int:
        # The first file is being pinned; it is rotated over one that is still to come.
        if (node.logs / "1.log").exists():
            (node.logs / "1.log").rename(node.logs / "3.log")
        return next(node.serials)

    order = node.order()
    object.__setattr__(order, "serial", serial)
    sweep(order)
    assert len(node.inodes()) == len(set(node.inodes())) == 2


def test_a_lost_pin_gets_its_old_name(node: Node) -> None:
    (node.logs / "app.log").touch()
    key = key_of(node.logs / "app.log")
    old = f"app.log~{key[1]}~77"
    result = node.sweep(lost={key: Lost(old)})
    assert [each.name for each in result.pinned] == [old]
    assert (node.at("/pins/set") / old).stat().st_ino == key[1]


@pytest.mark.parametrize(("then", "gets_it"), [(0, True), (1, False)])
def test_a_lost_pin_s_name_is_not_given_to_a_file_that_was_born_later(
    node: Node, then: int, gets_it: bool
) -> None:
    (node.logs / "app.log").touch()
    (made,) = node.sweep().pinned
    assert made.born > 0
    (node.at("/pins/set") / made.name).unlink()
    lost = Lost(made.name, made.born + then)
    (again,) = node.sweep(lost={made.key: lost}).pinned
    assert (again.name == made.name) == gets_it


def test_a_wiped_pin_root_is_made_again(node: Node) -> None:
    (node.logs / "app.log").touch()
    order = node.order()
    node.at("/pins").rmdir()
    assert len(sweep(order).pinned) == 1


def test_a_pin_root_is_not_made_where_its_filesystem_is_away(node: Node) -> None:
    (node.logs / "app.log").touch()
    away = PinRoot("/away/pins", node.root.device)
    assert node.sweep(roots=(away,)).failed == {"app.log": "No such file or directory"}
    assert not node.at("/away").exists()


def test_without_a_pin_root_files_are_only_found(node: Node) -> None:
    (node.logs / "app.log").touch()
    result = node.sweep(roots=())
    assert [seen.name for seen in result.files.values()] == ["app.log"]
    assert result.pinned == []


def test_ten_thousand_names_of_one_file_cost_one_pin(node: Node) -> None:
    (node.logs / "0000.log").write_text("one\n")
    for number in range(1, 10_000):
        os.link(node.logs / "0000.log", node.logs / f"{number:04}.log")
    result = node.sweep()
    assert [seen.name for seen in result.files.values()] == ["0000.log"]
    assert len(result.further) == 9_999
    assert set(result.further.values()) == {"0000.log"}
    assert len(node.inodes()) == 1


def test_ten_thousand_files_are_pinned_and_looked_at_again(node: Node) -> None:
    for number in range(10_000):
        os.close(os.open(node.logs / f"{number}.log", os.O_CREAT))
    made = {each.key for each in node.sweep().pinned}
    assert len(made) == 10_000
    again = node.sweep(owner=made.__contains__)
    assert (len(again.files), again.pinned, again.refused) == (10_000, [], {})


@pytest.mark.proof
def test_a_file_with_as_many_links_as_its_filesystem_allows_is_copied(node: Node) -> None:
    most = os.pathconf(node.logs, "PC_LINK_MAX")
    if most > 100_000:
        pytest.skip(f"{most} links are too many to make")
    log, names = node.logs / "app.log", node.logs / "names"
    log.write_text("one\n")
    names.mkdir()
    for number in range(most - 1):
        os.link(log, names / str(number))
    (made,) = node.sweep().pinned
    assert made.kind is PinKind.COPIED
    assert node.pinned()["app.log"].read_text() == "one\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs CAP_FOWNER")
def test_a_file_that_nobody_may_read_is_pinned(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    log.chmod(0)
    os.chown(log, 12345, 12345)
    assert node.sweep().pinned[0].kind is PinKind.LINKED


def test_a_file_that_became_shorter_is_named(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\ntwo\n")
    result = node.sweep()
    (key,) = result.files
    sizes = {key: seen.size for key, seen in result.files.items()}
    assert sizes == {key: 8}
    assert node.sweep(sizes=sizes, owner=sizes.__contains__).truncated == {}
    log.write_text("one\n")
    assert node.sweep(sizes=sizes, owner=sizes.__contains__).truncated == {key: "app.log"}
    born = {key: node.sweep(direct=True).files[key].born}
    assert node.sweep(sizes=sizes, births=born, direct=True).truncated == {key: "app.log"}


def test_a_smaller_file_that_got_the_inode_is_not_the_old_one_made_shorter(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_text("one\n")
    seen = node.sweep(direct=True).files[key_of(log)]
    sizes, births = {key_of(log): 1000}, {key_of(log): seen.born - 1}
    assert node.sweep(direct=True, sizes=sizes, births=births).truncated == {}


def test_in_direct_mode_files_are_listed_and_nothing_is_pinned(node: Node) -> None:
    (node.logs / "app.log").write_text("one\n")
    os.link(node.logs / "app.log", node.logs / "b.log")
    (node.logs / "link.log").symlink_to("/etc/passwd")
    result = node.sweep(direct=True)
    (seen,) = result.files.values()
    assert (seen.name, seen.size) == ("app.log", 4)
    assert seen.born > 0
    assert result.further == {"b.log": "app.log"}
    assert set(result.refused) == {"link.log"}
    assert (result.root, result.pinned, result.folders) == (None, [], ["/volume/logs"])
    assert node.pinned() == {}


def test_a_pattern_with_folders_pins_what_lies_in_them(node: Node) -> None:
    for folder in ("a", "b"):
        (node.logs / folder).mkdir()
        (node.logs / folder / "app.log").write_text(f"{folder}\n")
    os.link(node.logs / "a" / "app.log", node.logs / "b" / "same.log")
    watched: list[str] = []
    result = node.sweep(
        file_set(pattern="*/*.log"), watch=lambda _, pattern, __: watched.append(pattern)
    )
    assert {path: pin.read_text() for path, pin in node.pinned().items()} == {
        "a=2Fapp.log": "a\n",
        "b=2Fapp.log": "b\n",
    }
    assert result.folders == ["/volume/logs/a", "/volume/logs/b"]
    assert result.further == {"b/same.log": "a/app.log"}
    assert watched == ["*.log", "*.log"]
    assert {str(node.logs), str(node.logs / "a"), str(node.logs / "b")} <= set(result.stamps)


# -- which names -----------------------------------------------------------------------------------


def names(node: Node, pattern: str, *, rotated: bool = True) -> list[str]:
    found = node.sweep(file_set(pattern=pattern, rotated=rotated), direct=True)
    return [seen.name for seen in found.files.values()]


def test_what_rotation_makes_of_a_name_matches(node: Node) -> None:
    rotated = [
        "app.log",
        "app.log-20260102",
        "app.log.1",
        "app.log.10",
        "app.log.2026-01-02T03:04:05Z",
        "app.log.20260102-030405",
    ]
    others = [
        "app.log.1.gz",
        "app.log-20260102.gz",
        "app.log.1.tmp",
        "app.log.gz",
        "app.log.tmp",
        "app.log.bak",
        "app.log1",
        "app.log.",
        "app.log~",
        "app.logs",
        "xapp.log",
        "app.log\n",
        "app.log.1\n",
        "APP.LOG",
        "app",
    ]
    for name in rotated + others:
        (node.logs / name).touch()
    assert names(node, "app.log") == sorted(rotated)
    assert names(node, "app.log", rotated=False) == ["app.log"]


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ("*.log", ["a.log", "b.log", "a.log.1"], ["a.txt", "log", "a.log.x"]),
        ("a?.log", ["ab.log", "aé.log"], ["a.log", "abc.log"]),
        ("[ab].log", ["a.log", "b.log"], ["c.log", "[ab].log"]),
        ("[!ab].log", ["c.log"], ["a.log", "b.log"]),
        ("a+(b).log", ["a+(b).log", "a+(b).log.1"], ["aab.log"]),
        ("a[.log", ["a[.log"], ["a.log"]),
        ("a|b.log", ["a|b.log"], ["a", "b.log"]),
        ("$.log", ["$.log"], ["a.log"]),
    ],
)
def test_a_pattern_is_fnmatch_s(
    node: Node, pattern: str, matches: list[str], others: list[str]
) -> None:
    for name in matches + others:
        (node.logs / name).touch()
    assert names(node, pattern) == sorted(matches)


def test_a_pattern_made_to_be_slow_is_not(node: Node) -> None:
    (node.logs / ("a" * 250)).touch()
    assert names(node, "*a" * 60 + "b") == []  # would take for ever with plain backtracking


HOSTILE = [
    b"new\nline.log",
    b"per%cent%2F.log",
    b"~1~2.log",
    "größe-日本.log".encode(),
    b"bad-\xff\xfe.log",
    b" spaces \t.log",
    b"$(reboot);'\".log",
    b"-rf.log",
    b"*?[x].log",
    b"\x1b[2J.log",
    b"n" * 250 + b".log",
]


def test_hostile_names_are_pinned_under_safe_ones(node: Node) -> None:
    for number, name in enumerate(HOSTILE):
        with open(os.path.join(os.fsencode(node.logs), name), "w") as file:
            file.write(f"{number}\n")
    result = node.sweep()
    assert result.failed == {}
    assert len(result.pinned) == len(HOSTILE)
    for made in result.pinned:
        name = os.fsencode(result.files[made.key].name)
        pin = node.at("/pins/set") / made.name
        assert pin.read_text() == f"{HOSTILE.index(name)}\n"
        parsed = parse_pin_name(made.name)
        assert parsed
        assert name.startswith(os.fsencode(unescape(parsed.path).removesuffix("…")))


FILE_NAME = st.binary(min_size=1, max_size=250).filter(
    lambda raw: b"/" not in raw and b"\0" not in raw
)


@given(st.lists(FILE_NAME, min_size=1, max_size=5, unique=True))
def test_any_name_is_pinned(raw: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as base:
        node = Node(Path(base))
        for name in raw:
            os.close(os.open(os.path.join(os.fsencode(node.logs), name + b".log"), os.O_CREAT))
        result = node.sweep()
        assert result.failed == {}
        assert {os.fsencode(each.name) for each in result.files.values()} == {
            each + b".log" for each in raw
        }
        assert node.inodes() == sorted(key[1] for key in result.files)


# -- confinement -----------------------------------------------------------------------------------


def secret(node: Node) -> Path:
    folder = node.base / "secret"
    folder.mkdir()
    (folder / "app.log").write_text("password\n")
    return folder


def test_a_symlink_in_place_of_a_file_is_refused_and_named(node: Node) -> None:
    (node.logs / "app.log").symlink_to(secret(node) / "app.log")
    (node.logs / "dangling.log").symlink_to("nowhere")
    (node.logs / "good.log").touch()
    result = node.sweep()
    assert set(result.refused) == {"app.log", "dangling.log"}
    assert "symlink" in result.refused["app.log"]
    assert list(node.pinned()) == ["good.log"]


@pytest.mark.parametrize("folder", ["logs", "logs/deep", "logs/deep/deeper"])
def test_a_symlink_in_place_of_any_folder_does_not_lead_out(node: Node, folder: str) -> None:
    target = secret(node)
    (target / "deeper").mkdir()
    (target / "deep" / "deeper").mkdir(parents=True)
    for each in (target / "deep", target / "deeper", target / "deep" / "deeper"):
        (each / "app.log").write_text("password\n")
    last = node.base / "volume" / "logs"
    last.rmdir()
    if folder == "logs":
        last.symlink_to(target)
    else:
        last.mkdir()
        (last / "deep").symlink_to(target)
    with pytest.raises((RefusedError, FolderMissingError), match=f"/volume/{folder}"):
        node.sweep(file_set(folder=folder))
    assert node.pinned() == {}


def test_a_folder_that_leads_upwards_is_refused(node: Node) -> None:
    secret(node)
    for folder in ("../secret", "logs/../../secret", ".."):
        with pytest.raises(RefusedError, match="upwards"):
            node.sweep(file_set(folder=folder))
    assert node.pinned() == {}


def test_a_file_in_place_of_a_folder_is_refused(node: Node) -> None:
    (node.logs / "file").touch()
    with pytest.raises(RefusedError):
        node.sweep(file_set(folder="logs/file"))


def test_a_missing_folder_is_said_as_such(node: Node) -> None:
    for folder in ("none", "logs/none", "none/none"):
        with pytest.raises(FolderMissingError, match=f"/volume/{folder}"):
            node.sweep(file_set(folder=folder))


def test_what_is_no_regular_file_is_refused_and_nobody_waits_for_it(node: Node) -> None:
    os.mkfifo(node.logs / "pipe.log")  # an open for reading would wait for a writer
    (node.logs / "folder.log").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(node.logs / "socket.log"))
        expected = {"pipe.log", "folder.log", "socket.log"}
        if os.geteuid() == 0:
            os.mknod(node.logs / "device.log", 0o020666, os.makedev(1, 5))
            expected.add("device.log")
        result = node.sweep()
    assert set(result.refused) == expected
    assert result.files == {}
    assert node.pinned() == {}


def test_a_symlink_on_the_way_to_a_mount_is_not_followed(node: Node) -> None:
    target = secret(node)
    (node.base / "srv").symlink_to(target)
    for root, folder in (("/srv", ""), ("/srv/inner", ""), ("/volume", "link")):
        (node.base / "volume" / "link").unlink(missing_ok=True)
        (node.base / "volume" / "link").symlink_to(target)
        (target / "inner").mkdir(exist_ok=True)
        wanted = replace(file_set(folder=folder), root=root)
        with pytest.raises((RefusedError, FolderMissingError)):
            node.sweep(wanted)
    assert node.pinned() == {}


def test_the_runtime_s_own_folder_is_opened_as_the_runtime_names_it(node: Node) -> None:
    (node.base / "link").symlink_to(node.logs)
    (node.logs / "app.log").write_text("x")
    node.sweep(replace(file_set(folder=""), root="/link", inside=""))
    assert node.inodes() == [(node.logs / "app.log").stat().st_ino]


def test_the_policy_is_asked_about_the_folder_that_was_really_opened(node: Node) -> None:
    asked: list[str] = []

    def forbids(really: str) -> str:
        asked.append(really)
        return "it is secret"

    with pytest.raises(RefusedError, match="it is secret"):
        node.sweep(forbids=forbids)
    assert asked[-1] in (str(node.logs.resolve()), str(node.logs.parent.resolve()))
    assert node.pinned() == {}


@needs_root
def test_the_policy_is_asked_about_what_a_bind_mount_in_the_folder_s_place_shows(
    node: Node,
) -> None:
    target = secret(node).resolve()
    subprocess.run(["mount", "--bind", str(target), str(node.logs)], check=True)
    try:
        asked: list[str] = []
        node.sweep(forbids=asked.append)
        assert {str(node.logs.resolve()), str(target)} <= set(asked)
    finally:
        subprocess.run(["umount", "-l", str(node.logs)], check=True)


def test_a_program_with_a_set_user_id_bit_is_no_log(node: Node) -> None:
    program = node.logs / "app.log"
    program.write_text("#!/bin/sh")
    for bit in (stat.S_ISUID, stat.S_ISGID):
        program.chmod(0o755 | bit)
        result = node.sweep()
        assert "set-user-id" in result.refused["app.log"]
    assert node.pinned() == {}


def test_nobody_else_can_list_or_reach_pins(node: Node) -> None:
    (node.logs / "app.log").write_text("x")
    node.sweep()
    (pin_folder,) = node.at(node.pins).iterdir()
    assert stat.S_IMODE(pin_folder.stat().st_mode) == 0o700


# -- stamps and the watch --------------------------------------------------------------------------


def test_the_folder_and_its_stamp_are_said(node: Node) -> None:
    result = node.sweep()
    found = node.logs.stat()
    assert result.folders == ["/volume/logs"]
    stamp = result.stamps[str(node.logs)]
    assert stamp == (found.st_dev, found.st_ino, found.st_mtime_ns)
    os.utime(node.logs, ns=(0, stamp[2] + 1))
    assert node.sweep().stamps != result.stamps


def test_the_watch_gets_the_folder_that_is_listed(node: Node) -> None:
    watched: list[tuple[str, str, int]] = []

    def watch(name: str, pattern: str, descriptor: int) -> None:
        watched.append((name, pattern, os.fstat(descriptor).st_ino))

    node.sweep(watch=watch)
    assert watched == [("set", "*.log", node.logs.stat().st_ino)]


# -- copies ----------------------------------------------------------------------------------------


class Copies:
    """What the keeper remembers between sweeps, for copies."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.known: dict[FileKey, Copy] = {}
        self.strays: dict[int, tuple[FileKey, Copy]] = {}

    def sweep(self, **given: Any) -> Sweep:
        result = self.node.sweep(
            copies=self.known, strays=self.strays, owner=self.known.__contains__, **given
        )
        for key in result.replaced:
            del self.known[key]
        strays = dict(self.strays.values())
        self.known.update({new: strays[old] for old, new in result.moved.items() if old in strays})
        self.known.update({made.key: Copy(made.name, made.born) for made in result.pinned})
        return result

    def read(self) -> dict[str, bytes]:
        return {path: pin.read_bytes() for path, pin in self.node.pinned().items()}

    def contents(self) -> list[bytes]:
        return [pin.read_bytes() for pin in self.node.at(f"{self.node.pins}/set").iterdir()]


def test_where_no_link_is_possible_a_copy_grows_by_appends(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        (made,) = copies.sweep().pinned
        assert (made.kind, made.size, made.key) == (PinKind.COPIED, 4, key_of(log))
        inode = other.pinned()["app.log"].stat().st_ino
        for text in (b"", b"two\n", b"x" * 3_000_000 + b"\n", b"three\n"):
            with log.open("ab") as file:
                file.write(text)
            result = copies.sweep()
            assert (result.pinned, result.replaced) == ([], [])
            assert result.failed == {}
            assert result.grown == {key_of(log): len(text)}
            assert copies.read() == {"app.log": log.read_bytes()}
        assert other.pinned()["app.log"].stat().st_ino == inode


def test_an_empty_file_is_copied_and_grows(node: Node) -> None:
    log = node.logs / "app.log"
    log.touch()
    with elsewhere(node) as other:
        copies = Copies(other)
        assert len(copies.sweep().pinned) == 1
        log.write_bytes(b"late\n")
        assert copies.sweep().grown == {key_of(log): 5}
        assert copies.read() == {"app.log": b"late\n"}


@pytest.mark.parametrize("text", [b"", b"x", b"quite another beginning, and longer than before\n"])
def test_a_source_that_shrank_or_begins_otherwise_is_another_file(node: Node, text: bytes) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\ntwo\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        (first,) = copies.sweep().pinned
        log.write_bytes(text)  # the same inode
        assert copies.sweep().replaced == [key_of(log)]
        (second,) = copies.sweep().pinned
        assert second.key == first.key
        assert second.name != first.name
        folder = other.at("/other/pins/set")
        assert (folder / first.name).read_bytes() == b"one\ntwo\n"
        assert (folder / second.name).read_bytes() == text


def test_a_copy_of_a_rotated_file_goes_on_under_its_first_name(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        copies.sweep()
        log.rename(node.logs / "app.log.1")
        with (node.logs / "app.log.1").open("ab") as file:
            file.write(b"late\n")
        log.write_bytes(b"new\n")
        copies.sweep()
        pins = sorted(pin.read_bytes() for pin in other.at("/other/pins/set").iterdir())
        assert pins == [b"new\n", b"one\nlate\n"]


def test_a_wiped_copy_comes_back_under_its_name(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        (made,) = copies.sweep().pinned
        (other.at("/other/pins/set") / made.name).unlink()
        copies.sweep()
        assert (other.at("/other/pins/set") / made.name).read_bytes() == b"one\n"


@needs_root
def test_a_full_disk_makes_one_copy_that_goes_on_later(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(bytes(range(256)) * 1000)
    with tmpfs(node.base / "other", "size=64k"):
        other = Node(node.base, pins="/other/pins")
        copies = Copies(other)
        for _ in range(4):
            copies.sweep()
        (pin,) = other.at("/other/pins/set").iterdir()
        assert log.read_bytes().startswith(pin.read_bytes())
        assert "No space" in copies.sweep().failed["app.log"]
        subprocess.run(["mount", "-o", "remount,size=4m", str(node.base / "other")], check=True)
        assert copies.sweep().failed == {}
        assert pin.read_bytes() == log.read_bytes()


@needs_root
def test_a_disk_without_inodes_is_a_failure_that_passes(node: Node) -> None:
    (node.logs / "app.log").write_bytes(b"one\n")
    with tmpfs(node.base / "other", "size=64k,nr_inodes=4"):
        other = Node(node.base, pins="/other/pins")
        (node.base / "other" / "ballast").touch()
        (node.base / "other" / "ballast2").touch()
        copies = Copies(other)
        assert "No space" in copies.sweep().failed["app.log"]
        for name in ("ballast", "ballast2"):
            (node.base / "other" / name).unlink()
        assert copies.sweep().failed == {}
        assert copies.read() == {"app.log": b"one\n"}


@needs_root
def test_a_copy_is_brought_up_in_looks_that_say_there_is_more(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"x" * (AT_ONCE + 10))
    with tmpfs(node.base / "other", "size=256m"):
        other = Node(node.base, pins="/other/pins")
        copies = Copies(other)
        result = copies.sweep()
        assert result.pinned[0].size == AT_ONCE
        assert result.unfinished
        result = copies.sweep()
        assert result.grown == {key_of(log): 10}
        assert not result.unfinished


@needs_root
def test_a_large_file_does_not_keep_small_ones_waiting(node: Node) -> None:
    large, small = node.logs / "a.log", node.logs / "b.log"
    for log in (large, small):
        log.touch()
    with tmpfs(node.base / "other", "size=256m"):
        other = Node(node.base, pins="/other/pins")
        copies = Copies(other)
        copies.sweep()
        large.write_bytes(b"x" * (2 * AT_ONCE))
        small.write_bytes(b"y" * LEAST)
        result = copies.sweep()
        assert result.grown == {key_of(large): AT_ONCE, key_of(small): LEAST}
        assert result.unfinished


def test_while_pins_hold_all_they_may_no_copy_grows_and_none_is_begun(node: Node) -> None:
    old, new = node.logs / "old.log", node.logs / "new.log"
    old.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        copies.sweep()
        result = copies.sweep(full=True)
        assert not result.paused, "there is nothing to copy"
        with old.open("ab") as file:
            file.write(b"two\n")
        result = copies.sweep(full=True)
        assert (result.paused, result.unfinished, result.failed) == (True, False, {})
        assert copies.read() == {"old.log": b"one\n"}
        copies.sweep()
        new.write_bytes(b"new\n")
        result = copies.sweep(full=True)
        assert (result.paused, result.pinned, result.failed) == (True, [], {})
        assert copies.read() == {"old.log": b"one\ntwo\n"}
        old.write_bytes(b"x")
        assert copies.sweep(full=True).replaced == [key_of(old)]
        assert not copies.sweep().paused
        assert sorted(copies.contents()) == [b"new\n", b"one\ntwo\n", b"x"]


def test_links_are_made_while_no_copy_may_be(node: Node) -> None:
    (node.logs / "app.log").touch()
    result = node.sweep(full=True, floor=Floor(1.0, 1.0))
    assert [made.kind for made in result.pinned] == [PinKind.LINKED]
    assert not result.paused


def test_a_wiped_copy_waits_while_nothing_may_be_copied(node: Node) -> None:
    (node.logs / "app.log").write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        copies.sweep()
        other.pinned()["app.log"].unlink()
        result = copies.sweep(full=True)
        assert (result.paused, result.failed) == (True, {})
        copies.sweep()
        assert copies.read() == {"app.log": b"one\n"}


def test_below_the_floor_nothing_is_copied_and_that_is_said(node: Node) -> None:
    (node.logs / "app.log").write_bytes(b"one\n")
    with elsewhere(node) as other:
        (node.base / "other" / "ballast").write_bytes(b"x" * 4096)
        assert "nearly full" in other.sweep(floor=Floor(1.0, 0.0)).failed["app.log"]
        assert "inodes" in other.sweep(floor=Floor(0.0, 1.0)).failed["app.log"]
        assert other.pinned() == {}


def test_a_file_that_got_the_inode_of_a_copied_one_is_another(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        (made,) = copies.sweep().pinned
        copies.known[made.key] = Copy(made.name, made.born - 1)  # its inode was freed meanwhile
        with log.open("ab") as file:
            file.write(b"two\n")
        result = copies.sweep()
        assert result.replaced == [made.key]
        assert result.unfinished
        copies.sweep()
        assert sorted(copies.contents()) == [b"one\n", b"one\ntwo\n"]


def test_a_copy_that_no_record_knows_goes_on_under_its_name(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        (made,) = other.sweep().pinned  # and a kill comes before the record of it
        with log.open("ab") as file:
            file.write(b"two\n")
        result = other.sweep(strays={made.key[1]: ((-1, 1), Copy(made.name))})
        assert (result.moved, result.grown) == ({(-1, 1): made.key}, {made.key: 4})
        assert (result.pinned, result.replaced) == ([], [])
        assert [pin.read_bytes() for pin in other.pinned().values()] == [b"one\ntwo\n"]


def test_a_copy_whose_filesystem_has_another_number_now_goes_on(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        (made,) = other.sweep().pinned
        with log.open("ab") as file:
            file.write(b"two\n")
        before = (made.key[0] + 1, made.key[1])
        copy = Copy(made.name, made.born)
        result = other.sweep(copies={before: copy}, strays={made.key[1]: (before, copy)})
        assert (result.moved, result.grown) == ({before: made.key}, {made.key: 4})
        assert (result.pinned, result.replaced) == ([], [])
        assert [pin.read_bytes() for pin in other.pinned().values()] == [b"one\ntwo\n"]


@pytest.mark.parametrize("different", ["birth", "text", "gone"])
def test_a_stray_copy_of_another_file_is_left_alone(node: Node, different: str) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        (made,) = other.sweep().pinned
        born = made.born - (different == "birth")
        if different == "text":
            log.write_bytes(b"other\n")
        if different == "gone":
            (other.at("/other/pins/set") / made.name).unlink()
        result = other.sweep(strays={made.key[1]: ((-1, 1), Copy(made.name, born))})
        (again,) = result.pinned
        assert again.name != made.name
        assert (other.at("/other/pins/set") / again.name).read_bytes() == log.read_bytes()


@needs_root
def test_the_time_of_a_look_is_that_without_copying(node: Node) -> None:
    (node.logs / "app.log").write_bytes(b"x" * (32 << 20))
    with tmpfs(node.base / "other", "size=64m"):
        other = Node(node.base, pins="/other/pins")
        result = other.sweep()
        assert result.pinned[0].size == 32 << 20
        assert result.took >= 0


def test_a_sparse_file_is_copied_sparsely(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"start")
    os.truncate(log, 1 << 40)
    with elsewhere(node) as other:
        result = other.sweep()
        assert not result.unfinished
        (pin,) = other.pinned().values()
        assert pin.stat().st_size == 1 << 40
        assert pin.stat().st_blocks <= 16


@needs_root
def test_an_append_only_file_is_copied(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    if subprocess.run(["chattr", "+a", str(log)], capture_output=True).returncode:
        pytest.skip("this filesystem has no append-only files")
    try:
        (made,) = node.sweep().pinned
        assert made.kind is PinKind.COPIED
        copies = {made.key: Copy(made.name)}
        with log.open("ab") as file:
            file.write(b"two\n")
        assert node.sweep(copies=copies).grown == {made.key: 4}
        assert node.pinned()["app.log"].read_bytes() == b"one\ntwo\n"
        assert log.stat().st_nlink == 1
    finally:
        subprocess.run(["chattr", "-a", str(log)], check=True)


# -- which root ------------------------------------------------------------------------------------


def test_of_two_roots_the_one_on_the_same_filesystem_is_taken(node: Node) -> None:
    (node.logs / "app.log").touch()
    with elsewhere(node) as other:
        result = node.sweep(roots=(other.root, node.root))
        assert result.root == node.root
        assert result.pinned[0].kind is PinKind.LINKED


def test_without_one_on_the_same_filesystem_the_first_is_taken(node: Node) -> None:
    (node.logs / "app.log").touch()
    with elsewhere(node) as other:
        result = node.sweep(roots=(other.root,))
        assert result.root == other.root
        assert result.pinned[0].kind is PinKind.COPIED


@needs_root
def test_of_two_roots_on_one_filesystem_that_links_is_taken(node: Node) -> None:
    # link(2) compares mounts: the same filesystem by another mount is EXDEV.
    (node.logs / "app.log").touch()
    (node.base / "view").mkdir()
    (node.base / "bound").mkdir()
    bound = subprocess.run(["mount", "--bind", str(node.base / "bound"), str(node.base / "view")])
    if bound.returncode:
        pytest.skip("this root may not mount")
    try:
        (node.base / "view" / "pins").mkdir()
        far = PinRoot("/view/pins", (node.base / "view" / "pins").stat().st_dev)
        assert far.device == node.root.device
        result = node.sweep(roots=(far, node.root))
        assert result.root == node.root
        assert result.pinned[0].kind is PinKind.LINKED
        assert os.listdir(node.base / "view" / "pins") == []
        assert os.listdir(node.at("/pins")) == ["set"]
    finally:
        subprocess.run(["umount", str(node.base / "view")], check=True)


def test_a_serial_that_cannot_be_had_fails_that_file_only(node: Node) -> None:
    for name in ("a.log", "b.log"):
        (node.logs / name).touch()
    order = node.order()

    def serial() -> int:
        number = next(node.serials)
        if number == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return number

    object.__setattr__(order, "serial", serial)
    result = sweep(order)
    assert result.failed == {"a.log": "No space left on device"}
    assert list(node.pinned()) == ["b.log"]


# -- any sequence ----------------------------------------------------------------------------------


class Life:
    """A volume whose files change in any way, looks at it, restarts, and what pins must hold."""

    def __init__(self, node: Node) -> None:
        self.node, self.copies = node, Copies(node)
        self.held: dict[str, bytes] = {}  # pin → what its original held when that was read
        self.punched: dict[str, int] = {}
        self.unrecorded: set[FileKey] = set()

    def file(self, number: int) -> Path:
        return self.node.logs / f"{number % 3}.log"

    def append(self, number: int) -> None:
        with self.file(number).open("ab") as file:
            file.write(b"%d," % number * (number % 3000))

    def hole(self, number: int) -> None:
        if self.file(number).exists():
            os.truncate(self.file(number), self.file(number).stat().st_size + number)

    def truncate(self, number: int) -> None:
        if self.file(number).exists():
            os.truncate(self.file(number), self.file(number).stat().st_size // (1 + number % 4))

    def rotate(self, number: int) -> None:
        if self.file(number).exists():
            self.file(number).rename(self.file(number + 1))

    def delete(self, number: int) -> None:
        self.file(number).unlink(missing_ok=True)

    def punch(self, number: int) -> None:
        for copy in self.copies.known.values():
            upto = min(number, len(self.held[copy.name]))
            self.punched[copy.name] = max(upto, self.punched.get(copy.name, 0))
            punch(self.node.at(f"{self.node.pins}/set") / copy.name, upto)

    def look(self, number: int) -> None:
        found = {key_of(path): path.read_bytes() for path in self.node.logs.iterdir()}
        result = self.copies.sweep(full=number % 5 == 0)
        assert result.failed == {}
        names = {key: copy.name for key, copy in self.copies.known.items()}
        for made in result.pinned:
            before = self.held.get(made.name, b"")
            assert found[made.key][: len(before)][-SAMPLE:] == before[-SAMPLE:]
            self.held[made.name] = before + found[made.key][len(before) : made.size]
            self.unrecorded.add(made.key)
        for key, added in result.grown.items():
            size = len(self.held[names[key]])
            assert found[key][:size][-SAMPLE:] == self.held[names[key]][-SAMPLE:]
            self.held[names[key]] += found[key][size : size + added]

    def save(self, _: int) -> None:
        self.unrecorded.clear()

    def restart(self, _: int) -> None:
        """A kill: what was pinned since the last record is only found on disk."""
        known = self.copies.known
        self.copies.strays = {
            key[1]: ((-1, key[1]), Copy(known[key].name)) for key in self.unrecorded if key in known
        }
        for key in self.unrecorded:
            known.pop(key, None)
        self.unrecorded.clear()

    def check(self) -> None:
        pins = list(self.node.at(f"{self.node.pins}/set").glob("*"))
        assert {pin.name for pin in pins} == set(self.held)
        for pin in pins:
            text, upto = pin.read_bytes(), self.punched.get(pin.name, 0)
            assert len(text) == len(self.held[pin.name])
            assert text[upto:] == self.held[pin.name][upto:]


CHANGES = ["append", "append", "append", "hole", "truncate", "rotate", "delete"]
LOOKS = ["look", "look", "look", "punch", "save", "restart"]
STEPS = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.sampled_from(LOOKS), st.integers(1, 20_000)),
    max_size=30,
)


def test_whatever_happens_copies_hold_what_was_there_when_it_was_read(node: Node) -> None:
    with elsewhere(node) as other:

        @settings(max_examples=100, deadline=None)
        @given(STEPS)
        def holds(steps: list[tuple[str, str, int]]) -> None:
            for folder in (other.logs, other.at(other.pins)):
                shutil.rmtree(folder)
                folder.mkdir()
            life = Life(other)
            for change, look, number in steps:
                getattr(life, change)(number)
                getattr(life, look)(number)
                life.check()

        holds()
