"""What a container's own texts say of its logs, for an explanation: keys, places, treatments."""

from __future__ import annotations

import dataclasses
import glob
import posixpath
from typing import TYPE_CHECKING

from pilot import declarations
from pilot.explaining.explanation import MountPlace, Written
from pilot.model import Framing, Origin
from pilot.treatment import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container, Declaration, FileSet, Mount
    from pilot.settings import Settings
    from pilot.treatment import Treatment

Found = dict[str, tuple[Written | None, tuple[Written, ...]]]  # log → its key and its options
ROOTFS = "rootfs"  # the kind of a place in the container's own filesystem


def declared(container: Container, settings: Settings) -> Found:
    """Every log that is declared well enough to have a name, with each key as written."""
    found = declarations.find(container, prefixes=settings.log_prefixes, max_logs=settings.max_logs)
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
    """The deepest mount above the files, as the container sees them."""
    single = posixpath.join(file_set.root, _literal(file_set.pattern))
    best: Mount | None = None
    for mount in container.mounts:
        if not file_set.rotated:
            if posixpath.normpath(mount.source or "/") == single:
                return mount
            continue
        destination = mount.destination.rstrip("/") or "/"
        above = destination == "/" or (file_set.inside + "/").startswith(destination + "/")
        if above and (best is None or len(destination) >= len(best.destination.rstrip("/"))):
            best = mount
    return best


def _literal(pattern: str) -> str:
    for special in "*?[":
        pattern = pattern.replace(glob.escape(special), special)
    return pattern


def treatment_data(treatment: Treatment) -> dict[str, object]:
    """What is asked for, by name; what nobody asked for is left out, but the format."""
    given = dataclasses.asdict(treatment)
    kept = {name: value for name, value in given.items() if value}
    return {**kept, "format": treatment.format or Format.NONE}
