"""`log-pilot explain`: what became of a container's declarations, step by step, and why."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pilot.cli.inputs import surrounding, surroundings_from
from pilot.cli.options import rendering, settings_from, state_dir
from pilot.cli.status import ask, fail
from pilot.explaining import lines
from pilot.model import printable
from pilot.state import SOCKET

if TYPE_CHECKING:
    from pilot.manifests import Surroundings
    from pilot.settings import Settings

REJECTED, UNUSABLE = 1, 2  # exit codes
WIDTH = 100  # columns where nobody says how wide the terminal is


@click.command()
@rendering
@surrounding
@state_dir
@click.option("--log", "log_name", default="", metavar="NAME", help="Only the log of that name.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.argument("what", metavar="CONTAINER|POD|FILE")
def explain(what: str, log_name: str, *, as_json: bool, **chosen: Any) -> None:
    """Say what was declared, what it became, where its files lie and how far the collector is.

    CONTAINER is a name, an id or the beginning of one (4 characters), or namespace/pod/name; POD is
    namespace/name or a name. The running daemon is asked. FILE is a Kubernetes manifest, a compose
    file, what `docker inspect` or `crictl inspect` prints, or a file of the static source ("-":
    stdin); it needs no daemon, and the folders of this machine are looked at if they are there.
    The other flags are for FILE alone.

    Exit code: 0 all is collected, 1 something was rejected or is not collected, 2 nobody can say.
    """
    surroundings = surroundings_from(chosen)
    settings = settings_from(chosen)
    if what == "-" or _is_file(what):
        found = _from_file(what, log_name, settings, surroundings)
    else:
        if what.startswith(("/", ".")) or what.endswith((".json", ".yaml", ".yml")):
            fail(f"{what} is a folder" if Path(what).is_dir() else f"there is no file {what}")
        found = ask(settings.state_dir / SOCKET, "explain", container=what, log=log_name)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif found["found"]:
        for line in lines(found, width()):
            click.echo(line)
    if not found["found"]:
        _say(found)
        sys.exit(UNUSABLE)
    sys.exit(0 if found["complete"] else REJECTED)


def _is_file(what: str) -> bool:
    """Whether that is a file, or a pipe as the shell's `<(…)` makes it; a folder may be a name."""
    try:
        return Path(what).exists() and not Path(what).is_dir()
    except (OSError, ValueError):  # No path can be so long, or hold a NUL.
        return False


def _from_file(
    what: str, log_name: str, settings: Settings, surroundings: Surroundings
) -> dict[str, Any]:
    """The same without a daemon; a sentence and exit code 2 where the file is none of ours."""
    from pilot.cli.reading import from_file
    from pilot.piloters import PiloterError

    try:
        return from_file(what, log_name, settings, surroundings)
    except (PiloterError, ValueError, OSError, RecursionError) as error:
        fail(str(error))


def _say(found: dict[str, Any]) -> None:
    """That there is no such container or log, and which names are near."""
    click.echo(printable(f"log-pilot: {found['sentence']}"), err=True)
    if found["near"]:
        names = ", ".join(found["near"])
        click.echo(printable(f"log-pilot: near by name: {names}"), err=True)


def width() -> int:
    """Columns to fill; COLUMNS says so, or the terminal."""
    return shutil.get_terminal_size((WIDTH, 24)).columns
