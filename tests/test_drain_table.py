"""Each end of a container, each state of its collector, each kind of pin: what follows.

The table is what docs/pins.md promises. A collector that is *behind* reads nothing of these files
for a while but gets on elsewhere, a *blocked* one acknowledges nothing anywhere for longer than the
limit and then goes on, a *dead* one never does.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pilot.drain import DIRECT
from pilot.model import State
from tests.bench_containers import Bench, container, write
from tests.pins.node import Node, elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilot.pins.record import Pin

LIMIT = 100  # seconds: --drain-limit
BEHIND = 20  # seconds until a collector that is behind has read
OUTAGE = 300  # seconds until a blocked collector goes on
SOON = 15  # seconds that bookkeeping may take: looks, surveys, quiet times, the config's own end
LONG = OUTAGE + 50  # seconds after which nothing more is waited for of what stays

READ = "one\n"  # of web.log, before the end, by every collector
UNREAD = ("two\nthree\n", "four\n")  # of web.log and web2.log: only the one that is up to date
LEFT = (2, sum(map(len, UNREAD)))  # files and bytes that a dead collector leaves

Loss = tuple[int, int]
NOTHING: Loss = (0, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """What is expected. `gone` are seconds after the end; None: its record and config stay."""

    end: str
    collector: str
    kinds: str
    phases: str
    gone: float | None = None
    lost: Loss = NOTHING


ALL = "linked copied direct"
THRICE = "running draining running draining running draining"
TABLE = [
    # `docker stop`, or the program ended: the record and the files are there.
    Row("exit", "up to date", ALL, "running draining drained"),
    Row("exit", "behind", ALL, "running draining drained"),
    Row("exit", "blocked", ALL, "running draining drained"),
    Row("exit", "dead", ALL, "running draining"),
    # Ended and started again ten seconds later; it writes on.
    Row("restart", "up to date", ALL, "running draining drained running"),
    Row("restart", "behind", ALL, "running draining running"),
    Row("restart", "blocked", ALL, "running draining running"),
    Row("restart", "dead", ALL, "running draining running"),
    # Three lives, the later ones of a second each, then it stays ended.
    Row("crash loop", "up to date", ALL, f"{THRICE} drained"),
    Row("crash loop", "behind", ALL, f"{THRICE} drained"),
    Row("crash loop", "blocked", ALL, f"{THRICE} drained"),
    Row("crash loop", "dead", ALL, THRICE),
    # `docker rm`: the record is gone, its files lie on in a volume that stays.
    Row("rm", "up to date", ALL, "running draining retiring gone", 0),
    Row("rm", "behind", ALL, "running draining retiring gone", BEHIND),
    Row("rm", "blocked", ALL, "running draining retiring gone", OUTAGE),
    Row("rm", "dead", "linked copied", "running draining retiring gone", 7 * LIMIT, LEFT),
    Row("rm", "dead", "direct", "running draining retiring gone", 7 * DIRECT, LEFT),
    # `docker rm -v`, a pod's end: the files go with the record. A link is kept until five seconds
    # after the file's last change, because somebody might hold it and write.
    Row("volume gone", "up to date", "linked", "running draining drained retiring gone", 0),
    Row("volume gone", "up to date", "copied direct", "running draining retiring gone", 0),
    Row("volume gone", "behind", ALL, "running draining retiring gone", BEHIND),
    Row("volume gone", "blocked", ALL, "running draining retiring gone", OUTAGE),
    Row("volume gone", "dead", "linked copied", "running draining retiring gone", 7 * LIMIT, LEFT),
    Row("volume gone", "dead", "direct", "running draining retiring gone", 7 * DIRECT, LEFT),
]
CASES = [pytest.param(row, kind, id=f"{row.end}, {row.collector}, {kind}")
         for row in TABLE for kind in row.kinds.split()]  # fmt: skip


@dataclass(slots=True)
class Course:
    """One container, one collector."""

    bench: Bench
    collector: str
    phases: list[str]
    elapsed: float = 0.0  # seconds since the end
    over: bool = False

    def note(self) -> None:
        known = self.bench.containers.tracked.get("web")
        phase = str(known.phase) if known else "gone"
        if self.phases[-1:] != [phase]:
            self.phases.append(phase)

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            since = self.elapsed if self.over else 0.0
            able = {
                "up to date": True,
                "behind": since >= BEHIND,
                "blocked": since >= OUTAGE,
                "dead": False,
            }[self.collector]
            if able:
                self.read()
            self.bench.busy = able or not self.over or self.collector == "behind"
            self.bench.run(1)
            self.elapsed += self.over
            self.note()

    def read(self) -> None:
        """Read all that is in its config: pins, or files that it still holds though deleted."""
        known = self.bench.containers.tracked.get("web")
        if not known or not known.placed:
            return
        self.bench.read_all()
        for name, pin in self.files():
            if not pin.linked and not pin.copied:
                self.bench.piloter.read[name, f"{pin.key[1]}-{pin.key[0]}"] = max(0, pin.seen)

    def files(self) -> list[tuple[str, Pin]]:
        return [
            (name, pin)
            for name, kept in self.bench.keeper.sets.items()
            for pin in kept.pins.values()
        ]


@contextmanager
def bench_of(base: Path, kind: str) -> Iterator[Bench]:
    if kind == "copied":
        with elsewhere(Node(base)) as node:
            made = Bench(base, node=node, drain_limit=float(LIMIT))
            yield made
            made.stop()
    else:
        made = Bench(base, pin=kind == "linked", drain_limit=float(LIMIT))
        yield made
        made.stop()


def begin(bench: Bench, kind: str, collector: str) -> Course:
    """A running container, its collector so far as it is at the end."""
    course = Course(bench, collector, [])
    write(bench, "web.log", READ)
    bench.found(container())
    course.note()
    bench.run(2)
    course.read()
    write(bench, "web.log", UNREAD[0])
    write(bench, "web2.log", UNREAD[1])
    bench.run(2)
    bench.keeper.survey([name for name, _ in course.files()])
    bench.workers.run()
    kinds = {str(pin.kind) for _, pin in course.files()}
    assert (kinds, len(course.files())) == ({kind}, 2)
    course.run(2)
    return course


def end(course: Course, how: str) -> None:
    bench, web = course.bench, container()
    ended = replace(web, state=State.ENDED)
    course.over = True
    bench.clock.now += 0.5  # No look or survey begins at the very moment of the end.
    if how == "volume gone":
        for each in bench.node.logs.iterdir():
            each.unlink()
        bench.node.logs.rmdir()
    bench.found(ended)
    course.note()
    if how in ("rm", "volume gone"):
        bench.gone()
        course.note()
    elif how == "restart":
        course.run(10)
        bench.found(web)
        course.note()
        write(bench, "web.log", "again\n")
    elif how == "crash loop":
        for _ in range(2):
            bench.found(web)
            course.note()
            write(bench, "web.log", "again\n")
            course.run(1)
            bench.found(ended)
            course.note()


@pytest.mark.parametrize(("row", "kind"), CASES)
def test_what_follows_an_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, row: Row, kind: str
) -> None:
    caplog.set_level(logging.INFO, "pilot.endings")
    with bench_of(tmp_path, kind) as bench:
        course = begin(bench, kind, row.collector)
        end(course, row.end)
        if row.gone is None:
            course.run(LONG)
            assert bench.fragments() == {"web"}
        else:
            course.run(max(0, row.gone - SOON))
            assert row.gone < SOON or bench.fragments() == {"web"}, "not before its time"
            while "gone" not in course.phases and course.elapsed < row.gone + 2 * SOON:
                course.run(1)
            assert bench.fragments() == set()
            assert bench.deadlines.next() is None
        passed = [each.message.split()[-1] for each in caplog.records if "(web): " in each.message]
        last = ["gone"] if "gone" in course.phases else []
        assert " ".join(["running", *passed, *last]) == row.phases
        lost = bench.keeper.state()["lost"]
        assert lost == {"files": row.lost[0], "bytes": row.lost[1]}


@pytest.mark.parametrize(
    ("row", "kind"),
    [case for case in CASES if case.values[1] != "direct"],
)
def test_the_same_follows_though_the_pilot_is_killed_and_started_again(
    tmp_path: Path, row: Row, kind: str
) -> None:
    """In direct mode nobody knows afterwards what was deleted."""
    with bench_of(tmp_path, kind) as bench:
        course = begin(bench, kind, row.collector)
        end(course, row.end)
        for _ in range(2):
            course.run(3)
            bench.keeper.shelf.save()
            bench.containers.saver.save_drains()
            bench.store.close()  # as kill -9 does
            bench.start()
            course.note()
        course.run(row.gone + 3 * SOON if row.gone is not None else LONG)
        assert ("gone" in course.phases) == (row.gone is not None)
        assert bench.fragments() == (set() if row.gone is not None else {"web"})
        assert course.phases[-1] == row.phases.split()[-1]
        kept = bench.keeper.state()["lost"]
        assert kept == {"files": row.lost[0], "bytes": row.lost[1]}


def markdown() -> str:
    """The table for people."""
    head = "| end | collector | pins | phases | config goes after | lost |\n" + "|---" * 6 + "|\n"
    return head + "".join(
        f"| {row.end} | {row.collector} | {', '.join(row.kinds.split())} | "
        f"{' → '.join(row.phases.split())} | {_when(row)} | "
        f"{'all unread bytes, counted' if row.lost != NOTHING else 'nothing'} |\n"
        for row in TABLE
    )


def _when(row: Row) -> str:
    if row.gone is None:
        return "stays"
    if row.collector == "dead":
        limit = "300 s" if row.gone == 7 * DIRECT else "`--drain-limit`"
        return f"seven times {limit}"
    return {0: "some seconds", BEHIND: "it has read", OUTAGE: "the outage"}[int(row.gone)]


def test_every_end_meets_every_collector_and_every_kind_once() -> None:
    found = [(row.end, row.collector, kind) for row in TABLE for kind in row.kinds.split()]
    ends = {end for end, _, _ in found}
    assert len(found) == len(set(found)) == len(ends) * 4 * 3 == 60
    assert markdown().count("\n") == len(TABLE) + 2
