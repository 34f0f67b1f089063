"""The rule itself: `stdout` is the runtime's own file, a path lies on the nearest mount.

What lies on no mount is in the container's own filesystem, which is collected by leave only.
"""

from __future__ import annotations

import glob
import posixpath
from typing import TYPE_CHECKING

from pilot.locate.kinds import is_folder, runtimes_own, unreadable
from pilot.locate.mounts import nearest
from pilot.locate.paths import GLOB, InsidePath, fold, parse_path
from pilot.locate.rootfs import own_filesystem
from pilot.model import Code, FileSet, Framing, Rejection, shorten
from pilot.names import output_set_name, volume_set_name

if TYPE_CHECKING:
    from pilot.model import Container, Mount

OUTPUT = ("stdout", "stderr")  # which of the two is wanted is no matter of place


def locate(
    container: Container, key: str, item: str, *, recursive: bool = False, rootfs: bool = False
) -> FileSet | Rejection:
    """Where the files lie that one item of a declaration names, or why that cannot be said.

    The mount is that of the folder before the first glob. What a glob of folders could also name on
    another mount below that folder is not collected: declare that mount's own path for it.
    `recursive` says whether `**` is allowed, `rootfs` whether files on no mount are.
    """
    if item in OUTPUT:
        return _output(container, key, item)
    path = parse_path(key, item, recursive=recursive)
    if isinstance(path, Rejection):
        return path
    found = _nearest(container, path, rootfs=rootfs)
    if found is None:
        return _not_mounted(path, key, item, rootfs=rootfs)
    mount, below = found
    source = fold(mount.source) if mount.source else ""
    if source is None or (reason := unreadable(mount, source)):
        return _unsupported(mount, reason if source is not None else "", key=key, item=item)
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


def mount_of(container: Container, item: str, *, rootfs: bool = False) -> Mount | None:
    """The mount that `locate` finds for an item; None for output and where there is none.

    The container's own filesystem is one of kind ROOTFS, at `/`.
    """
    path = parse_path("", item, recursive=True)
    found = None if isinstance(path, Rejection) else _nearest(container, path, rootfs=rootfs)
    return found and found[0]


def _nearest(container: Container, path: InsidePath, *, rootfs: bool) -> tuple[Mount, str] | None:
    """The mount and the path below it, "" only for a mount at a file named without a pattern."""
    if GLOB.search(path.pattern):
        found = nearest(container.mounts, path.folder)
        found = found and (found[0], posixpath.join(found[1], path.pattern))
    else:
        found = nearest(container.mounts, str(path))
    if found is None and rootfs and not runtimes_own(path.folder):
        own = own_filesystem(container)
        return (own, str(path).lstrip("/")) if own else None
    return found


def _output(container: Container, key: str, item: str) -> FileSet | Rejection:
    if not container.log_path:
        driver = shorten(container.log_driver)
        said = f"the log driver {driver!r} keeps" if driver else "this container has"
        return _refuse(
            Code.STDOUT_NO_FILE,
            key,
            item,
            f"{said} no file that could be read; the driver json-file works.",
        )
    path = fold(container.log_path)
    # A file set is named after the container, so an id that is no text would name nothing.
    if not path or path == "/" or container.id != container.id.encode("utf-8", "replace").decode():
        return _refuse(
            Code.STDOUT_NO_FILE,
            key,
            item,
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
    if is_folder(mount, source):
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


def _not_mounted(path: InsidePath, key: str, item: str, *, rootfs: bool) -> Rejection:
    folder = shorten(path.folder)
    if own := runtimes_own(path.folder):
        return _refuse(
            Code.MOUNT_UNSUPPORTED,
            key,
            item,
            f"{own} in a container is in memory and has no folder on the node;"
            " mount a volume, or write to stdout.",
        )
    if rootfs:
        return _refuse(
            Code.MOUNT_UNSUPPORTED,
            key,
            item,
            f"no volume is mounted at or above {folder!r}, and nobody says where on the node this"
            " container's own filesystem keeps what it writes (only overlay keeps it in a folder,"
            " and containerd's is found only while the container runs); mount a volume.",
        )
    return _refuse(
        Code.PATH_NOT_MOUNTED,
        key,
        item,
        f"no volume is mounted at or above {folder!r}; mount one there, or write to stdout."
        " Files in the container's own filesystem need leave of whoever runs the pilot:"
        " --rootfs (PILOT_ROOTFS).",
    )


def _unsupported(mount: Mount, reason: str, *, key: str, item: str) -> Rejection:
    """`reason` is "" where the source is a path that cannot be used."""
    reason = reason or f"it comes from {shorten(mount.source)!r}, which is no usable path"
    at = shorten(mount.destination)
    return _refuse(
        Code.MOUNT_UNSUPPORTED,
        key,
        item,
        f"no log can be read from the mount at {at!r}: {reason}; use another volume.",
    )


def _refuse(code: Code, key: str, item: str, reason: str, hint: str = "") -> Rejection:
    return Rejection(code=code, key=key, value=shorten(item), reason=reason, hint=hint)
