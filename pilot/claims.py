"""One owner per file set: the running container first, then the earliest, then by id.

Among the running, ownership is recomputed from all claims whenever one changes, so it does not
depend on the order in which they were seen, and a hand-over happens in one step. When none of them
runs any more the last owner keeps the set: what there is left to read is its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.model import Code, Container, Rejection, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilot.model import Log

Rank = tuple[bool, str, str]  # the smallest wins


def rank(container: Container) -> Rank:
    """How strong a container's claims are."""
    return (container.state is not State.RUNNING, container.created, container.id)


class Claims:
    """Who claims which file sets. Used by the one loop only."""

    def __init__(self) -> None:
        self._ranks: dict[str, Rank] = {}
        self._sets: dict[str, set[str]] = {}  # container → file sets
        self._claimants: dict[str, set[str]] = {}  # file set → containers
        self._owners: dict[str, str] = {}  # file set → container

    def claim(self, container: Container, sets: Iterable[str]) -> set[str]:
        """Replace a container's claims; returns the containers that won or lost a set by it."""
        wanted = set(sets)
        concerned = wanted | self._sets.get(container.id, set())
        before = {name: self.owner(name) for name in concerned}
        for name in self._sets.get(container.id, set()) - wanted:
            self._leave(name, container.id)
        self._ranks[container.id] = rank(container)
        self._sets[container.id] = wanted
        for name in wanted:
            self._claimants.setdefault(name, set()).add(container.id)
        return self._changed(before)

    def release(self, container_id: str) -> set[str]:
        """Drop a container's claims; returns the other containers that won a set by it."""
        sets = self._sets.pop(container_id, set())
        before = {name: self.owner(name) for name in sets}
        for name in sets:
            self._leave(name, container_id)
        self._ranks.pop(container_id, None)
        return self._changed(before) - {container_id}

    def owner(self, name: str) -> str | None:
        """The container that owns a file set; None if nobody claims it."""
        return self._owners.get(name)

    def _decide(self, name: str) -> str | None:
        """Who owns a file set from now on."""
        claimants = self._claimants.get(name, set())
        first = min(claimants, key=lambda each: self._ranks[each], default=None)
        last = self._owners.get(name)
        nobody_runs = first is not None and self._ranks[first][0]
        owner = last if nobody_runs and last in claimants else first
        if owner is None:
            self._owners.pop(name, None)
        else:
            self._owners[name] = owner
        return owner

    def _leave(self, name: str, container_id: str) -> None:
        claimants = self._claimants[name]
        claimants.discard(container_id)
        if not claimants:
            del self._claimants[name]

    def _changed(self, before: dict[str, str | None]) -> set[str]:
        changed: set[str] = set()
        for name, old in before.items():
            new = self._decide(name)
            if new != old:
                changed.update(each for each in (old, new) if each)
        return changed


def lost_claim(log: Log, winner: Container, loser: Container | None = None) -> Rejection:
    """The rejection for a log whose file set another container owns; it names the winner.

    A notice where one annotation of their pod is for both: its files are collected, once.
    """
    pod = loser.pod if loser else None
    other = winner.pod
    shared = pod and other and pod.key == other.key and log.key in pod.annotations
    return Rejection(
        code=Code.CLAIMED,
        key=log.key,
        log=log.name,
        reason=(
            f"its files are already collected for container {winner.name} ({winner.id[:12]}); "
            "each file has one owner on a node"
        ),
        notice=bool(shared),
    )
