"""`log-pilot demo`: the whole pipeline on a pretend node, without root and without a daemon."""

from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pilot.cli.output import Output, tell
from pilot.cli.run import said
from pilot.demo.node import DemoNode
from pilot.demo.tally import Tally
from pilot.settings import Settings
from pilot.telemetry import logging_to_stderr
from pilot.tether import end_with_parent
from pilot.wiring import agent

if TYPE_CHECKING:
    from pilot.reconciler import Reconciler

POLL = 0.1  # seconds between two looks at the demo's programs


@click.command()
@click.option(
    "--lines",
    type=click.IntRange(1, 100_000),
    default=30,
    show_default=True,
    help="Numbered lines of each program.",
)
@click.option("--exit-when-done", is_flag=True, help="End by itself once every line was printed.")
def demo(lines: int, *, exit_when_done: bool) -> None:
    """Run on a pretend node with three small programs and print their events.

    Two programs write logs as containers do (Docker's and Kubernetes' way, with rotation), one
    writes a file in a volume, which is deleted while it is read. All of it lies in a temporary
    folder, which is removed at the end. Ctrl-C ends everything, as does the end of whoever reads
    the events.

    Exit code 0; 1 if --exit-when-done ended with a line missing.
    """
    ending = Ending()
    folder = Path(tempfile.mkdtemp(prefix="log-pilot-demo-"))
    run = secrets.token_hex(4)
    node = DemoNode(folder, run, lines)
    tally = Tally(run, node.expected())
    output = Output(tally.feed)
    tell(
        f"# run {run}: a pretend node in {folder}; the paths below are its own, not this machine's"
    )
    with ExitStack() as opened, said():
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        opened.callback(node.stop)
        opened.enter_context(logging_to_stderr("info"))
        node.start()
        reconciler = opened.enter_context(agent(settings(folder), output))
        output.when_gone(reconciler.stop)
        ending.of(reconciler)
        companion = Companion(node, tally, reconciler, exit_when_done=exit_when_done)
        opened.callback(companion.end)
        companion.start()
        reconciler.run()
    sys.exit(1 if exit_when_done and not tally.complete else 0)


class Ending:
    """What ends the demo: Ctrl-C, SIGTERM, a closed terminal, the end of whoever started it."""

    def __init__(self) -> None:
        """Listen from now on; what comes before there is a loop to end is remembered."""
        self._asked = False
        self._reconciler: Reconciler | None = None
        end_with_parent()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)

    def of(self, reconciler: Reconciler) -> None:
        """End this loop."""
        self._reconciler = reconciler
        if self._asked:
            reconciler.stop()

    def _end(self, _number: int, _frame: object) -> None:
        self._asked = True
        if self._reconciler:
            self._reconciler.stop()


def settings(folder: Path) -> Settings:
    """What `log-pilot run` would be told by flags, for a node in this folder."""
    return Settings(
        type="console",
        source="static",
        static_path=folder / "containers",
        node_root=folder / "node",
        collector_root=folder / "node",
        state_dir=folder / "state",
        config_dir=folder / "config",
        data_dir=folder / "data",
        pin_roots=("/var/log/log-pilot",),
        node_name="demo-node",
    )


class Companion:
    """Moves the pretend node on beside the pilot and says when every line was seen."""

    def __init__(
        self, node: DemoNode, tally: Tally, reconciler: Reconciler, *, exit_when_done: bool
    ) -> None:
        """Watch these; with `exit_when_done` end the pilot."""
        self._node, self._tally, self._reconciler = node, tally, reconciler
        self._exit = exit_when_done
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Touch the node no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        """Until every line has been printed."""
        while not (self._node.done and self._tally.complete):
            self._node.poll()
            if self._over.wait(POLL):
                return
        for line in self._tally.summary().splitlines():
            tell(f"# {line}")
        if self._exit:
            self._reconciler.stop()
        else:
            tell("# Ctrl-C ends the demo")
