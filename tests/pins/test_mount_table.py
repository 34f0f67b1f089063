from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilot.pins.mount_table import FRESH, MountTable
from tests.fakes.clock import Clock
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from pathlib import Path


def test_a_path_lies_in_the_nearest_mount_above_it() -> None:
    table = MountTable()
    assert table.mount_of("/proc/self/fd") == table.mount_of("/proc")
    assert table.mount_of("/proc") != table.mount_of("/")
    assert table.mount_of("/no/such/folder") == table.mount_of("/")


@needs_root
def test_a_mount_that_comes_later_is_seen_and_its_end_too(tmp_path: Path) -> None:
    clock = Clock()
    table, place = MountTable(clock), tmp_path / "a b"
    before = table.mount_of(str(place))
    with tmpfs(place, "size=1m"):
        clock.now += FRESH
        assert table.mount_of(str(place / "x")) != before
    clock.now += FRESH
    assert table.mount_of(str(place / "x")) == before


@needs_root
@pytest.mark.parametrize("name", ["a\rb", "a\x0bb", "a\tb", "a\\b", "ä"])
def test_no_name_of_a_mount_ends_it(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    with tmpfs(place, "size=1m"):
        table = MountTable()
        assert table.mount_of(str(place / "x")) != table.mount_of(str(tmp_path))
