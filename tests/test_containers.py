"""What becomes of a container from look to look: real folders and pins, time set by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.drain import DIRECT, SETTLE, Phase
from pilot.model import Code, Container, Mount, Pod, State
from pilot.names import volume_set_name
from pilot.pins.record import Loss
from pilot.policy import Policy, Rules
from pilot.state import StateStore
from tests.bench_containers import Bench, container, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.stop()


def collected(bench: Bench, web: Container) -> Path:
    """A container whose one file is collected and read."""
    log = write(bench, "web.log", "one\n")
    bench.found(web)
    bench.run(2)
    assert bench.fragments() == {"web"}
    bench.read_all()
    return log


# -- the end ---------------------------------------------------------------------------------------


def test_what_was_read_at_an_earlier_end_proves_nothing_of_the_last_one(bench: Bench) -> None:
    web = container()
    log = collected(bench, web)
    bench.found(replace(web, state=State.ENDED))
    bench.run(5)
    assert bench.known().phase is Phase.DRAINED
    bench.found(web)
    with log.open("a") as file:
        file.write("two\n")
    log.unlink()
    bench.gone()
    for _ in range(20):
        assert bench.known().phase is Phase.DRAINING
        assert bench.fragments() == {"web"}
        bench.run(1)
    bench.read_all()
    bench.run(30)
    assert not bench.containers.tracked
    assert bench.fragments() == set()


def test_a_short_run_that_no_look_saw_is_read_before_it_retires(bench: Bench) -> None:
    web = container()
    log = collected(bench, web)
    bench.found(replace(web, state=State.ENDED))
    bench.run(5)
    assert bench.known().phase is Phase.DRAINED
    with log.open("a") as file:
        file.write("two\n")
    log.unlink()
    bench.gone()
    assert bench.known().phase is not Phase.RETIRING
    bench.run(20)
    assert bench.known().phase is Phase.DRAINING
    assert bench.fragments() == {"web"}


def test_a_file_that_could_not_be_pinned_keeps_its_container_draining(bench: Bench) -> None:
    name = volume_set_name("/volume/logs", "", "web*.log")
    in_the_way = bench.node.at("/pins") / name
    in_the_way.touch()  # every pin fails, as on a full or read-only disk
    write(bench, "web.log", "unread\n")
    bench.found(container())
    bench.gone()
    bench.run(20)
    assert bench.keeper
    assert "web.log" in bench.keeper.sets[name].problem
    assert bench.known().phase is Phase.DRAINING
    in_the_way.unlink()
    bench.run(5)
    assert len(bench.pins()) == 1
    assert bench.known().phase is Phase.DRAINING
    bench.read_all()
    bench.run(20)
    assert not bench.containers.tracked


def test_what_is_there_after_all_while_it_retires_is_not_forgotten(bench: Bench) -> None:
    web = container(state=State.ENDED)
    bench.found(web)
    bench.run(2)
    bench.gone()
    bench.run(2)
    assert bench.known().phase is Phase.RETIRING
    bench.found(web)  # the source was wrong, or a file moved away and back
    assert bench.known().phase is not Phase.RETIRING
    bench.run(2 * SETTLE)
    assert bench.fragments() == {"web"}
    bench.gone()
    bench.run(2 * SETTLE)
    assert not bench.containers.tracked, "and its second end is one"


def test_what_is_unread_at_the_deadline_is_counted_though_its_original_lives(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, drain_limit=10.0)
    write(bench, "web.log", "never read\n")
    bench.found(container())
    bench.run(2)
    bench.gone()
    bench.run(11)
    assert bench.known().phase is Phase.RETIRING
    assert bench.known().lost == (1, len("never read\n"))
    bench.stop()


def test_in_direct_mode_a_gone_container_s_config_stays_for_a_while(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pin=False)
    write(bench, "web.log", "unread\n")
    bench.found(container())
    bench.run(1)
    bench.gone()
    bench.run(DIRECT - 1)
    assert bench.fragments() == {"web"}
    bench.run(2 + SETTLE)
    assert bench.fragments() == set()
    bench.stop()


def test_nothing_is_due_any_more_for_a_retired_container(bench: Bench) -> None:
    for number in range(5):
        bench.found(container(f"c{number}"))
    bench.run(2)
    for number in range(5):
        bench.gone(f"c{number}")
    bench.run(10)
    assert not bench.containers.tracked
    assert bench.deadlines.next() is None


# -- deadlines over restarts -----------------------------------------------------------------------


def draining(bench: Bench) -> None:
    log = write(bench, "web.log", "unread\n")
    bench.found(container())
    bench.run(2)
    log.unlink()
    bench.gone()


def test_a_restart_goes_on_with_the_seconds_that_were_left(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=100.0)
    draining(bench)
    bench.run(30)
    bench.stop()
    bench.start()
    assert bench.known().deadline == bench.clock.now + 70
    bench.stop()


def test_killed_before_its_first_pass_a_pilot_starts_no_deadline_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=100.0)
    draining(bench)
    bench.run(30)
    bench.stop()
    for _ in range(3):
        bench.start()
        assert bench.known().deadline == bench.clock.now + 70
        bench.store.close()  # as kill -9 does
    bench.start()
    bench.stop()


def test_what_was_left_of_an_earlier_end_is_forgotten_by_the_next(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=100.0)
    draining(bench)
    bench.run(90)
    bench.stop()
    bench.start()
    assert bench.known().deadline == bench.clock.now + 10
    bench.found(container())
    assert bench.known().deadline is None
    bench.run(20)
    assert bench.known().phase is Phase.RUNNING
    bench.gone()
    assert bench.known().deadline == bench.clock.now + 100
    bench.stop()


def test_no_more_is_left_than_the_limit_allows_now(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=1000.0)
    draining(bench)
    bench.stop()
    bench.settings = replace(bench.settings, drain_limit=10.0)
    bench.start()
    assert bench.known().deadline == bench.clock.now + 10
    bench.stop()


# -- declarations that change ----------------------------------------------------------------------


def test_what_declares_nothing_any_more_is_collected_no_more(bench: Bench) -> None:
    web = container()
    collected(bench, web)
    bench.found(replace(web, env={}))
    assert bench.fragments() == set()
    bench.found(web)
    bench.run(2)
    assert bench.fragments() == {"web"}


def test_a_redeployed_container_with_a_wider_pattern_collects_its_file(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.found(container("old", env={"aliyun_logs_app": "/logs/app.log"}))
    bench.run(2)
    bench.read_all()
    bench.gone("old")
    bench.found(container("new", env={"aliyun_logs_app": "/logs/*.log"}))
    bench.run(20)
    assert bench.fragments() == {"new"}
    (pin,) = bench.pins()
    assert pin.parent.name == volume_set_name("/volume/logs", "", "*.log")
    assert pin.samefile(log)


def test_a_file_whose_first_set_is_left_is_collected_for_the_other(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.found(container("a", env={"aliyun_logs_a": "/logs/*.log"}))
    bench.run(2)
    bench.found(container("b", env={"aliyun_logs_b": "/logs/app*.log"}))
    bench.run(2)
    (before,) = bench.pins()
    assert before.parent.name == volume_set_name("/volume/logs", "", "*.log")
    bench.read_all()
    bench.gone("a")
    bench.run(20)
    (after,) = bench.pins()
    assert after.parent.name == volume_set_name("/volume/logs", "", "app*.log")
    assert after.samefile(log)
    assert bench.containers.rejections(bench.known("b")) == []


# -- what is said ----------------------------------------------------------------------------------


def test_files_with_new_names_again_and_again_are_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.found(container())
    for number in range(30):
        link = bench.node.logs / f"web{number}.log"
        link.symlink_to("x")
        bench.run(1)
        link.unlink()
    assert len([line for line in caplog.messages if "symlink" in line]) == 1
    assert len(bench.known().said) == 1


def test_a_kill_between_giving_up_and_forgetting_counts_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=5.0)
    bench.found(container())
    write(bench, "web.log", "lost\n")
    bench.run(2)
    bench.gone()
    bench.run(6)
    (kept,) = bench.keeper.sets.values()
    assert kept.loss == Loss(1, 5)
    bench.containers.saver.save_drains()
    bench.store.close()  # kill -9
    bench.start()
    bench.run(2)
    (kept,) = bench.keeper.sets.values()
    assert kept.loss == Loss(1, 5)
    bench.stop()


def test_a_restart_right_before_the_deadline_counts_all_the_same(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=10.0)
    bench.found(container())
    write(bench, "web.log", "lost\n")
    bench.run(2)
    bench.gone()
    bench.run(9.5)
    bench.stop()
    store = StateStore(bench.node.base / "state")
    store.save_drains({"web": 0.5})
    store.close()
    bench.start()
    bench.run(7)
    (kept,) = bench.keeper.sets.values()
    assert kept.loss == Loss(1, 5)
    assert bench.known().lost == (1, 5)
    bench.stop()


# -- another policy --------------------------------------------------------------------------------


def test_what_a_policy_forbids_ends_its_input_and_keeps_its_pins(bench: Bench) -> None:
    collected(bench, container())
    pins = bench.pins()
    before = (bench.piloter.directory / "web.conf").read_bytes()
    bench.policy = Policy(rules=Rules(targets=("other",)))
    bench.containers.review("web")
    bench.run(5)
    assert bench.fragments() == set()
    assert [each.code for each in bench.known().rejections] == [Code.TARGET_FORBIDDEN]
    assert bench.pins() == pins
    bench.policy = Policy()
    bench.containers.review("web")
    bench.run(5)
    assert (bench.piloter.directory / "web.conf").read_bytes() == before
    assert bench.pins() == pins


def test_a_policy_that_changes_nothing_for_a_container_costs_it_nothing(bench: Bench) -> None:
    collected(bench, container())
    bench.containers.saver.save()
    bench.policy = Policy(rules=Rules(targets=("w*",)))
    logs = bench.known().logs
    bench.containers.review("web")
    assert bench.known().logs is logs
    assert not bench.containers.saver.pending
    bench.containers.review("nobody")


def test_a_gone_container_is_reviewed_without_coming_back(bench: Bench) -> None:
    collected(bench, container())
    bench.gone()
    bench.policy = Policy(rules=Rules(targets=("other",)))
    bench.containers.review("web")
    assert bench.known().gone
    bench.run(60)
    assert not bench.containers.tracked


def test_the_containers_of_a_pod_share_their_room(bench: Bench) -> None:
    bench.policy = Policy(rules=Rules(max_logs_per_pod=1))
    pod = Pod("team-a", "p", "uid")
    one, two = container("one", pod=pod), container("two", pod=pod)
    bench.found(one)
    bench.found(two)
    assert [each.name for each in bench.known("one").logs] == ["one"]
    assert [each.code for each in bench.known("two").rejections] == [Code.LOGS_TOO_MANY]
    bench.found(replace(one, state=State.ENDED))
    bench.run(1)
    assert [each.name for each in bench.known("two").logs] == ["two"], "nobody looked at it again"
    assert not bench.known("two").rejections
    bench.run(5)
    assert [each.name for each in bench.known("one").logs] == ["one"], "it is read to its end"


def test_a_restart_changes_nobody_s_room_in_a_pod(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.policy = Policy(rules=Rules(max_logs_per_pod=1))
    pod = Pod("team-a", "p", "uid")
    bench.found(container("z-first", pod=pod, created="2026-01-01T00:00:00Z"))
    bench.found(container("a-second", pod=pod, created="2026-01-02T00:00:00Z"))
    for _ in range(2):
        assert bench.known("z-first").logs
        assert not bench.known("a-second").logs
        bench.stop()
        bench.start()
        bench.run(1)


def test_a_pod_s_room_is_the_same_in_whatever_order_its_containers_are_seen(bench: Bench) -> None:
    bench.policy = Policy(rules=Rules(max_logs_per_pod=1))
    pod = Pod("team-a", "p", "uid")
    bench.found(container("later", pod=pod, created="2026-01-02T00:00:00Z"))
    bench.found(container("earlier", pod=pod, created="2026-01-01T00:00:00Z"))
    bench.run(1)
    assert bench.known("earlier").logs
    assert not bench.known("later").logs


def test_a_pod_s_room_is_free_again_when_its_container_is_gone(bench: Bench) -> None:
    bench.policy = Policy(rules=Rules(max_logs_per_pod=1))
    pod = Pod("team-a", "p", "uid")
    for name in ("one", "two"):
        bench.found(container(name, pod=pod))
    bench.gone("one")
    bench.run(1)
    assert [each.name for each in bench.known("two").logs] == ["two"]


def test_the_links_to_volumes_live_as_long_as_their_container(tmp_path: Path) -> None:
    bench = Bench(tmp_path, create_symlink=True)
    volume = Mount("/logs", "/volume/logs", "volume", "web-logs")
    bench.found(container("a" * 64, env={"aliyun_logs_web": "/logs/*.log"}, mounts=(volume,)))
    link = bench.node.at("/acs/log") / ("a" * 64) / "web-logs"
    assert str(link.readlink()) == "/volume/logs"
    bench.stop()
    bench.start()
    assert link.is_symlink()
    bench.gone("a" * 64)
    assert not link.is_symlink()


def test_an_ended_container_keeps_its_own_filesystem(bench: Bench) -> None:
    """A runtime may not say any more where it is, and its files are there until they are read."""
    running = container(rootfs="/var/lib/docker/overlay2/x/diff")
    bench.found(running)
    bench.found(replace(running, state=State.ENDED, rootfs=""))
    assert bench.known().container.rootfs == running.rootfs


def test_undeclared_output_takes_no_room(bench: Bench) -> None:
    bench.policy = Policy(collect="stdout", rules=Rules(max_logs_per_pod=1))
    pod = Pod("team-a", "p", "uid")
    for name in ("one", "two"):
        path = f"/volume/logs/{name}-json.log"
        bench.found(container(name, pod=pod, env={}, log_path=path))
        assert [each.name for each in bench.known(name).logs] == ["stdout"]
