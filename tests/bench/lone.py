"""A pilot on containers that a YAML file names, with no dockerd; and what it uses of the CPU."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from tests.real.processes import end
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PER_CONTAINER = 100  # logs, the most that one container may declare by default
GRACE = 15.0  # seconds to end, with a collector
PROCESS_CLOCK = 2  # CPUCLOCK_SCHED of linux/posix-timers.h: all threads, those that ended, too
# A limit of a user namespace of its own, where root is still root of the files below it.
WITHOUT_INOTIFY = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"',
    "sh",
)


class Lone:
    """`log-pilot run` on folders of logs; `logs` and `pins` are by the folders' numbers.

    Its collector is somebody else's, who never comes, unless `filebeat` is given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        folders: int,
        volume: Path | None = None,
        extra: Sequence[str] = (),
        prefix: Sequence[str] = (),
        filebeat: Path | None = None,
    ) -> None:
        self.folder = folder
        self._volume = volume or folder / "volume"
        self._count = folders
        self.logs = [self._volume / f"{number:05}" for number in range(folders)]
        self.pins: list[Path] = []
        collector: tuple[str, ...] = ("--collector", "external")
        if filebeat:
            collector = ("--collector", "supervised", "--collector-program", str(filebeat))
        self._state = folder / "state"
        self._command = [
            *(*prefix, sys.executable, "-m", "pilot", "run", "--log-level", "warning"),
            *("--type", "filebeat", "--source", "static", "--static-path", str(self._static)),
            *("--state-dir", str(self._state), "--config-dir", str(folder / "config")),
            *("--data-dir", str(folder / "data"), "--pin-root", str(folder / "pins")),
            *(*collector, *extra),
        ]
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PILOT_")},
            "LOGGING_OUTPUT": "file",
            "FILE_PATH": str(folder / "sink"),
            "FILE_NAME": "events",
        }
        self._process: subprocess.Popen[bytes] | None = None
        for made in (folder, folder / "config", folder / "data", folder / "sink", *self.logs):
            made.mkdir(parents=True, exist_ok=True)
        self._static.write_text(yaml.safe_dump(self._containers()))

    @property
    def _static(self) -> Path:
        return self.folder / "containers.yaml"

    def _containers(self) -> list[dict[str, Any]]:
        """As few as can be: what they cost is not what is measured here."""
        starts = range(0, max(1, self._count), PER_CONTAINER)
        return [
            {
                "id": f"container-{start:05}",
                "name": f"container-{start:05}",
                "state": "running",
                "created": "2026-01-02T03:04:05Z",
                "image": "bench:1",
                "env": {
                    f"aliyun_logs_log{each.name}": f"/logs/{each.name}/*.log"
                    for each in self.logs[start : start + PER_CONTAINER]
                },
                "mounts": [{"destination": "/logs", "source": str(self._volume), "kind": "bind"}],
            }
            for start in starts
        ]

    def fill(self, files: int) -> None:
        """So many files of one line in each folder."""
        for folder in self.logs:
            for number in range(files):
                (folder / f"present{number:04}.log").write_text("line-present\n")

    def __enter__(self) -> Self:
        with (self.folder / "agent.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self._until(self._answers, 60, "the agent answers")
            os.kill(self.pid, signal.SIGHUP)  # A source that cannot watch lists only when asked.
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            end(self._process, grace=GRACE)
            self._process = None

    @property
    def pid(self) -> int:
        """The pilot's process id."""
        assert self._process, "the agent is not running"
        return self._process.pid

    def status(self) -> dict[str, Any]:
        """What `log-pilot status --json` prints; {} if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "pilot", "status", "--state-dir", self._state, "--json"],
            capture_output=True,
            text=True,
            timeout=30,
            env=self._environment,
        )
        found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout)
        return found

    def _answers(self) -> bool:
        assert self._process, "the agent is not running"
        assert self._process.poll() is None, f"the agent ended: {self._said()}"
        return bool(self.status())

    def _said(self) -> str:
        """The end of its log."""
        return (self.folder / "agent.log").read_text(errors="replace")[-400:]

    def wait_pinned(self, files: int, seconds: float = 120) -> None:
        """Wait until each folder has so many pins; then `pins` are the folders that hold them."""

        def pinned() -> bool:
            found = {
                Path(each["folder"]): each.get("pins_folder")
                for container in self.status().get("containers", [])
                for declared in container["logs"]
                for each in declared["file_sets"]
            }
            places = [found.get(folder) for folder in self.logs]
            self.pins = [Path(place) for place in places if place]
            return len(self.pins) == len(self.logs) and all(
                place.is_dir() and len(os.listdir(place)) >= files for place in self.pins
            )

        self._until(pinned, seconds, f"{files} pins in each of {len(self.logs)} folders")

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait; what the agent said is in the AssertionError."""
        try:
            until(condition, seconds, what, every=0.5)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; it said: {self._said()}") from None

    def printed(self) -> int:
        """How many bytes its collector has printed."""
        return sum(each.stat().st_size for each in (self.folder / "sink").iterdir())

    def descriptors(self) -> str:
        """What its open descriptors lead to, in one text."""
        found = []
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # Closed meanwhile.
                found.append(os.readlink(entry))
        return " ".join(found)

    def used(self) -> float:
        """CPU seconds so far, all threads but no children, in ns: clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.pid << 3) | PROCESS_CLOCK)

    def used_by_loop(self) -> float:
        """CPU seconds of the main thread, which is the loop, so far."""
        schedule = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text()
        return int(schedule.split()[0]) / 1e9
