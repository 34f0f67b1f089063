"""The kernel's list of mounts, line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilot.mountinfo import OWN_TABLE, mounts

TABLE = rb"""27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
42 27 254:0 /a\040b\134 /c\011d\012e rw - ext4 /dev/vda rw
46 42 0:39 / /merged rw,relatime - overlay overlay rw,upperdir=/u\054p,workdir=/w
47 42 0:40 / /bare rw - tmpfs
no line of it
"""


def test_a_mount_is_told_with_its_escapes_undone() -> None:
    first, second, overlay, bare = mounts(TABLE)
    assert (first.id, first.device, first.root, first.place) == (27, "254:0", "/", "/")
    assert (second.root, second.place) == ("/a b\\", "/c\td\ne")
    assert (overlay.filesystem, overlay.options) == (
        "overlay",
        ("rw", "upperdir=/u,p", "workdir=/w"),
    )
    assert (bare.filesystem, bare.options) == ("tmpfs", ())


def test_one_mount_or_one_device_can_be_asked_for() -> None:
    assert [each.id for each in mounts(TABLE, mount_id=42)] == [42]
    assert [each.id for each in mounts(TABLE, device="254:0")] == [27, 42]
    assert list(mounts(TABLE, mount_id=4)) == []


def test_white_space_that_the_kernel_does_not_escape_ends_no_line() -> None:
    (found,) = mounts(b"27 1 254:0 / /a\rb\x0bc\xff rw - ext4 /dev/vda rw\n")
    assert found.place == "/a\rb\x0bc\udcff"


def test_the_mounts_of_this_process_are_all_there() -> None:
    table = OWN_TABLE.read_bytes()
    found = list(mounts(table))
    assert len(found) == table.count(b"\n")
    assert all(each.filesystem and each.options for each in found)


@given(st.binary())
def test_any_bytes_are_taken(table: bytes) -> None:
    assert all(each.root and each.place for each in mounts(table))
