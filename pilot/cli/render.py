"""`log-pilot render`: what would be written for containers given as files; needs no daemon."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pilot import piloters
from pilot.accept import accept
from pilot.claims import Claims, lost_claim
from pilot.cli.options import rendering, settings_from
from pilot.fragments import inputs_of
from pilot.model import State
from pilot.piloters import PiloterError
from pilot.pins.roots import USUAL
from pilot.policy import Policy
from pilot.sources.inspect import container_from_inspect
from pilot.sources.static import parse_static

if TYPE_CHECKING:
    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.settings import Settings

REJECTED, UNUSABLE = 1, 2  # exit codes


@click.command()
@rendering
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def render(files: tuple[str, ...], **chosen: Any) -> None:
    """Print the fragments that the daemon would write for the containers in FILE ("-": stdin).

    FILE holds what `docker inspect CONTAINER…` prints, or a file of the static source. Each
    fragment comes after a comment line with its path. Rejections go to stderr, one line each. Which folder
    holds a log's pins is decided by its filesystem on the node; here it is guessed by its path.

    Exit code: 0 all accepted, 1 something was rejected, 2 the input cannot be used.
    """
    settings = settings_from(chosen)
    try:
        piloter = piloters.create(settings.type, settings)
        containers = [each for name in files for each in read(name)]
    except (PiloterError, ValueError, OSError) as error:
        click.echo(f"log-pilot: {error}", err=True)
        sys.exit(UNUSABLE)
    claims, logs, rejected = Claims(), {}, False
    for container in containers:
        accepted = accept(container, settings=settings, policy=Policy())
        refused = [(each, piloter.refuse(each)) for each in accepted.logs]
        logs[container.id] = [each for each, no in refused if not no or no.notice]
        for each in (*accepted.rejections, *(no for _, no in refused if no)):
            rejected |= say(container, each)
        claims.claim(container, (s.name for log in logs[container.id] for s in log.file_sets))
    fragments = {}
    for container in sorted(containers, key=lambda one: one.id):
        owned = []
        for each in logs[container.id]:
            if all(claims.owner(s.name) == container.id for s in each.file_sets):
                owned.append(each)
                continue
            winner = next(claims.owner(s.name) for s in each.file_sets)
            named = next((one for one in containers if one.id == winner), container)
            rejected |= say(container, lost_claim(each, named))
        if container.state is not State.CREATED and (inputs := _inputs(container, owned, settings)):
            fragments[container.id] = piloter.render(container, inputs)
    for name, content in sorted(piloter.files(fragments.keys(), fragments).items()):
        if content is not None:
            click.echo(f"# {piloter.directory / name}")
            click.echo(content.decode(), nl=False)
    sys.exit(REJECTED if rejected else 0)


def say(container: Container, rejection: Rejection) -> bool:
    """One line on stderr; whether it is a rejection and no mere notice."""
    word = "notice" if rejection.notice else "rejected"
    click.echo(f"{container.name}: {word}: {rejection}", err=True)
    return not rejection.notice


def read(name: str) -> list[Container]:
    """The containers in a file. Raises ValueError with a sentence, or OSError."""
    raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    origin = "standard input" if name == "-" else name
    text = raw.decode("utf-8", "replace")
    if not text.lstrip().startswith("["):
        return parse_static(text, origin)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"{origin}: neither JSON as `docker inspect` prints it: {error}"
        ) from error
    return [container_from_inspect(each) for each in data]


def _inputs(container: Container, logs: list[Log], settings: Settings) -> list[Any]:
    def pins_folder(file_set: FileSet) -> str:
        roots = settings.pin_roots or USUAL
        near = (r for r in roots if file_set.directory.startswith(f"{Path(r).parent}/"))
        return f"{next(near, roots[0])}/{file_set.name}"

    return inputs_of(container, logs, settings, pins_folder)
