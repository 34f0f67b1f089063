"""`log-pilot render`: what would be written for containers given as files; needs no daemon."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pilot import piloters
from pilot.accept import accept, declares
from pilot.claims import Claims, lost_claim
from pilot.cli.inputs import read_input, surrounding, surroundings_from
from pilot.cli.options import rendering, settings_from
from pilot.declarations.spelling import is_ours
from pilot.fragments import inputs_of
from pilot.manifests import Surroundings
from pilot.model import Code, Origin, Rejection, State, printable
from pilot.piloters import PiloterError
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.expand import look_into
from pilot.pins.record import Place
from pilot.pins.roots import USUAL
from pilot.wiring import policy_for

if TYPE_CHECKING:
    from pilot.handover import Input
    from pilot.manifests import Found
    from pilot.model import Container, FileSet, Log
    from pilot.settings import Settings

REJECTED, UNUSABLE = 1, 2  # exit codes


@click.command()
@rendering
@surrounding
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def render(files: tuple[str, ...], **chosen: Any) -> None:
    """Print the fragments that the daemon would write for the containers in FILE ("-": stdin).

    FILE holds what `docker inspect CONTAINER…` or `crictl inspect` prints, a Kubernetes manifest, a
    compose file, or a file of the static source. Each fragment comes after a comment line with its
    path. Rejections go to stderr, one line each. Which folder holds a log's pins is decided by its
    filesystem on the node; here by its path. What only the cluster knows of a pod (its uid, say)
    has a stand-in.

    Exit code: 0 all accepted, 1 something was rejected, 2 the input cannot be used.
    """
    surroundings = surroundings_from(chosen)
    settings = settings_from(chosen)
    try:
        piloter = piloters.create(settings.type, settings)
        found = [each for name in files for each in read_input(name, surroundings).containers]
        policy = policy_for(settings, piloter)
    except (PiloterError, ValueError, OSError, RecursionError) as error:
        _tell(f"log-pilot: {error}")
        sys.exit(UNUSABLE)
    containers = [each.container for each in found]
    claims, rejected = Claims(), False
    logs: dict[str, tuple[Log, ...]] = {}
    for each in found:
        container = each.container
        accepted = accept(container, settings=settings, policy=policy, refuse=piloter.refuse)
        logs[container.id] = accepted.logs
        claims.claim(container, (s.name for log in accepted.logs for s in log.file_sets))
        unknown = _unknown(each, settings)
        if not unknown and not declares(container, settings):
            prefixes = " or ".join(settings.log_prefixes)
            _tell(f"{container.name}: nothing is declared under {prefixes}")
        for rejection in (*unknown, *accepted.rejections):
            rejected |= say(container, rejection)
    fragments = {}
    for container in sorted(containers, key=lambda one: one.id):
        owned, lost = share(container, logs[container.id], claims, containers)
        for rejection in lost:
            rejected |= say(container, rejection)
        if container.state is not State.CREATED and (inputs := _inputs(container, owned, settings)):
            fragments[container.id] = piloter.render(container, inputs)
    for name, content in sorted(piloter.files(fragments.keys(), fragments).items()):
        if content is not None:
            click.echo(f"# {piloter.directory / name}")
            click.echo(content.decode(), nl=False)
    sys.exit(REJECTED if rejected else 0)


def share(
    container: Container, logs: tuple[Log, ...], claims: Claims, containers: list[Container]
) -> tuple[list[Log], list[Rejection]]:
    """A container's logs with the file sets that it owns, and a rejection for each that it lost."""
    owned, lost = [], []
    for log in logs:
        sets = tuple(each for each in log.file_sets if claims.owner(each.name) == container.id)
        if sets:
            owned.append(replace(log, file_sets=sets))
        if len(sets) < len(log.file_sets):
            winners = {claims.owner(each.name) for each in log.file_sets} - {container.id}
            lost += [lost_claim(log, each, container) for each in containers if each.id in winners]
    return owned, lost


def say(container: Container, rejection: Rejection) -> bool:
    """One line on stderr; whether it is a rejection and no mere notice."""
    word = "notice" if rejection.notice else "rejected"
    _tell(f"{container.name}: {word}: {rejection}")
    return not rejection.notice


def _tell(line: str) -> None:
    """One line on stderr, whatever names and values of tenants are in it."""
    click.echo(printable(line), err=True)


def read(name: str) -> list[Container]:
    """The containers in a file ("-": stdin). Raises ValueError with a sentence, or OSError."""
    return [each.container for each in read_input(name, Surroundings()).containers]


def _unknown(found: Found, settings: Settings) -> list[Rejection]:
    """The declarations whose values are not in the file."""
    return [
        Rejection(
            code=Code.ENV_UNKNOWN,
            key=key,
            reason=f"its value comes from {source}; it is left out here.",
            notice=True,
        )
        for key, source in found.unknown.items()
        if is_ours(key, Origin.ENV, settings.log_prefixes)
    ]


def _inputs(container: Container, logs: list[Log], settings: Settings) -> list[Input]:
    places = {}
    for log in logs:
        for file_set in log.file_sets:
            if place := _place(file_set, settings):
                places[file_set.name] = place
            else:
                path = f"{file_set.directory}/{file_set.pattern}"
                _tell(f"{container.name}: log {log.name}: no folder of {path} is here now")
    return inputs_of(container, logs, settings, places)


def _place(file_set: FileSet, settings: Settings) -> Place | None:
    """Where a set would be read; None where that depends on folders that are not here."""
    if not settings.pin:
        folders = _folders(file_set, settings)
        return Place(None, folders) if folders else None
    roots = settings.pin_roots or USUAL
    near = (r for r in roots if file_set.directory.startswith(f"{Path(r).parent}/"))
    return Place(f"{next(near, roots[0])}/{file_set.name}")


def _folders(file_set: FileSet, settings: Settings) -> tuple[str, ...]:
    """The folders that the pilot would find now; while there is none, the one that is named."""
    try:
        with look_into(file_set, settings.on_node, lambda _: None) as view:
            root = file_set.root.rstrip("/")
            found = tuple(f"{root}/{folder.path}".rstrip("/") for folder in view.folders())
    except (FolderMissingError, RefusedError, OSError):
        found = ()
    return found if found or "/" in file_set.pattern else (file_set.directory,)
