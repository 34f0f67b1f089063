"""`log-pilot run`: the daemon."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pilot.cli.options import FOLDER, flag, holding, rendering, settings_from, state_dir
from pilot.cli.output import Output, tell
from pilot.piloters import PiloterError
from pilot.pins.roots import NoPinRootError
from pilot.policy import PolicyError
from pilot.sources import SourceError
from pilot.state import StateError
from pilot.telemetry import LEVELS, logging_to_stderr
from pilot.wiring import agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.reconciler import Reconciler
    from pilot.settings import Settings


@click.command()
@rendering
@state_dir
@holding
@flag(
    "--source",
    default="auto",
    metavar="NAME",
    help="Where containers are found: auto, docker or static.",
)
@flag(
    "--static-path",
    type=FOLDER,
    default="/etc/log-pilot/containers",
    help="The static source's folder or file.",
)
@flag("--node-root", type=FOLDER, default="/", help="Where the pilot sees the node's /.")
@flag(
    "--collector",
    type=click.Choice(["supervised", "external"]),
    default="supervised",
    help="Run the collector as a child, or leave it to somebody else.",
)
@flag(
    "--collector-program",
    default="",
    metavar="PROGRAM",
    help="The collector's program.  [default: by its usual name on PATH]",
)
@flag(
    "--relist",
    type=click.FloatRange(1),
    default=30.0,
    metavar="SECONDS",
    help="Between two full lists.",
)
@flag(
    "--drain-limit",
    type=click.FloatRange(0),
    default=86_400.0,
    metavar="SECONDS",
    help="How long the unread files of a container that is gone are kept.",
)
@flag(
    "--create-symlink",
    is_flag=True,
    help="Keep a tree of links to the volumes of containers that declare logs, as log-pilot did.",
)
@flag(
    "--symlink-root",
    type=FOLDER,
    default="/acs/log",
    help="Where that tree is, as the node knows it.",
)
@flag(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    help="Of the pilot's own log, on stderr.",
)
def run(log_level: str, **chosen: Any) -> None:
    """Run the daemon: find containers, pin their logs, configure and run the collector.

    SIGTERM and SIGINT end it in order, SIGHUP has everything listed again. Where the collector
    prints to stdout and nobody reads that any more, it ends with exit code 1.
    """
    with logging_to_stderr(log_level):
        run_agent(settings_from(chosen))


def run_agent(settings: Settings) -> None:
    """Run until a signal; a setting that cannot work ends it with exit code 2 and a sentence.

    The end of whoever reads stdout ends it, too, with exit code 1: nobody asked for that, and what
    restarts the pilot may also repair its stdout.
    """
    output = Output()
    with said(), agent(settings, output) as reconciler:
        output.when_gone(reconciler.stop)
        handle_signals(reconciler)
        reconciler.run()
    if output.gone:
        sys.exit(1)


@contextmanager
def said() -> Iterator[None]:
    """Turn what a setting or the machine makes impossible into a sentence and exit code 2."""
    try:
        yield
    except (PiloterError, PolicyError, SourceError, StateError, NoPinRootError, OSError) as error:
        tell(f"log-pilot: {error}")
        sys.exit(2)


def handle_signals(reconciler: Reconciler) -> None:
    """SIGTERM and SIGINT end the loop, SIGHUP has everything listed again."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: reconciler.stop())
    signal.signal(signal.SIGHUP, lambda _number, _frame: reconciler.mark_all())
