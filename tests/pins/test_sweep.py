from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.names import parse_pin_name, unescape
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.roots import PinRoot
from pilot.pins.sweep import (
    Copy,
    folder_stamp,
    matching_names,
    sweep,
)
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
    assert made.linked
    assert key_of(pin) == key_of(node.logs / "app.log") == made.key
    assert made.name == f"app.log~{made.key[1]}~1"
    (node.logs / "app.log").unlink()
    assert pin.read_text() == "one\n"


def test_a_file_that_is_pinned_already_is_left_alone(node: Node) -> None:
    (node.logs / "app.log").touch()
    key = key_of(node.logs / "app.log")
    result = node.sweep(owner=lambda each: each == key)
    assert result.files == {key: "app.log"}
    assert result.pinned == []
    assert node.pinned() == {}


def test_no_descriptor_is_kept(node: Node) -> None:
    for number in range(20):
        (node.logs / f"{number}.log").touch()
    (node.logs / "link.log").symlink_to("/etc/passwd")
    before = open_files()
    node.sweep()
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
    result = node.sweep(lost={key: old})
    assert [each.name for each in result.pinned] == [old]
    assert (node.at("/pins/set") / old).stat().st_ino == key[1]


def test_a_wiped_pin_root_is_made_again(node: Node) -> None:
    (node.logs / "app.log").touch()
    root = node.root
    node.at("/pins").rmdir()
    assert len(node.sweep(roots=(root,)).pinned) == 1


def test_without_a_pin_root_files_are_only_found(node: Node) -> None:
    (node.logs / "app.log").touch()
    result = node.sweep(roots=())
    assert list(result.files.values()) == ["app.log"]
    assert result.pinned == []


# -- which names -----------------------------------------------------------------------------------


def names(node: Node, pattern: str, *, rotated: bool = True) -> list[str]:
    folder = os.open(node.logs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return matching_names(folder, file_set(pattern=pattern, rotated=rotated), {})
    finally:
        os.close(folder)


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
        name = os.fsencode(result.files[made.key])
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
        assert {os.fsencode(each) for each in result.files.values()} == {
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
def test_a_symlink_in_place_of_any_folder_is_refused_and_named(node: Node, folder: str) -> None:
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
    with pytest.raises(RefusedError, match=r"/volume/logs.*symlink"):
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
        with pytest.raises(RefusedError, match="not followed"):
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
    assert asked == [str(node.logs.resolve())]
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
        assert asked[0] == str(node.logs.resolve())
        assert str(target) in asked[1:]
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


def test_a_folder_that_flips_to_a_symlink_never_leads_out(node: Node) -> None:
    target = secret(node)
    real, link = node.base / "volume" / "real", node.base / "volume" / "link"
    node.logs.rmdir()
    node.logs.mkdir()
    (node.logs / "app.log").write_text("tenant\n")
    link.symlink_to(target)
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            node.logs.rename(real)
            link.rename(node.logs)
            node.logs.rename(link)
            real.rename(node.logs)

    flipping = threading.Thread(target=flip)
    flipping.start()
    outcomes = dict.fromkeys(("found", "refused", "missing"), 0)
    try:
        for _ in range(3000):
            try:
                result = node.sweep()
            except RefusedError:
                outcomes["refused"] += 1
            except FolderMissingError:
                outcomes["missing"] += 1
            else:
                outcomes["found"] += 1
                assert set(result.files) == {(node.root.device, result.pinned[0].key[1])}
    finally:
        stop.set()
        flipping.join()
    assert min(outcomes["found"], outcomes["refused"]) > 0, outcomes
    assert set(node.inodes()) == {(node.logs / "app.log").stat().st_ino}
    assert (target / "app.log").stat().st_nlink == 1


def test_a_file_that_flips_to_a_symlink_never_leads_out(node: Node) -> None:
    target = secret(node) / "app.log"
    log, spare, link = (node.logs / name for name in ("app.log", "spare", "link"))
    log.write_text("tenant\n")
    link.symlink_to(target)
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            log.rename(spare)
            link.rename(log)
            log.rename(link)
            spare.rename(log)

    flipping = threading.Thread(target=flip)
    flipping.start()
    found = refused = 0
    try:
        for _ in range(3000):
            result = node.sweep()
            found, refused = found + bool(result.pinned), refused + bool(result.refused)
    finally:
        stop.set()
        flipping.join()
    assert min(found, refused) > 0
    assert set(node.inodes()) == {log.stat().st_ino}
    assert target.stat().st_nlink == 1


# -- stamps and the watch --------------------------------------------------------------------------


def test_the_stamp_is_the_folder_s_own_and_changes_with_it(node: Node) -> None:
    result = node.sweep()
    assert result.stamp == folder_stamp(str(node.logs))
    os.utime(node.logs, ns=(0, result.stamp[2] + 1))
    assert folder_stamp(str(node.logs)) != result.stamp
    assert folder_stamp(str(node.logs / "none")) is None


def test_a_symlink_s_stamp_is_not_its_target_s(node: Node) -> None:
    (node.base / "link").symlink_to(node.logs)
    assert folder_stamp(str(node.base / "link")) != folder_stamp(str(node.logs))


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

    def sweep(self) -> Sweep:
        result = self.node.sweep(copies=self.known, owner=self.known.__contains__)
        for key in result.replaced:
            del self.known[key]
        self.known.update({made.key: Copy(made.name) for made in result.pinned})
        return result

    def read(self) -> dict[str, bytes]:
        return {path: pin.read_bytes() for path, pin in self.node.pinned().items()}


def test_where_no_link_is_possible_a_copy_grows_by_appends(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    with elsewhere(node) as other:
        copies = Copies(other)
        (made,) = copies.sweep().pinned
        assert (made.linked, made.size, made.key) == (False, 4, key_of(log))
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
        assert "full" in copies.sweep().failed["app.log"]
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
def test_an_append_only_file_is_copied(node: Node) -> None:
    log = node.logs / "app.log"
    log.write_bytes(b"one\n")
    if subprocess.run(["chattr", "+a", str(log)], capture_output=True).returncode:
        pytest.skip("this filesystem has no append-only files")
    try:
        (made,) = node.sweep().pinned
        assert not made.linked
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
        assert result.pinned[0].linked


def test_without_one_on_the_same_filesystem_the_first_is_taken(node: Node) -> None:
    (node.logs / "app.log").touch()
    with elsewhere(node) as other:
        result = node.sweep(roots=(other.root,))
        assert result.root == other.root
        assert not result.pinned[0].linked


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
        assert result.pinned[0].linked
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
