"""What goes, when, and what is counted: allowances and floors over real folders."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pilot.model import Code, Log, PinKind
from pilot.pins.clearing import ALONE, BESIDE_KUBELET, floor_of
from pilot.pins.notices import PAUSED, notices
from pilot.pins.record import COPY_AWAY, Loss
from pilot.settings import Allowance, Floor
from tests.fakes.disks import needs_root, tmpfs
from tests.pins.bench import Bench, write
from tests.pins.node import Node, elsewhere, file_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 4096  # bytes; what one file of that size takes on the filesystems of tests
PLENTY = Allowance(1 << 30, 10_000)


@contextmanager
def bench_of(base: Path, **changes: Any) -> Iterator[Bench]:
    made = Bench(Node(base), **({"floor": Floor(0.0, 0.0)} | changes))
    try:
        yield made
    finally:
        made.kill()


def block(bench: Bench, path: str, blocks: int = 1) -> Path:
    """A file of whole blocks below the volume."""
    made = bench.node.base / "volume" / path
    made.parent.mkdir(exist_ok=True)
    made.write_bytes((b"x" * (BLOCK - 1) + b"\n") * blocks)
    return made


def deleted(bench: Bench, number: int, folder: str = "logs", blocks: int = 1) -> None:
    """A file that is pinned and then deleted."""
    made = block(bench, f"{folder}/{number:02}.log", blocks)
    bench.settle()
    made.unlink()
    bench.settle()


def enforce(bench: Bench) -> None:
    """As at the end of two checks: one survey finds what holds something, one acts on it."""
    for _ in range(3):
        bench.clock.now += 1
        bench.survey(*bench.keeper.sets)


def left(bench: Bench, name: str = "set") -> list[str]:
    return [each.split("~")[0] for each in bench.on_disk(name)]


def said(bench: Bench, name: str = "set") -> list[tuple[Code, str]]:
    kept = bench.keeper.sets[name]
    declared = Log(name="app", key="aliyun_logs_app", file_sets=(kept.file_set,))
    return [(each.code, each.reason) for each in notices(kept, declared)]


# -- a file set's own allowance --------------------------------------------------------------------


def test_over_its_allowance_a_set_keeps_what_it_kept_first(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(3 * BLOCK, 100)) as bench:
        bench.tend(file_set())
        for number in range(6):
            deleted(bench, number)
            enforce(bench)
        assert left(bench) == ["00.log", "01.log", "02.log"]
        assert bench.keeper.sets["set"].loss == Loss(3, 3 * BLOCK)
        assert bench.keeper.state()["held_bytes"] == 3 * BLOCK
        assert bench.keeper.state()["held_files"] == 3
        assert bench.keeper.state()["lost"] == {"files": 3, "bytes": 3 * BLOCK}
        ((code, why),) = said(bench)
        assert code is Code.ALLOWANCE
        assert "file set's allowance of 12 KiB" in why


def test_over_an_allowance_of_files_the_newest_go(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(1 << 30, 2)) as bench:
        bench.tend(file_set())
        for number in range(5):
            deleted(bench, number)
        enforce(bench)
        assert left(bench) == ["00.log", "01.log"]
        assert bench.keeper.sets["set"].loss == Loss(3, 3 * BLOCK)
        assert "allowance of 2 files" in said(bench)[0][1]


def test_what_is_read_goes_first_and_is_no_loss(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(3 * BLOCK, 100)) as bench:
        bench.tend(file_set())
        for number in range(4):
            deleted(bench, number)
        oldest = next(pin for pin in bench.pins() if pin.name.startswith("00"))
        bench.read(oldest)
        enforce(bench)
        assert left(bench) == ["01.log", "02.log", "03.log"]
        assert not bench.keeper.sets["set"].loss


def test_of_what_was_begun_only_the_rest_is_lost(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(0, 0)) as bench:
        bench.tend(file_set())
        made = block(bench, "logs/00.log")
        bench.settle()
        (pin,) = bench.pins()
        path = bench.node.at("/pins/set") / pin.name
        bench.piloter.read["set", str(path)] = 96
        made.unlink()
        bench.settle()
        enforce(bench)
        assert left(bench) == []
        assert bench.keeper.sets["set"].loss == Loss(1, BLOCK - 96)


def test_an_original_that_lives_holds_nothing(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(0, 0)) as bench:
        bench.tend(file_set())
        for number in range(3):
            block(bench, f"logs/{number}.log")
        bench.settle()
        enforce(bench)
        assert len(left(bench)) == 3
        assert bench.keeper.state()["held_files"] == 0


def test_losses_survive_a_restart_and_go_on(tmp_path: Path) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(BLOCK, 100)) as bench:
        bench.tend(file_set())
        for number in range(3):
            deleted(bench, number)
        enforce(bench)
        assert bench.keeper.sets["set"].loss == Loss(2, 2 * BLOCK)
        bench.restart(file_set())
        assert bench.keeper.sets["set"].loss == Loss(2, 2 * BLOCK)
        deleted(bench, 3)
        enforce(bench)
        assert bench.keeper.sets["set"].loss == Loss(3, 3 * BLOCK)
        assert left(bench) == ["00.log"]


def test_a_set_that_nobody_declares_pays_as_well_and_is_forgotten_with_its_last_pin(
    tmp_path: Path,
) -> None:
    with bench_of(tmp_path, set_allowance=Allowance(0, 0)) as bench:
        bench.tend(file_set())
        made = block(bench, "logs/00.log")
        bench.settle()
        bench.keeper.leave("set")
        made.unlink()
        enforce(bench)
        assert bench.keeper.sets == {}
        assert bench.keeper.state()["lost"] == {"files": 1, "bytes": BLOCK}
        assert not bench.node.at("/pins/set").exists()


# -- namespaces and the node -----------------------------------------------------------------------


def test_over_a_namespace_s_allowance_its_largest_set_pays(tmp_path: Path) -> None:
    with bench_of(tmp_path, namespace_allowance=Allowance(4 * BLOCK, 100)) as bench:
        for name in ("small", "large", "other"):
            (tmp_path / "volume" / name).mkdir()
            namespace = "theirs" if name == "other" else "ours"
            bench.keeper.tend(file_set(name, folder=name), namespace=namespace)
        bench.settle()
        deleted(bench, 0, "small")
        for number in range(5):
            deleted(bench, number, "large")
            deleted(bench, number, "other")
        enforce(bench)
        assert len(left(bench, "small")) == 1
        assert left(bench, "large") == ["00.log", "01.log", "02.log"]
        assert len(left(bench, "other")) == 4, "its own namespace's allowance"
        assert bench.keeper.sets["large"].loss == Loss(2, 2 * BLOCK)
        assert not bench.keeper.sets["small"].loss
        assert "namespace's allowance of 16 KiB" in said(bench, "large")[0][1]
        assert said(bench, "small") == []


def test_a_namespace_is_known_after_a_restart_to_who_declares_nothing_any_more(
    tmp_path: Path,
) -> None:
    with bench_of(tmp_path, namespace_allowance=Allowance(2 * BLOCK, 100)) as bench:
        bench.keeper.tend(file_set(), namespace="ours")
        for number in range(2):
            deleted(bench, number)
        bench.restart()
        assert bench.keeper.sets["set"].namespace == "ours"
        (tmp_path / "volume" / "next").mkdir()
        bench.keeper.tend(file_set("next", folder="next"), namespace="ours")
        for number in range(2):
            deleted(bench, number, "next")
        enforce(bench)
        assert len(left(bench)) + len(left(bench, "next")) == 2


def test_over_the_node_s_allowance_the_largest_set_pays(tmp_path: Path) -> None:
    with bench_of(tmp_path, node_allowance=Allowance(6 * BLOCK, 100)) as bench:
        for name in ("small", "large"):
            (tmp_path / "volume" / name).mkdir()
            bench.tend(file_set(name, folder=name))
        for number in range(2):
            deleted(bench, number, "small")
        for number in range(8):
            deleted(bench, number, "large")
        enforce(bench)
        assert len(left(bench, "small")) == 2
        assert left(bench, "large") == ["00.log", "01.log", "02.log", "03.log"]
        assert "node's allowance of 24 KiB" in said(bench, "large")[0][1]


def test_a_tenant_that_writes_unlinks_and_repeats_pays_alone(tmp_path: Path) -> None:
    limits = {
        "set_allowance": Allowance(20 * BLOCK, 30),
        "namespace_allowance": PLENTY,
        "node_allowance": Allowance(16 * BLOCK, 25),
    }
    with bench_of(tmp_path, **limits) as bench:
        neighbours = [f"good{number}" for number in range(4)]
        for name in (*neighbours, "greedy"):
            (tmp_path / "volume" / name).mkdir()
            bench.tend(file_set(name, folder=name))
        numbers = itertools.count()
        for turn in range(12):
            if turn < 3:
                for name in neighbours:
                    deleted(bench, turn, name)
            for _ in range(4):
                deleted(bench, next(numbers), "greedy")
            enforce(bench)
        for name in neighbours:
            assert left(bench, name) == ["00.log", "01.log", "02.log"]
            assert not bench.keeper.sets[name].loss
            assert said(bench, name) == []
        assert left(bench, "greedy") == ["00.log", "01.log", "02.log", "03.log"]
        assert bench.keeper.sets["greedy"].loss == Loss(44, 44 * BLOCK)
        assert bench.keeper.state()["held_bytes"] == 16 * BLOCK


# -- floors ----------------------------------------------------------------------------------------


@needs_root
def test_below_the_floor_pins_go_until_the_filesystem_has_room_again(tmp_path: Path) -> None:
    with tmpfs(tmp_path, "size=4m"):
        (tmp_path / "state").mkdir()
        with bench_of(tmp_path, floor=Floor(0.5, 0.0)) as bench:
            bench.tend(file_set())
            for number in range(5):
                deleted(bench, number, blocks=64)
            enforce(bench)
            assert len(left(bench)) == 5
            (tmp_path / "ballast").write_bytes(bytes(1 << 20))
            enforce(bench)
            assert left(bench) == ["00.log", "01.log", "02.log"]
            assert bench.keeper.sets["set"].loss == Loss(2, 2 * 64 * BLOCK)
            assert "the filesystem of /pins" in said(bench)[0][1]


@needs_root
def test_below_the_floor_of_inodes_pins_go_too(tmp_path: Path) -> None:
    with tmpfs(tmp_path, "size=4m,nr_inodes=100"):
        (tmp_path / "state").mkdir()
        with bench_of(tmp_path, floor=Floor(0.0, 0.5)) as bench:
            bench.tend(file_set())
            for number in range(10):
                deleted(bench, number)
            for number in range(50):
                (tmp_path / f"ballast{number}").touch()
            enforce(bench)
            space = os.statvfs(tmp_path)
            assert space.f_favail >= 50 or not left(bench)
            assert bench.keeper.sets["set"].loss.files == 10 - len(left(bench)) > 0


def test_the_floor_depends_on_whether_a_kubelet_would_evict_pods(tmp_path: Path) -> None:
    node = Node(tmp_path)
    assert floor_of(node.settings) == ALONE
    node.at("/var/lib/kubelet").mkdir(parents=True)
    assert floor_of(node.settings) == BESIDE_KUBELET


# -- copies ----------------------------------------------------------------------------------------


@contextmanager
def copying_of(base: Path, **changes: Any) -> Iterator[Bench]:
    with elsewhere(Node(base)) as node:
        made = Bench(node, **({"floor": Floor(0.0, 0.0)} | changes))
        try:
            yield made
        finally:
            made.kill()


def copied(bench: Bench) -> int:
    """Bytes of the one copy."""
    (pin,) = bench.on_disk()
    return (bench.node.at(bench.node.pins) / "set" / pin).stat().st_size


def test_a_live_copy_pauses_at_its_allowance_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    with copying_of(tmp_path, set_allowance=Allowance(4 * BLOCK, 100)) as bench:
        made = block(bench, "logs/00.log", 4)
        bench.tend(file_set())
        enforce(bench)
        before = bench.names()
        assert copied(bench) == 4 * BLOCK
        made.write_bytes(made.read_bytes() * 3)
        bench.look()
        assert bench.keeper.sets["set"].paused
        assert copied(bench) == 4 * BLOCK
        assert not bench.keeper.looked_since("set", bench.clock.now), "it did not see everything"
        assert said(bench) == [(Code.ALLOWANCE, PAUSED)]
        bench.read(bench.pins()[0])
        bench.keeper.clearing._limits = type(bench.keeper.clearing._limits)(PLENTY, PLENTY, PLENTY)
        enforce(bench)
        bench.look()
        assert copied(bench) == 12 * BLOCK
        assert bench.names() == before
        assert said(bench) == []
        assert not bench.keeper.sets["set"].loss


def test_what_a_paused_copy_lacks_is_lost_with_its_original(tmp_path: Path) -> None:
    with copying_of(tmp_path, set_allowance=Allowance(4 * BLOCK, 100)) as bench:
        made = block(bench, "logs/00.log", 4)
        bench.tend(file_set())
        enforce(bench)
        made.write_bytes(made.read_bytes() * 3)
        bench.look()
        bench.read(bench.pins()[0])
        made.unlink()
        bench.look()
        bench.clock.now += COPY_AWAY
        for _ in range(3):
            bench.quiet("set")
        assert bench.on_disk() == []
        assert bench.keeper.sets["set"].loss == Loss(1, 8 * BLOCK)


def test_no_copy_is_begun_while_the_allowance_is_reached(tmp_path: Path) -> None:
    with copying_of(tmp_path, set_allowance=Allowance(4 * BLOCK, 100)) as bench:
        block(bench, "logs/00.log", 4)
        bench.tend(file_set())
        enforce(bench)
        block(bench, "logs/01.log")
        bench.look()
        assert len(bench.on_disk()) == 1
        assert bench.keeper.sets["set"].paused


def test_copies_whose_originals_are_gone_are_given_up_over_the_allowance(tmp_path: Path) -> None:
    with copying_of(tmp_path, set_allowance=Allowance(2 * BLOCK, 100)) as bench:
        bench.tend(file_set())
        for number in range(4):
            block(bench, f"logs/{number:02}.log")
            bench.settle()
        for each in bench.node.logs.iterdir():
            each.unlink()
        bench.look()
        enforce(bench)
        assert len(left(bench)) == 4, "a volume may be away for a while"
        bench.clock.now += COPY_AWAY
        enforce(bench)
        assert left(bench) == ["00.log", "01.log"]
        assert bench.keeper.sets["set"].loss == Loss(2, 2 * BLOCK)


# -- what was read of a copy -----------------------------------------------------------------------


def test_what_was_read_of_a_copy_takes_no_space_and_offsets_stay(
    tmp_path: Path,
) -> None:
    size = 20 << 20
    (tmp_path / "elsewhere").mkdir()
    with tmpfs(tmp_path / "elsewhere", "size=64m"):
        bench = Bench(Node(tmp_path, pins="/elsewhere/pins"), floor=Floor(0.0, 0.0))
        text = b"".join(b"line %07d\n" % number for number in range(size // 13))
        log = bench.node.logs / "app.log"
        log.write_bytes(text)
        bench.tend(file_set())
        (pin,) = bench.pins()
        path = bench.node.at("/elsewhere/pins/set") / pin.name
        assert path.read_bytes() == text
        offset = len(text) - 1300
        bench.piloter.read["set", str(path)] = offset
        bench.survey("set")
        assert pin.unread == 1300
        assert pin.holds == path.stat().st_blocks * 512 < 1 << 20
        with log.open("ab") as file:
            file.write(b"line again\n")
        bench.look()
        bench.survey("set")
        assert bench.on_disk() == [pin.name]
        assert not bench.keeper.sets["set"].truncated
        assert path.stat().st_size == len(text) + 11
        assert path.read_bytes()[offset:] == text[offset:] + b"line again\n"
        assert pin.unread == 1311
        bench.restart(file_set())
        assert bench.on_disk() == [pin.name], "the same file, though its beginning is a hole"
        bench.kill()


# -- several pins of one file ----------------------------------------------------------------------


def test_two_sets_that_nobody_declares_and_that_link_one_file_both_go(bench: Bench) -> None:
    """As a kill between two looks may leave them."""
    log = write(bench, "app.log")
    bench.tend(file_set("one", "app.log"))
    (pin,) = bench.on_disk("one")
    two = bench.node.at("/pins/two")
    two.mkdir()
    inode, serial = pin.split("~")[1:]
    os.link(log, two / f"app.log~{inode}~{int(serial) + 1}")
    bench.restart()
    bench.keeper.adopt_strangers()
    bench.quiet(*bench.keeper.sets)
    assert bench.on_disk("one")
    assert bench.on_disk("two")
    log.unlink()
    for _ in range(3):
        bench.quiet(*bench.keeper.sets)
    assert bench.keeper.sets == {}
    assert bench.on_disk("one") == bench.on_disk("two") == []
    assert bench.keeper.state()["lost"] == {"files": 1, "bytes": 4}, "one file, one loss"


def test_a_direct_file_is_nothing_that_a_pin_holds(tmp_path: Path) -> None:
    with bench_of(tmp_path, pin=False, set_allowance=Allowance(0, 0)) as bench:
        block(bench, "logs/00.log")
        bench.tend(file_set())
        enforce(bench)
        assert [pin.kind for pin in bench.pins()] == [PinKind.DIRECT]
        assert bench.keeper.sets["set"].held_files == 0


@pytest.mark.parametrize("wiped", ["some", "all"])
def test_a_pin_that_somebody_removed_counts_for_nothing(tmp_path: Path, wiped: str) -> None:
    with bench_of(tmp_path) as bench:
        bench.tend(file_set())
        for number in range(3):
            deleted(bench, number)
        enforce(bench)
        for pin in bench.on_disk()[: 1 if wiped == "some" else 3]:
            (bench.node.at("/pins/set") / pin).unlink()
        enforce(bench)
        assert bench.keeper.state()["held_files"] == len(bench.on_disk())


def test_what_a_paused_copy_lacks_is_lost_when_nobody_waits_for_it_any_more(
    tmp_path: Path,
) -> None:
    """As at the drain limit: nobody reads the rest of the original either."""
    with copying_of(tmp_path, set_allowance=Allowance(4 * BLOCK, 100)) as bench:
        made = block(bench, "logs/00.log", 4)
        bench.tend(file_set())
        enforce(bench)
        made.write_bytes(made.read_bytes() * 3)
        bench.look()
        enforce(bench)
        assert bench.keeper.give_up("set", "over") == Loss(1, 12 * BLOCK)


def test_of_many_small_files_no_more_are_copied_than_are_allowed(tmp_path: Path) -> None:
    with copying_of(tmp_path, set_allowance=Allowance(1 << 30, 2)) as bench:
        for number in range(2):
            block(bench, f"logs/{number:02}.log")
        bench.tend(file_set())
        enforce(bench)
        first = block(bench, "logs/02.log")
        bench.look()
        assert left(bench) == ["00.log", "01.log"]
        with (bench.node.logs / "00.log").open("ab") as file:
            file.write(b"more\n")
        bench.look()
        assert content_of(bench, "00").endswith(b"more\n"), "who has a copy goes on"
        assert [code for code, _ in said(bench)] == [Code.ALLOWANCE]
        (bench.node.logs / "00.log").unlink()
        bench.look()
        bench.clock.now += COPY_AWAY
        for pin in bench.pins():
            bench.read(pin)
        for _ in range(3):
            bench.quiet("set")
        bench.look()
        assert left(bench) == ["01.log", "02.log"], "there is room again"
        assert content_of(bench, "02") == first.read_bytes()


def content_of(bench: Bench, name: str) -> bytes:
    folder = bench.node.at(bench.node.pins) / "set"
    (found,) = folder.glob(f"{name}.log~*")
    return found.read_bytes()
