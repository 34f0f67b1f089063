"""What goes: pins that were read and whose originals are gone, and what exceeds an allowance."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.model import PinKind
from pilot.names import parse_pin_name, unescape
from pilot.pins.budget import Held, Limits, Short, crowded, paused, victims
from pilot.pins.notices import NAMED
from pilot.pins.record import done_with
from pilot.pins.restore import serial_of
from pilot.pins.sweep import Lost
from pilot.pins.window import Room
from pilot.settings import Floor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pilot.names import FileKey
    from pilot.pins.owners import Owners
    from pilot.pins.record import Pin, PinSet
    from pilot.pins.roots import PinRoots
    from pilot.pins.shelf import Shelf
    from pilot.pins.survey import Answer, Survey
    from pilot.settings import Settings

# The kubelet begins to evict pods at 10 % of space and 5 % of inodes.
BESIDE_KUBELET = Floor(0.12, 0.06)
FREED = 60.0  # seconds in which a filesystem, or who holds a file open, gives its space back
ALONE = Floor(0.02, 0.02, most=256 << 20)

log = logging.getLogger(__name__)


def floor_of(settings: Settings) -> Floor:
    """What pins leave free: as chosen, or by whether a kubelet would evict pods for it."""
    if settings.floor:
        return settings.floor
    return BESIDE_KUBELET if settings.on_node(kubelet.ROOT).is_dir() else ALONE


class Clearing:
    """Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        sets: Mapping[str, PinSet],
        shelf: Shelf,
        owners: Owners,
        roots: PinRoots | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Clear these sets; without `roots` there are no pins, only originals."""
        self._sets, self._shelf, self._owners, self._roots = sets, shelf, owners, roots
        self._now = monotonic
        self._limits = Limits(
            settings.set_allowance, settings.namespace_allowance, settings.node_allowance
        )
        self._floor = floor_of(settings)
        # Pin root's path → (monotonic time, bytes, files) given up for its floor.
        self._given: dict[str, list[tuple[float, int, int]]] = {}
        self.held = (0, 0)  # bytes and files that pins hold

    def take(self, kept: PinSet, survey: Survey) -> list[FileKey]:
        """Take in a survey; what is over goes. Returns the files whose pins somebody removed."""
        kept.surveyed = survey.asked
        if survey.asked >= kept.looked:
            kept.proved = kept.looked
        over: list[Pin] = []
        wiped: list[FileKey] = []
        for key, pin in kept.pins.items():
            if pin.asked_as not in survey.answers:
                continue  # Made later, or it cannot be read.
            if answer := survey.answers[pin.asked_as]:
                if self._is_over(kept, pin, answer, survey.asked):
                    over.append(pin)
            elif pin.released < survey.asked:
                wiped.append(key)
        self._remove(kept, over)
        last = [kept.pins[key] for key in wiped if kept.pins[key].alone]
        self._shelf.count(kept, last, "somebody removed the last name of deleted files")
        for key in wiped:
            pin = kept.pins.pop(key)
            kept.vanished[key] = Lost(pin.name, pin.born)
            self._owners.drop(key, kept.file_set.name)
        kept.sum_up()
        return wiped

    def _is_over(self, kept: PinSet, pin: Pin, answer: Answer, asked: float) -> bool:
        pins = self._owners.pins_of(pin.key)
        if answer.size < pin.print[0] and len(kept.truncated) < NAMED:
            kept.truncated[_file_of(pin)] = None
        pin.take(answer, asked, pins)
        return pin.alone and done_with(kept, pin, self._shelf.folder(kept), asked, pins)

    def _remove(self, kept: PinSet, over: list[Pin]) -> None:
        """Remove pins that are done with; what nobody has read of them is counted."""
        # What another pin of the same file still holds is not lost by this one's going.
        away = [pin for pin in over if pin.left and self._owners.pins_of(pin.key) == 1]
        if away:
            self._shelf.give_up(kept, away, "nobody reads them any more")
        self._shelf.unpin(kept, [pin for pin in over if pin not in away])

    def enforce(self) -> None:
        """Keep allowances and floors: give up what exceeds them, pause copies that would."""
        if not self._roots:
            return
        pins = {
            f"{kept.file_set.name}/{pin.name}": (kept, pin)
            for kept in self._sets.values()
            if kept.held_files
            for pin in kept.pins.values()
            if pin.copied or (pin.linked and pin.alone)
        }
        short = self._short(self._roots)
        held = {name: self._held(name, kept, pin) for name, (kept, pin) in pins.items()}
        for kept, why, given in self._exceeding(pins, held, short):
            kept.over = f"its pins exceeded {why}: unread files were given up, see `lost` in status"
            self._shelf.give_up(kept, given, f"its pins exceeded {why}")
            kept.sum_up()
            self._shelf.forget_if_empty(kept)
        self.held = (sum(one.bytes for one in held.values()), len(held))
        self._window()
        full = paused(held.values(), limits=self._limits, short=short)
        crowd = crowded(held.values(), limits=self._limits)
        for kept in self._sets.values():
            kept.full = kept.file_set.name in full
            kept.crowded = kept.file_set.name in crowd

    def _short(self, roots: PinRoots) -> dict[str, Short]:
        """What filesystems lack, but for what was given up for them already.

        What a collector has open takes its space until it lets go: more of it would not help.
        """
        since, found = self._now() - FREED, {}
        for root, lack in roots.short(self._floor).items():
            given = [each for each in self._given.get(root, ()) if each[0] > since]
            self._given[root] = given
            found[root] = Short(
                bytes=max(0, lack.bytes - sum(each[1] for each in given)),
                files=max(0, lack.files - sum(each[2] for each in given)),
            )
        return found

    def _window(self) -> None:
        """Let the collector see only so much unread data that half of an allowance is left.

        What it has not seen can be given up exactly: of a pin that it has opened, lines may be
        under way. The oldest come first.
        """
        room = Room(self._limits)
        for kept in self._sets.values():
            # No collector reads a set that was left: what is unread of it never gets less.
            for pin in kept.pins.values() if kept.held_files and kept.tended else ():
                # Also of files that are still there: they may be gone in a moment.
                unread = pin.left if pin.alone or pin.copied else pin.unread
                if unread and not pin.reserved:
                    room.take(kept, unread)
        for kept in self._sets.values():
            if kept.reserved and kept.surveyed >= 0:  # Before, nobody knows what is unread.
                self._release(kept, room)
            kept.reserve = kept.reserved or room.over_half(kept)

    def _release(self, kept: PinSet, room: Room) -> None:
        reserved = [pin for pin in kept.pins.values() if pin.reserved]
        for pin in sorted(reserved, key=lambda pin: serial_of(pin.name)):
            if room.over_half(kept) or not self._shelf.release(kept, pin):
                return
            room.take(kept, pin.left)
        kept.reserved = False

    def _exceeding(
        self,
        pins: Mapping[str, tuple[PinSet, Pin]],
        held: dict[str, Held],
        short: Mapping[str, Short],
    ) -> Iterator[tuple[PinSet, str, list[Pin]]]:
        """The pins to give up, by file set, each with what was exceeded; `held` keeps the rest."""
        given: dict[tuple[str, str], list[Pin]] = {}
        for victim in victims(held.values(), limits=self._limits, short=short):
            del held[victim.held.pin]
            if victim.held.root in short:
                self._given.setdefault(victim.held.root, []).append(
                    (self._now(), victim.held.bytes, 1)
                )
            given.setdefault((victim.held.file_set, victim.why), []).append(
                pins[victim.held.pin][1]
            )
        for (name, why), those in given.items():
            yield self._sets[name], why, those

    def _held(self, name: str, kept: PinSet, pin: Pin) -> Held:
        filesystem = self._roots.filesystem(kept.root.device) if self._roots and kept.root else ""
        return Held(
            pin=name,
            file_set=kept.file_set.name,
            namespace=kept.namespace,
            root=filesystem,
            bytes=pin.on_disk,
            unread=pin.left,
            serial=serial_of(pin.name),
            removable=pin.alone,
        )


def _file_of(pin: Pin) -> str:
    """The name of a pin's file, as it was when the pin was made."""
    parsed = None if pin.kind is PinKind.DIRECT else parse_pin_name(pin.name)
    return unescape(parsed.path) if parsed else pin.name
