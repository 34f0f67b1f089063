"""What a container's own texts say of its logs, for an explanation: keys, places, treatments."""

from __future__ import annotations

import dataclasses
import glob
import posixpath
from typing import TYPE_CHECKING

from pilot import declarations
from pilot.explaining.explanation import MountPlace, Written
from pilot.locate.mounts import nearest
from pilot.model import ROOTFS, Framing, Origin
from pilot.treatment import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container, Declaration, FileSet, Mount
    from pilot.settings import Settings
    from pilot.treatment import Treatment

Found = dict[str, tuple[Written | None, tuple[Written, ...]]]  # log → its key and its options


def declared(container: Container, settings: Settings, *, by_image: bool) -> Found:
    """Every log that is declared well enough to have a name, with each key as written.

    `by_image` says that what its image brought declares logs, too.
    """
    asked = dataclasses.replace(container, image_env={}, image_labels={}) if by_image else container
    found = declarations.find(asked, prefixes=settings.log_prefixes, max_logs=settings.max_logs)
    return {each.name: _written(container, each) for each in found.declarations}


def _written(container: Container, one: Declaration) -> tuple[Written, tuple[Written, ...]]:
    head = Written(
        key=one.key, value=one.value, origin=_origin(container, one.key, one.value, one.origin)
    )
    options = tuple(
        Written(
            key=option.key,
            value=option.value,
            origin=_origin(container, option.key, option.value, option.origin),
            option=name,
        )
        for name, option in sorted(one.options.items())
    )
    return head, options


def refused(container: Container, key: str, value: str) -> Written | None:
    """The key of a log that was refused before it had a name; None if nobody wrote it."""
    pod = container.pod
    places = (
        (Origin.ANNOTATION, pod.annotations if pod else {}),
        (Origin.ENV, container.env),
        (Origin.LABEL, container.labels),
    )
    for origin, texts in places:
        if key in texts:
            return Written(key=key, value=value, origin=_origin(container, key, texts[key], origin))
    return None


def _origin(container: Container, key: str, value: str, origin: Origin) -> str:
    """Where a key was written; "image" where it is known to be the image's own."""
    image: Mapping[str, str] = {}
    if origin is Origin.ENV:
        image = container.image_env
    elif origin is Origin.LABEL:
        image = container.image_labels
    return "image" if image.get(key) == value else origin


def mount_place(container: Container, file_set: FileSet) -> MountPlace | None:
    """The mount that a file set lies on; None for the runtime's log and where none is known."""
    if file_set.framing is not Framing.LINES:
        return None
    if found := _mount(container, file_set):
        return MountPlace(
            destination=found.destination, source=found.source, kind=found.kind, name=found.name
        )
    if container.rootfs and file_set.directory.startswith(container.rootfs.rstrip("/") + "/"):
        return MountPlace(destination="/", source=container.rootfs, kind=ROOTFS, name="")
    return None


def _mount(container: Container, file_set: FileSet) -> Mount | None:
    """The mount that `pilot.locate` found; of a single file, the one that it is the source of."""
    if file_set.rotated:
        found = nearest(container.mounts, file_set.inside)
        return found and found[0]
    single = posixpath.join(file_set.root, _literal(file_set.pattern))
    sources = (each for each in container.mounts if each.source)
    return next((each for each in sources if posixpath.normpath(each.source) == single), None)


def _literal(pattern: str) -> str:
    for special in "*?[":
        pattern = pattern.replace(glob.escape(special), special)
    return pattern


def treatment_data(treatment: Treatment) -> dict[str, object]:
    """What is asked for, by name; what nobody asked for is left out, but the format."""
    given = dataclasses.asdict(treatment)
    kept = {name: value for name, value in given.items() if value}
    return {**kept, "format": treatment.format or Format.NONE}
