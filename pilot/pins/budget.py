"""What pins may hold: who gives something up when an allowance or a filesystem's floor is broken.

Pure. Only pins that hold something count: links whose original is gone, and all copies.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from pilot.settings import Allowance

_SET, _NAMESPACE, _NODE, _ROOT = range(4)  # what a group of pins has in common

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Held:
    """One pin that holds what would be gone without it.

    `pin` is unique. `namespace` is "" outside Kubernetes, where there is no limit for one. `root`
    stands for the pin's filesystem: pin roots on one filesystem share one name. `bytes` is what
    removing the pin would free; `unread` what the collector has not read of it. A pin is
    `removable` when its original is gone.
    """

    pin: str
    file_set: str
    namespace: str
    root: str
    bytes: int
    unread: int
    serial: int
    removable: bool


@dataclass(frozen=True, slots=True)
class Short:
    """How much a filesystem lacks to its floor."""

    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What each file set, each namespace and the whole node may hold."""

    set: Allowance
    namespace: Allowance
    node: Allowance


@dataclass(frozen=True, slots=True)
class Victim:
    """A pin to be given up, and why: what was exceeded, as in "its pins exceeded …"."""

    held: Held
    why: str


@dataclass(frozen=True, slots=True)
class _Budget:
    """One group of pins that together hold more than `room`, measured by `amount`."""

    pins: list[Held]
    amount: Callable[[Held], int]
    room: int
    why: str
    floor: bool  # a floor comes before fairness: the kubelet would evict pods of all tenants


def victims(held: Iterable[Held], *, limits: Limits, short: Mapping[str, Short]) -> list[Victim]:
    """The removable pins to give up, so that all allowances hold and no filesystem is short.

    The file set that holds most (of what is over: bytes or files) pays first, until it holds as
    much as the next largest, and so on. Of one set the pins that are read go first, then the newest
    (the highest serial): what was kept first stays, and the log has one gap. Over an allowance only
    sets above their fair share pay (max-min fairness): if what is over are live copies, which are
    never removed but pause, then no other set pays for them. A floor is kept at everybody's cost.
    """
    pins = list(held)
    gone: set[str] = set()
    found: list[Victim] = []
    for budget in _exceeded(pins, limits, short):
        for pin in _payers(budget, gone):
            gone.add(pin.pin)
            found.append(Victim(pin, budget.why))
    return found


def paused(held: Iterable[Held], *, limits: Limits, short: Mapping[str, Short]) -> set[str]:
    """The file sets whose copies may not grow now; give it what is left without the victims.

    A set pauses when it holds as many bytes as it may, when its namespace or the node does and it
    holds at least its fair share of that, and when a filesystem that holds any of its pins is
    short. How many files it holds does not matter: a copy that grows adds none.
    """
    budgets = _exceeded(list(held), limits, short, reached=True)
    return _blamed(budget for budget in budgets if budget.floor or budget.amount is _bytes)


def crowded(held: Iterable[Held], *, limits: Limits) -> set[str]:
    """The file sets that may begin no new copy, because they hold as many files as they may."""
    budgets = _exceeded(list(held), limits, {}, reached=True)
    return _blamed(budget for budget in budgets if budget.amount is _one)


def _blamed(budgets: Iterable[_Budget]) -> set[str]:
    found: set[str] = set()
    for budget in budgets:
        holds = _holds(budget, ())
        share = 0 if budget.floor else _fair_share(holds.values(), budget.room)
        found.update(name for name, amount in holds.items() if amount >= share)
    return found


def _bytes(pin: Held) -> int:
    return pin.bytes


def _one(_: Held) -> int:
    return 1


def _exceeded(
    pins: list[Held], limits: Limits, short: Mapping[str, Short], *, reached: bool = False
) -> Iterator[_Budget]:
    """The budgets that are exceeded (or `reached`), from the smallest group to the largest."""
    lacking = {root: lack for root, lack in short.items() if lack.bytes > 0 or lack.files > 0}
    groups = _groups(pins, lacking)
    allowed = {
        _SET: (limits.set, "the file set"),
        _NAMESPACE: (limits.namespace, "the namespace"),
        _NODE: (limits.node, "the node"),
    }
    for scope, key in sorted(groups):
        group = groups[scope, key]
        total, files = sum(map(_bytes, group)), len(group)
        if scope == _ROOT:
            yield from _to_the_floor(group, key, lacking[key])
            continue
        room, who = allowed[scope]
        if total + reached > room.bytes:
            why = f"{who}'s allowance of {size(room.bytes)}"
            yield _Budget(group, _bytes, room.bytes, why, floor=False)
        if files + reached > room.files:
            why = f"{who}'s allowance of {room.files} files"
            yield _Budget(group, _one, room.files, why, floor=False)


def _groups(pins: list[Held], lacking: Container[str]) -> dict[tuple[int, str], list[Held]]:
    """The pins by what they have in common, in one pass."""
    groups: dict[tuple[int, str], list[Held]] = {}
    for pin in pins:
        groups.setdefault((_SET, pin.file_set), []).append(pin)
        if pin.namespace:
            groups.setdefault((_NAMESPACE, pin.namespace), []).append(pin)
        if pin.root in lacking:
            groups.setdefault((_ROOT, pin.root), []).append(pin)
    if pins:
        groups[_NODE, ""] = pins
    return groups


def _to_the_floor(group: list[Held], root: str, lack: Short) -> Iterator[_Budget]:
    if lack.bytes > 0:
        why = f"the room on the filesystem of {root} by {size(lack.bytes)}"
        yield _Budget(group, _bytes, sum(map(_bytes, group)) - lack.bytes, why, floor=True)
    if lack.files > 0:
        why = f"the room on the filesystem of {root} by {lack.files} inodes"
        yield _Budget(group, _one, len(group) - lack.files, why, floor=True)


def _payers(budget: _Budget, gone: set[str]) -> Iterator[Held]:
    """What is given up for one budget beside what is `gone` already."""
    holds = _holds(budget, gone)
    over = sum(holds.values()) - budget.room
    if over <= 0:
        return
    share = 0 if budget.floor else _fair_share(holds.values(), budget.room)
    queues: dict[str, list[Held]] = {}
    for pin in budget.pins:
        if pin.removable and budget.amount(pin) > 0 and pin.pin not in gone:
            queues.setdefault(pin.file_set, []).append(pin)
    for queue in queues.values():
        queue.sort(key=lambda pin: (pin.unread <= 0, pin.serial, pin.pin))  # The last pays first.
    largest = [(-holds[name], name) for name in queues]
    heapq.heapify(largest)
    while over > 0 and largest:
        amount, name = heapq.heappop(largest)
        if -amount <= share:
            return
        pin = queues[name].pop()
        over -= budget.amount(pin)
        if queues[name]:
            heapq.heappush(largest, (amount + budget.amount(pin), name))
        yield pin


def _holds(budget: _Budget, gone: Iterable[str]) -> dict[str, int]:
    holds: dict[str, int] = {}
    for pin in budget.pins:
        if pin.pin not in gone:
            holds[pin.file_set] = holds.get(pin.file_set, 0) + budget.amount(pin)
    return holds


def _fair_share(holds: Iterable[int], room: int) -> int:
    """What each may hold so that all fit: those that hold less leave the rest to the others."""
    smallest_first = sorted(holds)
    left, share = max(room, 0), 0
    for index, amount in enumerate(smallest_first):
        share = left // (len(smallest_first) - index)
        if amount > share:
            return share
        left -= amount
    return max(smallest_first, default=0)


def size(amount: int) -> str:
    """A number of bytes for a message: `1.5 GiB`."""
    unit = min(max(amount.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    if not unit:
        return f"{amount} {UNITS[0]}"
    return f"{amount / (1 << 10 * unit):.1f} {UNITS[unit]}".replace(".0 ", " ")
