"""A container's volume lies on a mount that hangs: its own logs wait, nobody and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.dead_mount import DeadMount, dead_mount
from tests.real.processes import descendants, end
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.real

DEADLINE = 20.0  # seconds; only a failing test waits so long
GOOD = ("one", "two", "three")
MANY = 40  # file sets on one dead mount
THREADS = 16  # what those may cost, with those that a pool starts late; one each would be MANY


class Node:
    """`log-pilot run` with the static source and the console, beside healthy and dying volumes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._output, self._log = folder / "events", folder / "agent.log"
        self._state, self._containers = folder / "state", folder / "containers"
        self._containers.mkdir()
        self._written: Counter[str] = Counter()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the pilot, and wait until it answers."""
        with self._output.open("ab") as output, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pilot", "run", "--type", "console"),
                    *("--source", "static", "--static-path", self._containers),
                    *("--state-dir", self._state, "--config-dir", self.folder / "config"),
                    *("--data-dir", self.folder / "data", "--pin-root", self.folder / "pins"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self._status(10).returncode == 0, DEADLINE, f"it answers: {self.log()}")

    def close(self) -> None:
        """End it, with whatever is left of it."""
        if self._process:
            left = [self._process.pid, *descendants(self._process.pid)]
            end(self._process, grace=5)
            for pid in left[1:]:
                if os.path.exists(f"/proc/{pid}"):
                    os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        """What the pilot said."""
        return self._log.read_text()

    def run(self, name: str, volume: Path, *, logs: int = 1, below: str = "") -> None:
        """A container with `logs` logs in a volume, each in a folder of its own if there are more.

        `below` is a folder of the volume, mounted in its place.
        """
        env = {
            f"aliyun_logs_{name}-{number}": f"/logs/{number}/*.log" if logs > 1 else "/logs/*.log"
            for number in range(logs)
        }
        source = str(volume / below) if below else str(volume)
        mounts = [{"destination": "/logs", "source": source}]
        written = self._containers / f".{name}"
        written.write_text(json.dumps({"id": name, "env": env, "mounts": mounts}))
        written.rename(self._containers / f"{name}.yaml")

    def write(self, name: str, folder: Path, *, lines: int = 5) -> None:
        """Append further lines of a container to the file in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "app.log").open("a") as file:
            for _ in range(lines):
                file.write(f"{name} {self._written[name]}\n")
                self._written[name] += 1

    def wait_for(self, *names: str) -> None:
        """Wait until every line of these containers is there, and check that none is twice."""

        def missing() -> Counter[str]:
            return Counter({name: self._written[name] for name in names}) - self.arrived()

        until(lambda: not missing(), DEADLINE, f"all lines of {names}; {self.log()[-3000:]}")
        found = self.arrived()
        assert {name: found[name] for name in names} == {n: self._written[n] for n in names}

    def arrived(self) -> Counter[str]:
        """How many lines of each container were printed."""
        found: Counter[str] = Counter()
        complete, _, _ = self._output.read_text().rpartition("\n")  # The rest is being written.
        for line in complete.splitlines():
            found[json.loads(line)["message"].split(" ")[0]] += 1
        return found

    def status(self) -> dict[str, dict[str, Any]]:
        """`log-pilot status --json`, within five seconds: container → its first file set."""
        done = self._status(5)
        assert done.returncode == 0, done.stderr
        return {
            each["id"]: each["logs"][0]["file_sets"][0]
            for each in json.loads(done.stdout)["containers"]
            if each["logs"]
        }

    def _status(self, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pilot", "status", "--state-dir", self._state, "--json"],
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def problem(self, name: str) -> str:
        """What `status` says is wrong with a container's log."""
        return str(self.status().get(name, {}).get("problem", ""))

    def silent(self) -> set[str]:
        """The containers whose volume does not answer, as `status` says."""
        found = self.status().items()
        return {name for name, file_set in found if "does not answer" in file_set["problem"]}

    def wait_until_said(self, *names: str) -> None:
        """Wait until `status` says that these containers' volumes do not answer."""
        until(lambda: self.silent() >= {*names}, DEADLINE, f"{names} are said to hang", every=0.1)

    @property
    def threads(self) -> int:
        """How many threads the pilot has; proc_pid_status(5)."""
        assert self._process
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("Threads:"))[8:])

    @property
    def collectors(self) -> list[int]:
        """The processes that the pilot runs."""
        assert self._process
        return descendants(self._process.pid)

    def terminate(self) -> None:
        """SIGTERM, and no waiting."""
        assert self._process
        self._process.terminate()

    def wait(self) -> None:
        """Wait until the pilot has ended, in order, and the collector with it."""
        assert self._process
        collectors = self.collectors
        code = self._process.wait(DEADLINE)
        self._process = None
        assert code == 0, self.log()[-3000:]
        assert not [pid for pid in collectors if os.path.exists(f"/proc/{pid}")]


@pytest.fixture
def node(folder: Path) -> Iterator[Node]:
    made = Node(folder)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def mounts(folder: Path, *names: str) -> Iterator[list[DeadMount]]:
    """FUSE mounts; skips where there can be none."""
    with ExitStack() as opened:
        try:
            made = [
                opened.enter_context(dead_mount(folder / name, folder / f"{name}.shown"))
                for name in names
            ]
        except OSError as error:
            pytest.skip(f"no FUSE here: {error}")
        yield made


def start_good(node: Node) -> None:
    for name in GOOD:
        node.write(name, node.folder / name)
        node.run(name, node.folder / name)


def assert_the_others_live(node: Node, *newcomers: str) -> None:
    """Lines of good containers arrive, rotated files too, new ones are found, `status` answers."""
    for name in GOOD:
        node.write(name, node.folder / name)
        (node.folder / name / "app.log").rename(node.folder / name / "app-1.log")
        node.write(name, node.folder / name)
    for name in newcomers:
        node.run(name, node.folder / name)
        node.write(name, node.folder / name)
    node.wait_for(*GOOD, *newcomers)
    assert not node.silent() & {*GOOD, *newcomers}
    for name in GOOD:
        (node.folder / name / "app-1.log").unlink()


def test_a_mount_that_hangs_before_the_first_look_holds_up_nobody_else(node: Node) -> None:
    with mounts(node.folder, "mount") as (mount,):
        node.write("dead", mount.shown)
        mount.hang()
        node.run("dead", mount.path)
        node.start()
        start_good(node)
        node.wait_for(*GOOD)
        until(lambda: mount.asked, DEADLINE, "somebody hangs")
        assert_the_others_live(node, "new-1")
        node.wait_until_said("dead")
        assert_the_others_live(node, "new-2", "new-3")
        mount.answer()
        node.wait_for("dead")
        node.write("dead", mount.shown)
        node.wait_for("dead")
        until(lambda: not node.problem("dead"), DEADLINE, "nothing is wrong any more")
        node.terminate()
        node.wait()


def test_a_mount_that_hangs_under_a_copied_pin_goes_on_where_it_was(node: Node) -> None:
    with mounts(node.folder, "mount") as (mount,):
        node.write("dead", mount.shown)
        node.run("dead", mount.path)
        start_good(node)
        node.start()
        node.wait_for("dead", *GOOD)
        assert node.status()["dead"]["files"][0]["kind"] == "copied"
        mount.hang()
        node.write("dead", mount.shown)
        until(lambda: mount.asked, DEADLINE, "somebody hangs")
        assert_the_others_live(node, "new-1")
        node.wait_until_said("dead")
        assert_the_others_live(node, "new-2")
        mount.answer()
        node.write("dead", mount.shown, lines=2000)
        node.wait_for("dead")
        until(lambda: not node.problem("dead"), DEADLINE, "nothing is wrong any more")
        node.terminate()
        node.wait()


@pytest.mark.parametrize("seen", [False, True])
def test_sigterm_is_obeyed_while_a_mount_hangs(node: Node, seen: bool) -> None:
    with mounts(node.folder, "mount") as (mount,):
        node.write("dead", mount.shown)
        start_good(node)
        if not seen:
            mount.hang()
        node.run("dead", mount.path)
        node.start()
        node.wait_for(*GOOD, *(["dead"] if seen else []))
        mount.hang()
        until(lambda: mount.asked, DEADLINE, "somebody hangs")
        node.terminate()
        node.wait()
        node.write("dead", mount.shown)
        mount.answer()
        node.start()
        node.wait_for("dead", *GOOD)


def test_sigterm_ends_all_but_the_calls_that_the_kernel_does_not_let_go(node: Node) -> None:
    """A request that a FUSE server took holds its thread whatever signal comes, and so a process.

    What can be done in order is done: the collector is ended, what is known is saved.
    """
    with mounts(node.folder, "mount") as (mount,):
        node.write("dead", mount.shown)
        start_good(node)
        node.run("dead", mount.path)
        node.start()
        node.wait_for("dead", *GOOD)
        mount.swallow()
        until(lambda: mount.asked, DEADLINE, "somebody hangs")
        assert_the_others_live(node, "new-1")
        node.wait_until_said("dead")
        collectors = node.collectors
        assert collectors
        node.terminate()
        until(
            lambda: not any(os.path.exists(f"/proc/{pid}") for pid in collectors),
            DEADLINE,
            "the collector has ended",
        )
        mount.answer()
        node.wait()
        node.write("dead", mount.shown)
        node.start()
        node.wait_for("dead", *GOOD)


@pytest.mark.parametrize("how", [DeadMount.hang, DeadMount.swallow])
def test_two_dead_mounts_at_once(node: Node, how: Callable[[DeadMount], None]) -> None:
    with mounts(node.folder, "mount-1", "mount-2") as (first, second):
        node.write("first", first.shown)
        node.write("second", second.shown)
        start_good(node)
        node.start()
        node.run("first", first.path)
        node.wait_for("first", *GOOD)
        how(first)
        how(second)
        node.run("second", second.path)
        until(lambda: first.asked and second.asked, DEADLINE, "both hang")
        node.wait_until_said("first", "second")
        assert_the_others_live(node, "new-1", "new-2")
        second.answer()
        node.wait_for("second")
        assert "first" in node.silent()
        node.write("first", first.shown)
        first.answer()
        node.wait_for("first", "second")


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("volumes", [1, MANY])
def test_many_file_sets_on_a_dead_mount_cost_few_threads(
    node: Node, seen: bool, volumes: int
) -> None:
    with mounts(node.folder, "mount") as (mount,):
        dead = [f"dead-{number}" for number in range(MANY)]
        for number, name in enumerate(dead):
            below = str(number) if volumes == 1 else f"{number}/logs"
            node.write(name, mount.shown / below)
        start_good(node)
        node.start()
        node.wait_for(*GOOD)
        if not seen:
            mount.hang()
        if volumes == 1:
            node.run("dead", mount.path, logs=MANY)
        else:
            for number, name in enumerate(dead):
                node.run(name, mount.path, below=f"{number}/logs")
        if seen:
            node.wait_for(*dead)
            before = node.threads
            mount.hang()
        else:
            before = node.threads
        until(lambda: mount.asked, DEADLINE, "somebody hangs")
        node.wait_until_said(*(("dead",) if volumes == 1 else dead))
        assert_the_others_live(node, *(f"new-{number}" for number in range(20)))
        assert node.threads <= before + THREADS
        for number, name in enumerate(dead):
            node.write(name, mount.shown / (str(number) if volumes == 1 else f"{number}/logs"))
        mount.answer()
        node.wait_for(*dead)
        node.terminate()
        node.wait()


def test_the_server_of_a_mount_that_ends_is_a_problem_of_its_own_log(node: Node) -> None:
    with mounts(node.folder, "mount") as (mount,):
        node.write("dead", mount.shown)
        start_good(node)
        node.run("dead", mount.path)
        node.start()
        node.wait_for("dead", *GOOD)
        mount.die()
        until(lambda: node.problem("dead"), DEADLINE, "it is said")
        assert_the_others_live(node, "new-1")
        node.terminate()
        node.wait()
