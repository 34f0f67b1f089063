"""The same lives with the real processes: `log-pilot run` and the collector that it runs.

Here nobody knows when a look takes place. So a file has to arrive only from the moment on at which
its pin was seen, and what was read is known from the collector's own records.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import yaml

from pilot.piloters.console.records import load
from tests.promise import steps as do
from tests.promise.applications import Applications
from tests.promise.ledger import Ledger
from tests.promise.pinned import CANARY, Pinned, plant
from tests.promise.steps import FOLDERS, MOUNTED, World
from tests.promise.volume import Volume
from tests.real.processes import descendants, end
from tests.real.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.promise.ledger import Generation, Line

PATIENCE = 30.0  # seconds; only a defect waits so long


class Processes:
    """A node with one volume, two containers with the same declaration, and a pilot."""

    def __init__(self, base: Path, other: Path, world: World) -> None:
        """`base` is the node's /; `other` lies on another filesystem, for pins that are copies."""
        self.base, self.world = base, world
        self.root, outside = base / "volume", base / "outside"
        self.static, self.out = base / "containers", base / "out"
        for folder in (self.root, self.static):
            folder.mkdir(parents=True)
        (other / "pins").mkdir(mode=0o700)
        if world.copied:
            (base / "pins").symlink_to(other / "pins")
        canaries = plant(outside, FOLDERS, (*world.names, "extra.log"))
        self.volume = Volume(self.root, MOUNTED)
        self.ledger = Ledger(world.payload, copied=world.copied)
        self.applications = Applications(
            self.volume, outside, self.ledger, time.monotonic, self._wanted
        )
        device = self.root.stat().st_dev
        (base / "pins").mkdir(mode=0o700, exist_ok=True)
        self.pinned = Pinned(base / "pins", self.ledger, canaries, device)
        self.acknowledged: set[Line] = set()
        self.current: list[str] = ["", ""]
        self.started = self.taken = 0
        self.pilot: subprocess.Popen[bytes] | None = None
        self._startagent()

    def close(self) -> None:
        """End the pilot, which ends its collector."""
        self.applications.release()
        if self.pilot:
            end(self.pilot, grace=PATIENCE)
        self.pilot = None

    def take(self, step: do.Step) -> None:  # noqa: C901 -- a table
        """Do one step; those that only a model can do do nothing."""
        if isinstance(step, do.Truncate) or self.applications.take(step):
            self._visible()
            return
        match step:
            case do.Start() | do.End():
                self._run(step.which, "ended" if isinstance(step, do.End) else "running")
            case do.Gone():
                if gone := self.current[step.which]:
                    (self.static / f"{gone}.yaml").unlink()
                    self.current[step.which] = ""
            case do.Wait():
                self._look()
            case do.Collect():
                self._collect()
            case do.KillAgent():
                self._kill(self.pilot.pid if self.pilot else 0)
                if self.pilot:
                    self.pilot.wait()
                self.pilot = None
            case do.KillCollector():
                for pid in descendants(self.pilot.pid) if self.pilot else ():
                    self._kill(pid)
            case do.StartAgent():
                self._startagent()

    def settle(self) -> None:
        """Let everything run undisturbed; then the promise has to hold."""
        self.applications.release()
        self._startagent()
        self._look()
        self._collect()
        self.close()
        self._take_events()

    def _run(self, which: int, state: str) -> None:
        if not self.current[which]:
            if state == "ended":
                return
            self.started += 1
            self.current[which] = f"id-{which}-{self.started}"
        content = {
            "id": self.current[which],
            "name": f"c{which}",
            "state": state,
            "created": f"2026-01-01T00:00:00.{self.started:09}Z",
            "env": {"aliyun_logs_x": f"/{MOUNTED}/{self.world.declared[0]}"},
            "mounts": [{"destination": f"/{MOUNTED}", "source": "/volume"}],
        }
        temporary = self.static / ".new"
        temporary.write_text(yaml.safe_dump(content))
        temporary.rename(self.static / f"{self.current[which]}.yaml")

    def _startagent(self) -> None:
        if self.pilot:
            return
        folders = {
            "--static-path": self.static,
            "--node-root": self.base,
            "--collector-root": self.base,
            "--state-dir": self.base / "state",
            "--config-dir": self.base / "config",
            "--data-dir": self.base / "records",
            "--pin-root": "/pins",
        }
        options = [str(word) for pair in folders.items() for word in pair]
        command = [sys.executable, "-m", "pilot", "run", "--type", "console", "--source", "static"]
        with self.out.open("ab") as out, (self.base / "errors").open("ab") as errors:
            self.pilot = subprocess.Popen([*command, *options], stdout=out, stderr=errors)

    def _kill(self, pid: int) -> None:
        """kill -9; what the collector has not recorded by now may come again."""
        if not pid:
            return
        self._acknowledge()
        for file in self.ledger.generations:
            for line in file.lines:
                line.more += line not in self.acknowledged
        os.kill(pid, signal.SIGKILL)

    def _declared(self) -> frozenset[str]:
        return frozenset([self.world.declared[0]] if any(self.current) else ())

    def _wanted(self, file: Generation) -> frozenset[str]:
        self._scan()
        pinned = file in self.pinned.files
        return self._declared() if pinned or self.applications.named(file) else frozenset()

    def _visible(self) -> list[Generation]:
        found = {}
        for name, place in self.volume.matches("", self.world.declared[0]):
            file = self.ledger.alive[place.key]
            file.names.add(f"/{MOUNTED}/{name}")
            if not place.doubtful:
                found[file.number] = file
        return list(found.values())

    def _scan(self) -> None:
        before = self.pinned.pins
        try:
            self.pinned.scan()
        except FileNotFoundError:  # One went just now.
            self.pinned.pins = before

    def _look(self) -> None:
        """Wait until all files that a look finds are pinned, as they are."""
        if not self.pilot or not self._declared():
            return
        visible = self._visible()

        def looked() -> bool:
            self._scan()
            sizes: dict[int, int] = {}
            for name, (folder, file) in self.pinned.pins.items():
                path = self.base / "pins" / folder / name
                size = path.stat().st_size if path.exists() else 0
                sizes[file.number] = max(size, sizes.get(file.number, -1))
            return all(sizes.get(file.number, -1) >= file.size for file in visible)

        until(looked, PATIENCE, "every file has its pin")
        for file in visible:
            self.ledger.looked(file, *self._declared(), live=True, now=0.0, away=1.0)

    def _collect(self) -> None:
        """Wait until everything that has to come came."""
        if not self.pilot:
            return

        def all_came() -> bool:
            self._take_events()
            return not any(self.ledger.missing(file) for file in self.ledger.generations)

        until(all_came, PATIENCE, "every line came")
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Which lines the collector has recorded."""
        self._scan()
        for (input_id, path), record in load(self.base / "records" / "registry.json").items():
            folder, file = self.pinned.pins.get(os.path.basename(path), ("", None))
            if file and folder == input_id:
                at = 0
                for line in file.kept:
                    at += len(line.text) + 1
                    if at <= record.offset:
                        self.acknowledged.add(line)

    def _take_events(self) -> None:
        with self.out.open("rb") as out:
            out.seek(self.taken)
            data = out.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.taken += len(whole)
        for event in map(json.loads, whole.splitlines()):
            assert not event["message"].startswith(CANARY.decode()), f"a canary came: {event}"
            self.ledger.printed(event["message"], event["log"]["file"]["path"])
