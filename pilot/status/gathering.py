"""What looks and surveys know of one file set, and the questions that only a worker may ask."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot.drain import Phase
from pilot.explaining import MOST_FILES, KnownFile, KnownSet
from pilot.handover import input_id
from pilot.model import PinKind, shorten
from pilot.names import parse_pin_name, unescape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pilot.model import Container, FileSet, Log
    from pilot.piloters import Piloter
    from pilot.pins.keeper import Keeper
    from pilot.pins.record import Pin, PinSet
    from pilot.settings import Settings
    from pilot.treatment import Stream


@dataclass(frozen=True, slots=True)
class AskedFile:
    """One file: where the pilot sees its pin (None: it has none), the name in the records."""

    path: Path | None
    record: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One file set, and for each of its known files what is to be asked of it."""

    file_set: FileSet
    streams: tuple[Stream, ...]
    known: KnownSet
    files: tuple[AskedFile, ...] = ()


def gather(
    container: Container,
    declared: Log,
    file_set: FileSet,
    *,
    keeper: Keeper,
    settings: Settings,
    ended: float | None,
    phase: Phase,
    most: int = MOST_FILES,
) -> Asked:
    """What is known of a set that the container owns; called on the loop.

    At most `most` files are told. `ended` is the monotonic time of its end; None while it runs, and
    where nothing is left to read.
    """
    streams = declared.streams(file_set)
    kept = keeper.sets.get(file_set.name)
    if not kept:
        return Asked(file_set, streams, KnownSet(phase=phase, problem="not looked at yet"))
    if ended is not None:
        phase = Phase.DRAINED if keeper.drained(file_set.name, ended) else Phase.DRAINING
    place = keeper.place(file_set.name)
    every = kept.pins.values()
    pins = sorted(every, key=lambda pin: (pin.missing, pin.where, pin.name))[:most]
    known = KnownSet(
        phase=phase,
        pins_folder=(place and place.pins) or "",
        folders=kept.folders,
        problem=kept.forbidden or kept.problem,
        refused={shorten(name): why for name, why in kept.refused.items()},
        claimed=_claimed(kept),
        files=tuple(_file(container, file_set, pin) for pin in pins),
        files_found=len(every),
        paused=kept.paused,
        lost_files=kept.loss.files,
        lost_bytes=kept.loss.bytes,
    )
    folder = place.pins if place else None
    return Asked(file_set, streams, known, tuple(_question(pin, folder, settings) for pin in pins))


def _claimed(kept: PinSet) -> dict[str, str]:
    first = {
        shorten(name): f"it is the same file as {shorten(other)!r}"
        for name, other in kept.further.items()
    }
    others = {shorten(name): f"the file set {owner} has it" for name, owner in kept.doubles.items()}
    return {**first, **others}


def _file(container: Container, file_set: FileSet, pin: Pin) -> KnownFile:
    linked = _through_link(file_set, pin)
    return KnownFile(
        path=posixpath.join(file_set.inside, _written(pin))
        if linked
        else _path(container, file_set, pin),
        really=posixpath.join(file_set.root, pin.where) if linked else "",
        size=pin.seen if pin.seen >= 0 else None,
        kind=pin.kind,
        pin="" if pin.kind is PinKind.DIRECT else pin.name,
        unread=pin.unread,
        gone=pin.missing or pin.alone,
        held_back=pin.reserved,
    )


def _path(container: Container, file_set: FileSet, pin: Pin) -> str:
    """Where the container knows the file; a deleted one by its name when it was pinned."""
    if not file_set.inside:
        name = pin.where or _written(pin)
        return posixpath.join(file_set.root, name)
    if not file_set.mounted_at:  # one mounted file: its name in the container is the mount's
        single = [m.destination for m in container.mounts if m.source.endswith(f"/{_written(pin)}")]
        return single[0] if len(single) == 1 else posixpath.join(file_set.inside, _written(pin))
    if pin.where:
        return posixpath.join(file_set.mounted_at, pin.where)
    return posixpath.join(file_set.inside, _written(pin))


def _through_link(file_set: FileSet, pin: Pin) -> bool:
    """Whether the name that matched is a link into another folder; renames stay in theirs."""
    if not pin.where or not file_set.mounted_at:
        return False
    written = posixpath.join(file_set.folder, _written(pin))
    return posixpath.dirname(written) != posixpath.dirname(pin.where)


def _written(pin: Pin) -> str:
    parsed = parse_pin_name(pin.name)
    return unescape(parsed.path) if parsed else pin.name


def _question(pin: Pin, folder: str | None, settings: Settings) -> AskedFile:
    if folder is None:
        return AskedFile(None, pin.asked_as)
    seen = settings.for_collector(f"{folder}/{pin.name}")
    return AskedFile(settings.on_node(f"{folder}/{pin.file}"), seen)


def measure(questions: Sequence[Asked], piloter: Piloter) -> Mapping[str, KnownSet]:
    """File set → what is known with sizes and progress as they are now; runs on a worker.

    Raises OSError where the collector's records cannot be read.
    """
    ids = {input_id(one.file_set.name, stream) for one in questions for stream in one.streams}
    read = piloter.progress(ids)
    return {
        one.file_set.name: replace(
            one.known,
            files=tuple(
                _measured(one, known, asked, read, piloter)
                for known, asked in zip(one.known.files, one.files, strict=True)
            ),
        )
        for one in questions
    }


def _measured(
    one: Asked,
    known: KnownFile,
    asked: AskedFile,
    read: Mapping[tuple[str, str], int],
    piloter: Piloter,
) -> KnownFile:
    so_far = {
        str(stream): offset
        for stream in one.streams
        if (offset := read.get((input_id(one.file_set.name, stream), asked.record))) is not None
    }
    size, unread = known.size, known.unread
    if asked.path:
        try:
            now = asked.path.stat(follow_symlinks=False).st_size
            size = now if known.kind is PinKind.LINKED else max(now, size or 0)
            unread = max(
                _left(one, stream, asked.path, now, so_far.get(str(stream), 0), piloter)
                for stream in one.streams
            )
        except OSError:
            pass  # What the last look and survey said stays.
    return replace(known, size=size, unread=unread, read=so_far)


def _left(one: Asked, stream: Stream, path: Path, size: int, offset: int, piloter: Piloter) -> int:
    """Bytes that one input will still read of a file."""
    if offset > size:
        offset = 0  # It was truncated: a collector begins anew when it notices.
    if offset == size:
        return 0
    return max(0, piloter.readable_end(path, one.file_set, stream) - offset)
