"""The agent as a black box: its command line, its signals, its status; and an external Filebeat."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from tests.real.consoles import start_console
from tests.real.elastic import main_config
from tests.real.oracle import Sink
from tests.real.processes import end, mentioning
from tests.real.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.daemons import Dockerd
    from tests.real.elastic import Elastic

FILEBEAT_GRACE = 10.0  # seconds that a supervised Filebeat has after SIGTERM


class Agent:
    """`log-pilot run` on a dockerd of ours, with every folder below one folder.

    With `static` instead, a folder of container files, it needs no dockerd; `pin_root` is then the
    one place for pins, by default in the agent's own folder.

    Entering starts it; with an external collector that starts too, and outlives the agent.
    """

    def __init__(
        self,
        folder: Path,
        *,
        filebeat: Path | None,
        dockerd: Dockerd | None = None,
        static: Path | None = None,
        pin_root: Path | None = None,
        pin: str = "auto",
        collector: str = "supervised",
        extra: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        elastic: Elastic | None = None,
    ) -> None:
        """`elastic` is where a main file of the user's own sends to, instead of the file output.

        Without `filebeat` the collector is the console's, external.
        """
        self.folder = folder
        self.state_dir = folder / "state"
        self.config_dir = folder / "config"
        self.data_dir = folder / "data"
        self.sink = Sink(elastic.folder if elastic else folder / "sink")
        self.output = folder / "agent.log"
        self.external = collector == "external"
        self._filebeat = filebeat
        kind = "filebeat" if filebeat else "console"
        program = ("--collector-program", str(filebeat)) if filebeat else ()
        source = ("static", "--static-path", str(static)) if static else ("docker",)
        pins = pin_root or (dockerd.root if dockerd else folder) / "log-pilot"
        self._command = [
            *(sys.executable, "-m", "pilot", "run", "--type", kind, "--source", *source),
            *("--state-dir", str(self.state_dir), "--config-dir", str(self.config_dir)),
            *("--data-dir", str(self.data_dir), "--pin", pin, "--collector", collector),
            *("--pin-root", str(pins)),
            *(*program, *extra),
        ]
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PILOT_")},
            **({"DOCKER_HOST": dockerd.host} if dockerd else {}),
            "LOGGING_OUTPUT": "file",
            "FILE_PATH": str(folder / "sink"),
            "FILE_NAME": "events",
            "FILE_ROTATE_SIZE": "102400",  # kB; so large that the output drops no old file
            "NODE_NAME": "test-node",
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._collector: subprocess.Popen[bytes] | None = None
        for made in (folder, folder / "sink", self.config_dir, self.data_dir):
            made.mkdir(parents=True, exist_ok=True)
        if elastic:
            own = main_config(elastic.url, config_dir=self.config_dir, data_dir=self.data_dir)
            (self.config_dir / "filebeat.yml").write_text(own)

    def __enter__(self) -> Self:
        try:
            self.start()
            if self.external:
                self.start_collector()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, problem: type[BaseException] | None, *_: object) -> None:
        if problem:  # The folder goes; pytest keeps what is printed.
            own = [line for line in self.log().splitlines() if " collector: " not in line]
            print("the agent said:", *own[-60:], sep="\n")
        self.close()

    @property
    def pid(self) -> int:
        """The agent's process id."""
        assert self._process, "the agent is not running"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the agent runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, ready: bool = True) -> None:
        """Start the agent; `ready` waits until it answers and has made its first full pass."""
        assert not self._process, "the agent is running"
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        if ready:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the agent answers `status` and any main config is written."""

        def answers() -> bool:
            assert self.alive, f"the agent ended: {self.log()[-3000:]}"
            main = self.config_dir / ("filebeat.yml" if self._filebeat else "")
            return self.try_status() is not None and main.exists()

        until(answers, 30, "the agent answers", every=0.1)

    def kill(self) -> None:
        """SIGKILL to the agent alone."""
        assert self._process, "the agent is not running"
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self, seconds: float = 5 + FILEBEAT_GRACE) -> float:
        """SIGTERM; how many seconds the agent took. AssertionError after `seconds`."""
        assert self._process, "the agent is not running"
        begun = time.monotonic()
        self._process.terminate()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent did not end within {seconds} s of SIGTERM") from None
        self._process = None
        assert code == 0, f"the agent ended with {code}: {self.log()[-3000:]}"
        return time.monotonic() - begun

    def status(self) -> dict[str, Any]:
        """What `log-pilot status --json` prints. AssertionError if it fails."""
        found = self.try_status()
        assert found is not None, f"no status; the agent's log ends: {self.log()[-2000:]}"
        return found

    def try_status(self) -> dict[str, Any] | None:
        """What `log-pilot status --json` prints; None if it fails."""
        done = self.status_command("--json")
        if done.returncode:
            return None
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def status_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`log-pilot status`, as a person calls it."""
        return subprocess.run(
            [sys.executable, "-m", "pilot", "status", "--state-dir", self.state_dir, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env=self._environment,
        )

    def log(self) -> str:
        """What the agent said so far."""
        return self.output.read_text(errors="replace")

    def fragments(self) -> dict[str, tuple[bytes, int]]:
        """What the collector sees in the config directory: name → content and mtime (ns)."""
        found = {}
        folder = self.config_dir / ("prospectors.d" if self._filebeat else "inputs.d")
        for path in sorted(folder.glob("[!.]*.yml")):
            with suppress(FileNotFoundError):  # It went between the two looks.
                found[path.name] = (path.read_bytes(), path.stat().st_mtime_ns)
        return found

    def wait_for_fragment(self, container_id: str, seconds: float = 30) -> None:
        """Wait until some fragment is about this container."""
        until(
            lambda: any(
                container_id.encode() in content for content, _ in self.fragments().values()
            ),
            seconds,
            f"a fragment for {container_id[:12]}",
        )

    def wait_for_pin(self, container_id: str, seconds: float = 30) -> None:
        """Wait until a container's own output is pinned."""
        roots = [*self.folder.parent.glob("*/log-pilot"), *self.folder.parent.glob("*/*/log-pilot")]
        until(
            lambda: any(next(root.glob(f"*{container_id}*/*"), None) for root in roots),
            seconds,
            f"a pin for {container_id[:12]}",
        )

    def collector_pids(self) -> list[int]:
        """Every collector that runs with this agent's config."""
        console = f"--config {self.config_dir} "
        return mentioning(f"{self.config_dir}/filebeat.yml" if self._filebeat else console)

    def start_collector(self) -> None:
        """Start the external collector, as its own container would."""
        assert not self._collector, "the collector is running"
        if not self._filebeat:
            self._collector = start_console(self)
            return
        config = self.config_dir / "filebeat.yml"
        until(config.exists, 30, "the main config is written")
        with (self.folder / "filebeat.log").open("ab") as output:
            self._collector = subprocess.Popen(
                [self._filebeat, "-c", config, "--path.home", self.folder / "home"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop_collector(self) -> None:
        """End the external collector."""
        assert self._collector, "the collector is not running"
        end(self._collector, grace=FILEBEAT_GRACE)
        self._collector = None

    def pause_collector(self) -> None:
        """SIGSTOP to the collector: it neither reads nor answers."""
        self._signal_collector(signal.SIGSTOP)

    def resume_collector(self) -> None:
        """Let a stopped collector go on."""
        self._signal_collector(signal.SIGCONT)

    def kill_collector(self) -> None:
        """SIGKILL to the collector; the agent starts a supervised one again, we an external one."""
        before = self._signal_collector(signal.SIGKILL)
        if self._collector:
            self._collector.wait()
            self._collector = None
            self.start_collector()
        until(
            lambda: self.collector_pids() and not set(self.collector_pids()) & set(before),
            60,
            "another collector runs",
            every=0.1,
        )

    def _signal_collector(self, number: signal.Signals) -> list[int]:
        pids = self.collector_pids()
        assert pids, "no collector runs"
        for pid in pids:
            os.kill(pid, number)
        return pids

    def collector_alive(self) -> bool:
        """Whether a Filebeat runs with this agent's config."""
        if self.external:
            return self._collector is not None and self._collector.poll() is None
        return bool(self.collector_pids())

    def collector_output(self) -> str:
        """What the collector said: on its own, or passed on by the agent."""
        return (self.folder / "filebeat.log").read_text() if self.external else self.log()

    def close(self) -> None:
        """End everything that was started here."""
        if self._process:
            end(self._process, grace=5 + FILEBEAT_GRACE)
            self._process = None
        if self._collector:
            self.stop_collector()
        for pid in self.collector_pids():  # A collector whose agent was killed.
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # It ended.
                continue
        until(lambda: not self.collector_pids(), 10, "collectors ended")
