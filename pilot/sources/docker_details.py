"""What a Docker container's inspect leaves out, asked for only where a setting needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pilot.mountinfo import OWN_TABLE
from pilot.sources.bounded import Bounded
from pilot.sources.inspect import declared_by_image, image_of
from pilot.sources.upper import upper_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot.model import Container
    from pilot.settings import Settings

IMAGES = 256  # remembered; a node has tens
CONTAINERS = 4096
Brought = tuple[Mapping[str, str], Mapping[str, str]]  # by an image: environment, labels


class Details:
    """Adds to a container what the settings ask for; by default nothing, without any request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._images = Bounded[Brought | None](IMAGES)
        # An ended container is not mounted, but its files are still to be read.
        self._uppers = Bounded[str](CONTAINERS)

    def added(
        self, container: Container, data: Mapping[str, Any], inspect_image: Callable[[str], object]
    ) -> Container:
        """The container with what its image declares and where its own filesystem lies.

        Asks for an image once. Raises what `inspect_image` raises, and ValueError.
        """
        if not self._settings.image_declarations and (container.env or container.labels):
            image = image_of(data)
            found = self._images.get(image, lambda: _asked(inspect_image, image)) if image else None
            # Of an image that was removed nobody can say what it brought: all counts as its own.
            env, labels = found or (container.env, container.labels)
            container = replace(container, image_env=env, image_labels=labels)
        if self._settings.rootfs and not container.rootfs:
            upper = self._uppers.get(container.id, lambda: self._upper(container))
            container = replace(container, rootfs=upper)
        return container

    def _upper(self, container: Container) -> str:
        return upper_of((OWN_TABLE, self._settings.on_node("/proc/1/mountinfo")), container.id)


def _asked(inspect_image: Callable[[str], object], image: str) -> Brought | None:
    from docker.errors import NotFound

    try:
        return declared_by_image(inspect_image(image))
    except NotFound:
        return None
