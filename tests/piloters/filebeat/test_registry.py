from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pilot.piloters.filebeat.registry import Registry

RECORDED = Path(__file__).with_name("recorded")
PINS = "/tmp/recorded/pins/app"
KEY = "filestream::a::path::/pins/a~1~1"
ENTRY = json.dumps({"_key": KEY, "cursor": {"offset": 3}})


class Records:
    """A registry folder, written as Filebeat does."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "registry" / "filebeat"
        self.folder.mkdir(parents=True)
        (self.folder / "meta.json").write_text('{"version":"1"}')
        self.log = self.folder / "log.json"
        self.log.touch()
        self.number = 0

    def pair(self, offset: int | None, key: str = KEY, operation: str = "set") -> bytes:
        self.number += 1
        action: dict[str, Any] = {"op": operation, "id": self.number}
        value: dict[str, Any] = {"k": key}
        if operation == "set":
            value["v"] = self.value(offset)
        return f"{json.dumps(action)}\n{json.dumps(value)}\n".encode()

    @staticmethod
    def value(offset: int | None) -> dict[str, Any]:
        return {"ttl": -1, "cursor": None if offset is None else {"offset": offset}}

    def append(self, *pairs: bytes) -> None:
        with self.log.open("ab") as stream:
            stream.writelines(pairs)

    def checkpoint(self, offset: int) -> None:
        """As memlog does: the checkpoint first, then the log is cut in place."""
        content = json.dumps([{"_key": KEY, **self.value(offset)}])
        (self.folder / "checkpoint.new").write_text(content)
        (self.folder / "checkpoint.new").rename(self.folder / f"{self.number}.json")


def offset(registry: Registry) -> int | None:
    return registry.progress(["a"]).get(("a", "/pins/a~1~1"))


@pytest.mark.parametrize(("version", "inode"), [("9.0.0", 10003125), ("7.17.29", 10002860)])
def test_real_records_are_read(tmp_path: Path, version: str, inode: int) -> None:
    shutil.copytree(RECORDED / version, tmp_path / "registry" / "filebeat")
    registry = Registry(tmp_path)
    assert registry.progress(["app", "native", "unknown"]) == {
        ("app", f"{PINS}/a.log~11~1"): 8,
        ("app", f"{PINS}/b.log~12~2"): 4,  # its pin is gone: ttl 0, the cursor stays
        ("app", f"{PINS}/half~13~3"): 0,  # nothing acknowledged: the cursor is null
        ("native", f"{inode}-65024"): 8,
    }
    assert registry.progress(["native"]) == {("native", f"{inode}-65024"): 8}
    assert registry.progress([]) == {}


@pytest.mark.parametrize("version", ["9.0.0", "7.17.29"])
def test_real_records_cut_anywhere_never_say_more_than_was_written(
    tmp_path: Path, version: str
) -> None:
    content = (RECORDED / version / "log.json").read_bytes()
    folder = tmp_path / "registry" / "filebeat"
    folder.mkdir(parents=True)
    (folder / "log.json").touch()
    registry = Registry(tmp_path)
    for end in range(0, len(content) + 1, 7):
        (folder / "log.json").write_bytes(content[:end])
        incremental = registry.progress(["app", "native"])
        assert incremental == Registry(tmp_path).progress(["app", "native"])
    (folder / "log.json").write_bytes(content)
    assert len(registry.progress(["app", "native"])) == 4


def test_a_real_checkpoint_is_read_with_the_log_behind_it(tmp_path: Path) -> None:
    folder = tmp_path / "registry" / "filebeat"
    shutil.copytree(RECORDED / "9.0.0-checkpoint", folder)
    both = Registry(tmp_path).progress([f"x{number}" for number in range(20)])
    assert len(both) == 20
    (folder / "log.json").write_bytes(b"")
    alone = Registry(tmp_path).progress([f"x{number}" for number in range(20)])
    assert alone[("x9", "/tmp/recorded/pins/x9/a.log~1~1")] == 277269
    advanced = {key for key in both if both[key] > alone[key]}
    assert {input_id for input_id, _ in advanced} == {"x4", "x10", "x15", "x17"}
    assert all(both[key] >= alone[key] for key in both)


def test_before_filebeat_ever_ran_there_is_no_progress(tmp_path: Path) -> None:
    assert Registry(tmp_path).progress(["a"]) == {}


def test_what_is_appended_is_taken_and_what_is_half_written_waits(tmp_path: Path) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    records.append(records.pair(None))
    assert offset(registry) == 0
    pair = records.pair(5)
    records.append(pair[:-10])
    assert offset(registry) == 0
    records.append(pair[-10:])
    assert offset(registry) == 5
    records.append(records.pair(None, operation="remove"))
    assert offset(registry) is None


def test_nothing_is_read_again_when_nothing_changed(tmp_path: Path) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    records.append(records.pair(5))
    assert offset(registry) == 5
    # The same size and inode: only a second reading could see this.
    records.log.write_bytes(records.log.read_bytes().replace(b'"offset": 5', b'"offset": 7'))
    assert offset(registry) == 5
    records.append(records.pair(9))
    assert offset(registry) == 9


def test_a_checkpoint_replaces_the_log_that_is_cut_in_place(tmp_path: Path) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    records.append(records.pair(5), records.pair(6))
    assert offset(registry) == 6
    records.checkpoint(6)
    assert offset(registry) == 6  # the log still holds what the checkpoint does
    records.log.write_bytes(b"")
    assert offset(registry) == 6
    records.append(records.pair(7))
    assert offset(registry) == 7
    assert offset(Registry(tmp_path)) == 7


def test_a_log_that_grew_past_the_old_size_after_a_checkpoint_is_read_whole(tmp_path: Path) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    records.append(records.pair(5))
    assert offset(registry) == 5
    size = records.log.stat().st_size
    records.checkpoint(5)
    records.log.write_bytes(b"")
    records.append(records.pair(6), records.pair(8))
    assert records.log.stat().st_size > size
    assert offset(registry) == 8


def test_the_newest_of_two_checkpoints_counts_and_its_log_entries_do_not(tmp_path: Path) -> None:
    records = Records(tmp_path)
    old = records.pair(5)
    records.checkpoint(5)
    for _ in range(9):
        old += records.pair(5)
    records.checkpoint(50)  # 10.json, which sorts before 1.json as text in reverse
    records.append(old)
    assert offset(Registry(tmp_path)) == 50


def test_entries_behind_a_gap_are_not_believed(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.append(records.pair(5))
    records.number += 1
    records.append(records.pair(9))
    with pytest.raises(OSError, match="changed while it was read"):
        offset(Registry(tmp_path))


@pytest.mark.parametrize(
    "broken",
    [
        b"\0\0\0\n\0\0\n",
        # Of a number that was taken already: if believed, they would be passed over.
        b'{"op":"set","id":1}{}\n{"k":"x","v":{}}\n',
        b'{"op":"set","id":1}\n{"k":"x","v":{}} {}\n',
        b'{"op":"set","id":1}\n{"k":"\xff","v":{}}\n',
        b'{"op":"set","id":"two"}\n{"k":"x","v":{}}\n',
        b"5\n5\n",
    ],
)
def test_a_broken_line_ends_what_is_believed_until_filebeat_starts_anew(
    tmp_path: Path, broken: bytes
) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    records.append(records.pair(5), broken, records.pair(9))
    assert offset(registry) == 5
    records.checkpoint(5)
    records.log.write_bytes(b"")
    records.append(records.pair(10))
    assert offset(registry) == 10


def test_keys_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    records, registry = Records(tmp_path), Registry(tmp_path)
    for key in ("filebeat::logs::native::1-2", "x", "filestream::a::fingerprint::ab"):
        records.append(records.pair(5, key=key))
    records.append(records.pair(6))
    assert registry.progress(["a"]) == {("a", "/pins/a~1~1"): 6}


def test_another_format_of_the_registry_is_an_error(tmp_path: Path) -> None:
    records = Records(tmp_path)
    (records.folder / "meta.json").write_text('{"version":"2"}')
    with pytest.raises(OSError, match="not version 1"):
        offset(Registry(tmp_path))


@pytest.mark.parametrize("content", ["[]", "[\n]\n"])
def test_a_checkpoint_without_entries_is_one(tmp_path: Path, content: str) -> None:
    records = Records(tmp_path)
    (records.folder / "3.json").write_text(content)
    records.number = 3
    records.append(records.pair(7))
    assert offset(Registry(tmp_path)) == 7


@pytest.mark.parametrize(
    "content",
    [
        *("", "[{", "[5]", "5", "{}", "]", "[,]", '[{"ttl": 1}]'),
        *(f"[{ENTRY}", f"[{ENTRY},", f"[{ENTRY},]", f"[{ENTRY}{ENTRY}]", f"[{ENTRY}[]"),
        *(f"[{ENTRY}]x", f"[{ENTRY}]\n]", f"{ENTRY}]", f",{ENTRY}]"),
    ],
)
def test_a_broken_checkpoint_is_an_error(tmp_path: Path, content: str) -> None:
    records = Records(tmp_path)
    (records.folder / "3.json").write_text(content)
    with pytest.raises(OSError, match="is no checkpoint"):
        offset(Registry(tmp_path))


def test_an_unreadable_registry_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "filebeat").touch()
    with pytest.raises(NotADirectoryError):
        offset(Registry(tmp_path))


def test_the_offset_of_a_single_stream_is_that_of_its_file(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.append(records.pair(9), records.pair(5, f"{KEY}-stdout"))
    assert offset(Registry(tmp_path)) == 9
    records.append(records.pair(12, f"{KEY}-stdout"))
    assert offset(Registry(tmp_path)) == 12
    records.append(records.pair(None, KEY, "remove"), records.pair(14, f"{KEY}-stderr"))
    assert offset(Registry(tmp_path)) == 14
