"""The console collector's own process: `python -m pilot.piloters.console --config … --data …`."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from pilot.piloters.console.collector import Collector
from pilot.piloters.console.folder import InputFolder
from pilot.piloters.console.output import Output, OutputBlockedError, OutputClosedError
from pilot.piloters.console.records import FORGET_AFTER, Records

log = logging.getLogger("console")


@dataclass(slots=True)
class Stop:
    """Whether a signal asked for the end."""

    asked: bool = False

    def ask(self, *_: object) -> None:
        """Handle a signal."""
        self.asked = True


def main() -> int:
    """Run until SIGTERM, SIGINT or the end of whoever reads stdout; the exit code."""
    options = _options()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.ask)
    try:
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(options.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        records = Records(options.data / "registry.json", forget_after=options.forget_after)
    except BlockingIOError:
        log.critical("another console collector works in %s: stop that one first", options.data)
        return 1
    except OSError as error:
        log.critical("the data folder cannot be used: %s", error)
        return 1
    output = Output(sys.stdout.fileno(), lambda: stop.asked)
    collector = Collector(InputFolder(options.config / "inputs.d"), records, output)
    try:
        collector.run(lambda: stop.asked)
    except OutputClosedError:
        log.info("stdout was closed: ending")
    except OutputBlockedError:
        log.warning("stdout is blocked: ending; the last lines will come again")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pilot.piloters.console",
        description="Print the lines of log files as JSON events, one a line. Made for laptops and "
        "tests, not for production.",
    )
    parser.add_argument("--config", type=Path, required=True, help="folder above inputs.d/*.yml")
    parser.add_argument("--data", type=Path, required=True, help="folder for records and the lock")
    parser.add_argument(
        "--forget-after",
        type=float,
        default=FORGET_AFTER,
        metavar="SECONDS",
        help="drop the record of a file that is gone for so long (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
