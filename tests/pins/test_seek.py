"""Copies whose originals have names that do not match any more go on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.pins.bench import Bench, write
from tests.pins.node import file_set

if TYPE_CHECKING:
    from pathlib import Path


def text(bench: Bench) -> list[str]:
    folder = bench.node.at(bench.node.pins) / "set"
    return sorted(path.read_text() for path in folder.iterdir() if path.is_file())


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line)


def test_a_copy_grows_when_its_original_was_renamed_out_of_the_pattern(copying: Bench) -> None:
    log = write(copying, "app.log", "one\n")
    copying.tend(file_set())
    other = log.rename(log.with_name("away.txt"))
    append(other, "two\n")
    copying.look()
    assert text(copying) == ["one\ntwo\n"]
    again = other.rename(other.with_name("further.bak"))
    append(again, "three\n")
    copying.look()
    assert text(copying) == ["one\ntwo\nthree\n"]


def test_a_copy_grows_when_no_link_leads_to_its_original_any_more(copying: Bench) -> None:
    first = write(copying, "1.txt", "one\n")
    second = write(copying, "2.txt", "other\n")
    link = copying.node.logs / "current.log"
    link.symlink_to("1.txt")
    copying.tend(file_set())
    link.unlink()
    link.symlink_to("2.txt")
    append(first, "two\n")
    copying.look()
    assert text(copying) == ["one\ntwo\n", "other\n"]
    append(second, "more\n")
    append(first, "three\n")
    copying.look()
    assert text(copying) == ["one\ntwo\nthree\n", "other\nmore\n"]


def test_a_file_that_has_the_inode_of_a_deleted_original_is_not_taken_for_it(
    copying: Bench,
) -> None:
    log = write(copying, "app.log", "one\n")
    copying.tend(file_set())
    (pin,) = copying.pins()
    pin.born -= 1  # As if the file that is there now were a later one.
    other = log.rename(log.with_name("other.txt"))
    append(other, "secret\n")
    copying.look()
    assert text(copying) == ["one\n"]


def test_many_renamed_originals_are_found_in_one_listing(copying: Bench) -> None:
    for number in range(500):
        write(copying, f"{number}.log", f"{number}\n")
    copying.tend(file_set())
    for number in range(500):
        os.rename(copying.node.logs / f"{number}.log", copying.node.logs / f"{number}.txt")
        append(copying.node.logs / f"{number}.txt", "more\n")
    copying.look()
    assert text(copying) == sorted(f"{number}\nmore\n" for number in range(500))
