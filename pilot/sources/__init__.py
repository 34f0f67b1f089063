"""Sources say which containers run here; each is one module and one entry point line."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.hints import Hints
    from pilot.model import Container
    from pilot.settings import Settings

ENTRY_POINTS = "pilot.sources"
DOCKER_SOCKET = "/var/run/docker.sock"

log = logging.getLogger(__name__)


class SourceError(Exception):
    """The source could not answer now; nothing follows about any container. Said to a person."""


class Source(Protocol):
    """Where containers are found. Methods block, and are called from worker threads only.

    An event is a hint and never the truth: `watch` marks, `look` tells.
    """

    name: str
    declares_once: bool  # whether what a container declares is fixed for its whole life

    def watch(self, hints: Hints) -> None:
        """Mark what should be looked at again, until `close` is called.

        Marks everything once the stream is live, so that what happened before is listed.
        Raises SourceError when the stream ends or breaks; the caller waits and calls again.
        """

    def list(self) -> Mapping[str, str]:
        """Every container's id, with a cheap stamp that changes when a look is worth while.

        A look that gives the same stamp with its container spares the next list's look.

        Raises SourceError where the answer is not known to be whole.
        """

    def look(self, container_id: str) -> Container | None:
        """One container, fresh. None only if the source says that it does not exist.

        Raises SourceError where it cannot say.
        """

    def close(self) -> None:
        """Make `watch` return soon, from any thread; the source is not used again."""


class CreateSource(Protocol):
    """What an entry point in the group `pilot.sources` names."""

    def __call__(self, settings: Settings) -> Source:
        """Make the source. Raises SourceError if its client library is missing or misconfigured."""


def create(settings: Settings) -> Source:
    """Make the chosen source. Raises SourceError for a name that nobody registered."""
    name = settings.source
    if name == "auto":
        name, why = automatic(settings)
        log.info("source %s: %s", name, why)
    known = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in known:
        raise SourceError(f"source {name!r} is not known; known are {', '.join(sorted(known))}")
    factory: CreateSource = known[name].load()
    return factory(settings)


def automatic(settings: Settings) -> tuple[str, str]:
    """The source that `auto` means here, and why."""
    if host := settings.environment.get("DOCKER_HOST"):
        return "docker", f"DOCKER_HOST is {host}"
    if Path(DOCKER_SOCKET).is_socket():
        return "docker", f"there is {DOCKER_SOCKET}"
    return "static", f"there is no {DOCKER_SOCKET} and DOCKER_HOST is not set"
