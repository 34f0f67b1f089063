"""Deadlines of containers that are gone: what starts, lifts and puts them off, what they cost."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.drain import DIRECT, DIRECT_MOUNTED, PUT_OFF, SETTLE, Phase
from pilot.model import State
from pilot.pins.survey import STALLED
from tests.bench_containers import Bench, container, write
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 100.0
SLACK = 3 * SETTLE  # seconds: passes, and the config that outlives the last pin


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, drain_limit=LIMIT)
    yield made
    made.stop()


def gone_unread(bench: Bench, text: str = "unread\n") -> None:
    """A container that is gone and whose one file, deleted too, nobody has read."""
    log = write(bench, "web.log", text)
    bench.found(container())
    bench.run(2)
    log.unlink()
    bench.gone()


def lost(bench: Bench) -> object:
    return bench.keeper.state()["lost"]


# -- starts and lifts ------------------------------------------------------------------------------


def test_an_ended_container_whose_record_is_there_has_no_deadline(bench: Bench) -> None:
    write(bench, "web.log", "unread\n")
    bench.found(container(state=State.ENDED))
    bench.run(3 * PUT_OFF * LIMIT)
    assert bench.known().deadline is None
    assert bench.known().phase is Phase.DRAINING
    assert bench.fragments() == {"web"}
    assert lost(bench) == {"files": 0, "bytes": 0}


def test_the_deadline_begins_when_its_record_goes_and_is_lifted_when_it_is_back(
    bench: Bench,
) -> None:
    gone_unread(bench)
    assert bench.known().deadline == bench.clock.now + LIMIT
    bench.run(LIMIT / 2)
    bench.found(container())
    assert bench.known().deadline is None
    bench.run(2 * LIMIT)
    assert bench.known().phase is Phase.RUNNING
    bench.gone()
    assert bench.known().deadline == bench.clock.now + LIMIT


def test_at_the_deadline_what_is_unread_is_given_up_and_counted(bench: Bench) -> None:
    gone_unread(bench, "unread\n" * 10)
    bench.run(LIMIT - 1)
    assert bench.known().phase is Phase.DRAINING
    assert len(bench.pins()) == 1
    bench.run(2)
    assert bench.known().phase is Phase.RETIRING
    assert bench.known().lost == (1, 70)
    assert bench.pins() == []
    assert bench.fragments() == {"web"}, "so that the collector forgets the pin"
    bench.run(SETTLE)
    assert bench.containers.tracked == {}
    assert bench.fragments() == set()
    assert lost(bench) == {"files": 1, "bytes": 70}


def test_of_a_file_set_that_it_shares_a_container_gives_up_nothing(bench: Bench) -> None:
    write(bench, "web.log", "unread\n")
    bench.found(container("one", env={"aliyun_logs_web": "/logs/web*.log"}))
    bench.found(container("two", env={"aliyun_logs_web": "/logs/web*.log"}))
    bench.run(2)
    bench.gone("two")
    bench.run(2 + SLACK)
    assert bench.containers.tracked.keys() == {"one"}
    bench.found(container("two", env={"aliyun_logs_web": "/logs/web*.log"}))
    bench.gone("one")
    bench.run(LIMIT + SLACK)
    assert bench.containers.tracked.keys() == {"two"}
    assert bench.fragments() == {"two"}
    assert len(bench.pins()) == 1


def test_records_that_cannot_be_read_until_the_deadline_make_all_count_as_lost(
    bench: Bench,
) -> None:
    bench.piloter.unreadable = OSError(errno.EIO, "Input/output error")
    gone_unread(bench)
    bench.run(PUT_OFF * LIMIT + SLACK)
    assert bench.containers.tracked == {}
    assert lost(bench) == {"files": 1, "bytes": 7}


# -- put off ---------------------------------------------------------------------------------------


def test_while_nothing_is_acknowledged_the_deadline_stands_still(bench: Bench) -> None:
    gone_unread(bench)
    bench.busy = False
    bench.run(5 * LIMIT)
    assert bench.known().phase is Phase.DRAINING
    assert len(bench.pins()) == 1
    bench.busy = True
    bench.read_all()
    bench.run(10 + SLACK)
    assert bench.containers.tracked == {}
    assert lost(bench) == {"files": 0, "bytes": 0}


def test_what_was_left_of_the_limit_is_left_after_an_outage(bench: Bench) -> None:
    gone_unread(bench)
    bench.run(LIMIT / 2)
    bench.busy = False
    bench.run(2 * LIMIT)
    bench.busy = True
    bench.run(LIMIT / 2 - STALLED - 2)
    assert bench.known().phase is Phase.DRAINING
    bench.run(4)
    assert bench.known().phase is Phase.RETIRING


def test_a_collector_that_never_comes_back_is_waited_for_seven_times_the_limit(
    bench: Bench,
) -> None:
    gone_unread(bench)
    bench.busy = False
    bench.run(PUT_OFF * LIMIT - 2)
    assert bench.known().phase is Phase.DRAINING
    bench.run(4)
    assert bench.known().phase is Phase.RETIRING
    assert bench.known().lost == (1, 7)


def test_what_is_acknowledged_of_another_container_ends_the_waiting(bench: Bench) -> None:
    write(bench, "other.log", "one\n")
    bench.found(container("other"))
    gone_unread(bench)
    bench.run(LIMIT + SLACK)
    assert bench.containers.tracked.keys() == {"other"}


def test_an_idle_collector_is_not_taken_for_a_blocked_one(bench: Bench) -> None:
    """It acknowledges nothing because nothing is unread."""
    log = write(bench, "web.log", "read\n")
    bench.found(container())
    bench.run(2)
    bench.read_all()
    bench.busy = False
    bench.run(10 * STALLED)
    assert not bench.keeper.surveyor.blocked
    log.unlink()
    bench.gone()
    bench.run(10 + SLACK)
    assert bench.containers.tracked == {}


def test_a_survey_that_fails_does_not_end_an_outage(bench: Bench) -> None:
    gone_unread(bench)
    bench.busy = False
    bench.run(2 * STALLED)
    assert bench.keeper.surveyor.blocked
    bench.piloter.unreadable = OSError(errno.EIO, "Input/output error")
    bench.run(2 * LIMIT)
    assert bench.keeper.surveyor.blocked
    assert bench.known().phase is Phase.DRAINING


def test_a_restart_during_an_outage_goes_on_waiting(bench: Bench) -> None:
    gone_unread(bench)
    bench.busy = False
    for _ in range(3):
        bench.run(LIMIT)
        bench.stop()
        bench.start()
    assert bench.known().phase is Phase.DRAINING
    assert len(bench.pins()) == 1


# -- direct ----------------------------------------------------------------------------------------


def gone_direct(bench: Bench) -> None:
    write(bench, "web.log", "unread\n")
    bench.found(container())
    bench.run(2)
    bench.gone()


@needs_root
def test_a_volume_that_waits_for_its_unmount_is_let_go_of_soon(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "volume" / "logs", "size=1m"):
        bench = Bench(tmp_path, pin=False, drain_limit=LIMIT)
        gone_direct(bench)
        assert bench.known().deadline == bench.clock.now + DIRECT_MOUNTED
        bench.busy = False  # and an outage changes nothing
        bench.run(DIRECT_MOUNTED - 1)
        assert bench.fragments() == {"web"}
        bench.run(2 + SETTLE)
        assert bench.fragments() == set()
        assert lost(bench) == {"files": 1, "bytes": 7}
        bench.stop()


def test_files_on_the_node_s_own_disk_are_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pin=False, drain_limit=LIMIT)
    gone_direct(bench)
    assert bench.known().deadline == bench.clock.now + DIRECT
    bench.busy = False
    bench.run(PUT_OFF * DIRECT - 2)
    assert bench.fragments() == {"web"}
    bench.run(4 + SETTLE)
    assert bench.fragments() == set()
    assert lost(bench) == {"files": 1, "bytes": 7}
    bench.stop()


def test_a_direct_container_that_is_read_is_let_go_of_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pin=False, drain_limit=LIMIT)
    log = write(bench, "web.log", "one\n")
    web = container()
    bench.found(web)
    bench.run(2)
    status = log.stat()
    (name,) = bench.keeper.sets
    bench.piloter.read[name, f"{status.st_ino}-{status.st_dev}"] = status.st_size
    bench.found(replace(web, state=State.ENDED))
    bench.run(5)
    assert bench.known().phase is Phase.DRAINED
    bench.gone()
    bench.run(2 + SLACK)
    assert bench.containers.tracked == {}
    assert lost(bench) == {"files": 0, "bytes": 0}
    bench.stop()
