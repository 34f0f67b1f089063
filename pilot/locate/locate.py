"""The rule itself: `stdout` is the runtime's own file, a path lies on the nearest mount."""

from __future__ import annotations

import glob
import posixpath
from typing import TYPE_CHECKING

from pilot.locate.mounts import nearest
from pilot.locate.paths import GLOB, InsidePath, fold, parse_path
from pilot.model import Code, FileSet, Framing, Rejection, shorten
from pilot.names import output_set_name, volume_set_name

if TYPE_CHECKING:
    from pilot.model import Container, Mount

STDOUT = "stdout"
VOLUME = "volume"


def locate(
    container: Container, key: str, item: str, *, recursive: bool = False
) -> FileSet | Rejection:
    """Where the files lie that one item of a declaration names, or why that cannot be said.

    The mount is that of the folder before the first glob. What a glob of folders could also name on
    another mount below that folder is not collected: declare that mount's own path for it.
    `recursive` says whether `**` is allowed.
    """
    if item == STDOUT:
        return _output(container, key)
    path = parse_path(key, item, recursive=recursive)
    if isinstance(path, Rejection):
        return path
    found = _nearest(container, path)
    if found is None:
        return _refuse(
            Code.PATH_NOT_MOUNTED,
            key,
            item,
            f"no volume is mounted at or above {shorten(path.folder)!r};"
            " mount one there, or write to stdout.",
        )
    mount, below = found
    source = fold(mount.source) if mount.source else ""
    if not source:
        return _unsupported(mount, key, item)
    if below == "":
        return _single_file(mount, source, path, key=key, item=item)
    folder = below.removesuffix(path.pattern).rstrip("/")
    return FileSet(
        name=volume_set_name(source, folder, path.pattern),
        root=source,
        folder=folder,
        pattern=path.pattern,
        framing=Framing.LINES,
        inside=path.folder,
    )


def mount_of(container: Container, item: str) -> Mount | None:
    """The mount that `locate` finds for an item; None for `stdout` and where there is none."""
    path = parse_path("", item, recursive=True)
    found = None if isinstance(path, Rejection) else _nearest(container, path)
    return found and found[0]


def _nearest(container: Container, path: InsidePath) -> tuple[Mount, str] | None:
    """The mount and the path below it, "" only for a mount at a file named without a pattern."""
    if GLOB.search(path.pattern):
        found = nearest(container.mounts, path.folder)
        return found and (found[0], posixpath.join(found[1], path.pattern))
    return nearest(container.mounts, str(path))


def _output(container: Container, key: str) -> FileSet | Rejection:
    if not container.log_path:
        driver = shorten(container.log_driver)
        said = f"the log driver {driver!r} keeps" if driver else "this container has"
        return _refuse(
            Code.STDOUT_NO_FILE,
            key,
            STDOUT,
            f"{said} no file that could be read; the driver json-file works.",
        )
    path = fold(container.log_path)
    # A file set is named after the container, so an id that is no text would name nothing.
    if not path or path == "/" or container.id != container.id.encode("utf-8", "replace").decode():
        return _refuse(
            Code.STDOUT_NO_FILE,
            key,
            STDOUT,
            f"the runtime says that it lies at {shorten(container.log_path)!r}, no usable path.",
        )
    return FileSet(
        name=output_set_name(container.id),
        root=posixpath.dirname(path),
        folder="",
        pattern=glob.escape(posixpath.basename(path)),
        framing=container.log_framing,
    )


def _single_file(
    mount: Mount, source: str, path: InsidePath, *, key: str, item: str
) -> FileSet | Rejection:
    """A mount at the very path: one file bound into the container, never rotated there."""
    if mount.kind == VOLUME or source == "/":
        return _refuse(
            Code.PATH_FOLDER,
            key,
            item,
            "a volume is mounted there, so this names a folder; name its files.",
            hint=shorten(f"{path}/*.log", 200),
        )
    root, pattern = posixpath.dirname(source), glob.escape(posixpath.basename(source))
    return FileSet(
        name=volume_set_name(root, "", pattern),
        root=root,
        folder="",
        pattern=pattern,
        framing=Framing.LINES,
        inside=path.folder,
        rotated=False,
    )


def _unsupported(mount: Mount, key: str, item: str) -> Rejection:
    at = shorten(mount.destination)
    if mount.source:
        reason = (
            f"the mount at {at!r} comes from {shorten(mount.source)!r}, which is no usable path."
        )
    else:
        kind = shorten(mount.kind) or "unknown"
        reason = f"the mount at {at!r} ({kind}) has no folder on the node; use a volume."
    return _refuse(Code.MOUNT_UNSUPPORTED, key, item, reason)


def _refuse(code: Code, key: str, item: str, reason: str, hint: str = "") -> Rejection:
    return Rejection(code=code, key=key, value=shorten(item), reason=reason, hint=hint)
