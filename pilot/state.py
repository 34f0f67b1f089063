"""What must outlive the pilot: containers as last seen, pins by file set, the next serial.

One JSON file each, with a version, written atomically. Fields that a reader does not know are
ignored and fields that are missing have defaults, so that version N-1 reads what N writes. A file
that cannot be read is set aside and said, never the reason not to start.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pilot.files import remove_temporaries, sync_folder, write_atomically
from pilot.model import Container, FileSet, Framing, Mount, Pod, State
from pilot.names import file_stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")
VERSION = 1
SOCKET = "status.sock"  # in the state folder
SERIALS_AT_ONCE = 1000  # taken from disk in blocks, so that a pin costs no write of its own

log = logging.getLogger(__name__)


class StateError(Exception):
    """The state folder cannot be used. Said to a person, at start."""


@dataclass(frozen=True, slots=True)
class SavedContainer:
    """A container as last seen."""

    container: Container
    gone: bool = False  # the runtime said that it does not exist any more


@dataclass(frozen=True, slots=True)
class SavedPin:
    """One pin: its name holds inode and serial, the device says whose inode it is."""

    name: str
    device: int
    linked: bool
    born: int = 0  # ns; when the original was made, 0 where that is not known
    counted: bool = False  # what is unread of it was counted as lost


@dataclass(frozen=True, slots=True)
class SavedSet:
    """A file set that has, or had, pins: where they are and which."""

    file_set: FileSet
    pin_root: str
    pins: tuple[SavedPin, ...]
    namespace: str = ""
    lost_files: int = 0
    lost_bytes: int = 0


class StateStore:
    """The state folder. Used by the one loop only; one pilot per node holds it.

    What saves or forgets tells whether it could; a reader never sees half of a file.
    """

    def __init__(self, folder: Path) -> None:
        """Open and lock the folder. Raises StateError if another pilot has it or it is unusable."""
        self._containers, self._sets = folder / "containers", folder / "sets"
        self._folder, self.problem = folder, ""
        self._serial_file, self._drains = folder / "serial", folder / "drains.json"
        try:
            for part in (self._containers, self._sets):
                part.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for part in (folder, self._containers, self._sets):
                remove_temporaries(part)  # Only now: another pilot may be writing before.
        except BlockingIOError as error:
            os.close(self._lock)
            raise StateError(f"another log-pilot uses the state folder {folder}") from error
        except OSError as error:
            raise StateError(f"cannot use the state folder {folder}: {error}") from error
        self._serial = self._serials_end = 0
        self._serial_lock = threading.Lock()

    def close(self) -> None:
        """Let another pilot have the folder."""
        os.close(self._lock)

    def containers(self) -> Iterator[SavedContainer]:
        """Every saved container that can be read."""
        return _load(self._containers, _container_from)

    def save_container(self, saved: SavedContainer, *, durable: bool = True) -> bool:
        """Save one container; not durable: it survives a kill, not a power cut."""
        path = self._containers / f"{file_stem(saved.container.id)}.json"
        return self._done(lambda: _write(path, asdict(saved), durable=durable))

    def forget_container(self, container_id: str) -> bool:
        """Forget one container."""
        path = self._containers / f"{file_stem(container_id)}.json"
        return self._done(lambda: path.unlink(missing_ok=True))

    def drains(self) -> dict[str, float]:
        """The seconds left until the deadline of each container that drains."""
        try:
            found = json.loads(self._drains.read_bytes())["seconds"]
            return {str(one): float(left) for one, left in found.items()}
        except FileNotFoundError:
            return {}
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            log.error("%s cannot be read (%r): deadlines start anew", self._drains, error)
            return {}

    def save_drains(self, seconds: Mapping[str, float]) -> bool:
        """Save the seconds left of all that drains: one write, whatever their number."""
        return self._done(lambda: _write(self._drains, {"seconds": dict(seconds)}))

    def sets(self) -> Iterator[SavedSet]:
        """Every saved file set that can be read."""
        return _load(self._sets, _set_from)

    def save_set(self, saved: SavedSet, *, durable: bool = True) -> bool:
        """Save one file set."""
        path = self._sets / f"{saved.file_set.name}.json"
        return self._done(lambda: _write(path, asdict(saved), durable=durable))

    def forget_set(self, name: str) -> bool:
        """Forget one file set."""
        path = self._sets / f"{name}.json"
        return self._done(lambda: path.unlink(missing_ok=True))

    def _done(self, change: Callable[[], None]) -> bool:
        """Whether a change could be made; a problem, and its end, are said once."""
        before = self.problem
        try:
            change()
        except OSError as error:
            self.problem = f"cannot save in {self._folder}: {error.strerror}"
            if not before:
                log.error("%s; trying again", self.problem)
            return False
        self.problem = ""
        if before:
            log.info("saving in %s works again", self._folder)
        return True

    def next_serial(self) -> int:
        """A number that was never given before on this node; from any thread. Raises OSError.

        Without a saved one it starts from the clock, so that a wiped state folder does not bring
        back the names that a collector's records still hold.
        """
        with self._serial_lock:
            if self._serial >= self._serials_end:
                try:
                    saved = int(self._serial_file.read_text())
                except (FileNotFoundError, ValueError):
                    saved = time.time_ns() // 1_000_000
                self._serial = max(saved, self._serial)
                write_atomically(self._serial_file, str(self._serial + SERIALS_AT_ONCE).encode())
                sync_folder(self._serial_file.parent)  # A power cut must not bring back the old.
                self._serials_end = self._serial + SERIALS_AT_ONCE
            self._serial += 1
            return self._serial


def _write(path: Path, data: dict[str, Any], *, durable: bool = True) -> None:
    text = json.dumps({"version": VERSION, **data}, sort_keys=True, separators=(",", ":"))
    write_atomically(path, text.encode("ascii"), durable=durable)


def _load(folder: Path, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield parse(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.error("state file %s cannot be read (%r): set aside", path, error)
            path.rename(path.with_suffix(".unreadable"))


def _container_from(data: dict[str, Any]) -> SavedContainer:
    raw = data["container"]
    container = Container(
        id=raw["id"],
        name=raw["name"],
        state=State(raw["state"]),
        created=raw.get("created", ""),
        image=raw.get("image", ""),
        env=dict(raw.get("env", {})),
        labels=dict(raw.get("labels", {})),
        image_env=dict(raw.get("image_env", {})),
        image_labels=dict(raw.get("image_labels", {})),
        mounts=tuple(
            Mount(mount["destination"], mount["source"], mount["kind"], mount.get("name", ""))
            for mount in raw["mounts"]
        ),
        log_path=raw.get("log_path", ""),
        log_framing=Framing(raw.get("log_framing", Framing.DOCKER)),
        log_driver=raw.get("log_driver", ""),
        rootfs=raw.get("rootfs", ""),
        pod=_pod_from(raw["pod"]) if raw.get("pod") else None,
    )
    return SavedContainer(container, bool(data.get("gone")))


def _pod_from(raw: dict[str, Any]) -> Pod:
    return Pod(
        raw["namespace"],
        raw["name"],
        raw.get("uid", ""),
        raw.get("container", ""),
        annotations=dict(raw.get("annotations", {})),
        labels=dict(raw.get("labels", {})),
    )


def _set_from(data: dict[str, Any]) -> SavedSet:
    raw = data["file_set"]
    file_set = FileSet(
        name=raw["name"],
        root=raw["root"],
        folder=raw["folder"],
        pattern=raw["pattern"],
        framing=Framing(raw["framing"]),
        inside=raw.get("inside", ""),
        rotated=bool(raw.get("rotated", True)),
    )
    pins = tuple(
        SavedPin(
            pin["name"],
            pin["device"],
            pin["linked"],
            pin.get("born", 0),
            bool(pin.get("counted", False)),
        )
        for pin in data["pins"]
    )
    return SavedSet(
        file_set,
        data["pin_root"],
        pins,
        namespace=data.get("namespace", ""),
        lost_files=data.get("lost_files", 0),
        lost_bytes=data.get("lost_bytes", 0),
    )
