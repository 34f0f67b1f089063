"""Figure 10: a look at Filebeat's registry, the first and those after each acknowledgement."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilot.piloters.filebeat.registry import Registry
from tests.bench.figures import Figure, Scale, Spread, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.node import Node

FIRST, LATER = 0.050, 0.002  # seconds
FIRSTS, LATERS = 20, 200  # looks
PER_SET = 100  # pins of one file set
LONGEST = 10 << 20  # bytes of log.json, at which Filebeat writes a checkpoint and cuts it
UPDATED = 1795271988


class Records:
    """A registry as the memory log store writes it: key order, no blanks, numbers without gaps."""

    def __init__(self, data: Path, entries: int) -> None:
        self._folder = data / "registry" / "filebeat"
        self._folder.mkdir(parents=True)
        (self._folder / "meta.json").write_text('{"version":"1"}')
        self._number = 3 * entries  # Each entry was found, opened and acknowledged once.
        self.sets = [f"stdout-{number:064x}" for number in range(-(-entries // PER_SET))]
        self._pins = [
            (self.sets[n // PER_SET], _pin(self.sets[n // PER_SET], n)) for n in range(entries)
        ]
        rows = (_dumped({"_key": _key(*each), **_value(each[1], 4096)}) for each in self._pins)
        (self._folder / f"{self._number}.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")
        self.log = self._folder / "log.json"
        self.log.touch()

    def pairs(self, count: int) -> str:
        """So many acknowledgements, of any files."""
        lines = []
        for _ in range(count):
            self._number += 1
            name, pin = random.choice(self._pins)
            value = _value(pin, 4096 + self._number)
            lines.append(_dumped({"op": "set", "id": self._number}))
            lines.append(_dumped({"k": _key(name, pin), "v": value}))
        return "\n".join([*lines, ""])

    def acknowledge(self, count: int = 1) -> None:
        """Append to the log."""
        with self.log.open("a") as stream:
            stream.write(self.pairs(count))


def measure(node: Node, scale: Scale) -> Iterator[Figure]:
    """Each look asks about all file sets, as when all have a pin whose original is gone."""
    data = node.folder / "data"
    records = Records(data, scale.entries)
    first = _first(data, records)
    yield Figure(
        number=10,
        name=f"first look at Filebeat's registry, {scale.entries:,} entries",
        aim="median ≤ 50 ms",
        measured=str(first),
        met=first.p50 <= FIRST,
        values=first.values(),
    )
    registry, times = Registry(data), []
    registry.progress(records.sets)
    for _ in range(LATERS):
        records.acknowledge()
        begun = time.perf_counter()
        found = registry.progress(records.sets)
        times.append(time.perf_counter() - begun)
        assert len(found) == scale.entries, f"{len(found)} of {scale.entries} entries were found"
    later = spread(times)
    yield Figure(
        number=10,
        name="each later look, one more acknowledged",
        aim="p99 ≤ 2 ms",
        measured=str(later),
        met=later.p99 <= LATER,
        values=later.values(),
    )
    full = LONGEST * scale.entries // Scale().entries
    while (size := records.log.stat().st_size) < full * 0.98:
        records.acknowledge(max(1, (full - size) // 1000))
    worst = _first(data, records)
    acknowledged = records.log.read_bytes().count(b"\n") // 2
    yield Figure(
        number=10,
        name=f"beside it: first look, and {acknowledged:,} acknowledgements in the log behind them"
        f" ({size / (1 << 20):.1f} MiB)",
        measured=str(worst),
        values=worst.values(acknowledged=acknowledged),
    )


def _first(data: Path, records: Records) -> Spread:
    """Each in a new process, as after the pilot's start: its memory is new, too."""
    command = [sys.executable, "-m", __name__, str(data), *records.sets]
    return spread([float(subprocess.check_output(command)) for _ in range(FIRSTS)])


def look(data: Path, sets: Sequence[str]) -> float:
    """Seconds that one first look takes."""
    begun = time.perf_counter()
    Registry(data).progress(sets)
    return time.perf_counter() - begun


def _pin(name: str, number: int) -> str:
    return f"/var/lib/docker/log-pilot/{name}/{name[7:]}-json.log~{10000000 + number}~{number}"


def _key(name: str, pin: str) -> str:
    return f"filestream::{name}::path::{pin}"


def _value(pin: str, offset: int) -> dict[str, Any]:
    return {
        "ttl": -1,
        "updated": [random.randrange(10**9), UPDATED],
        "cursor": {"offset": offset},
        "meta": {"source": pin, "identifier_name": "path"},
    }


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    print(look(Path(sys.argv[1]), sys.argv[2:]))
