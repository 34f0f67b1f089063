"""The loop's record of every container that declares logs, from first look to retirement."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.acceptance import Acceptance
from pilot.claims import Claims, lost_claim
from pilot.drain import Phase
from pilot.endings import Endings
from pilot.fragments import inputs_of
from pilot.model import Code, Container, Log, Rejection, State
from pilot.saving import Saver
from pilot.symlinks import Symlinks
from pilot.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pilot.fragments import Fragments
    from pilot.hints import Deadlines
    from pilot.pins.keeper import Keeper
    from pilot.pins.record import Place
    from pilot.policy import Policy
    from pilot.settings import Settings
    from pilot.state import SavedContainer, StateStore

FIRST_LOOK = 0.1  # seconds that a new container's config waits for the first look at its folders
ABOUT_FILES = (
    Code.ALLOWANCE,
    Code.FILE_CLAIMED,
    Code.FILE_REFUSED,
    Code.FILE_TRUNCATED,
    Code.FOLDER_REFUSED,
)

log = logging.getLogger(__name__)


class Containers:
    """All tracked containers. Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        policy: Callable[[], Policy],
        store: StateStore,
        keeper: Keeper,
        fragments: Fragments,
        refuse: Callable[[Log], Sequence[Rejection]],
        deadlines: Deadlines[tuple[str, str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`due` is called with the keys that are set in `deadlines`: (what, container id).

        `policy` gives the one that is in force now.
        """
        self._settings, self._keeper, self._fragments = settings, keeper, fragments
        self._deadlines, self._now = deadlines, monotonic
        self._acceptance = Acceptance(settings, policy, refuse)
        self._claims, self._symlinks = Claims(), Symlinks(settings)
        self._endings = Endings(
            settings=settings,
            keeper=keeper,
            claims=self._claims,
            deadlines=deadlines,
            monotonic=monotonic,
        )
        self.tracked: dict[str, Tracked] = {}
        self.saver = Saver(store, self.tracked, monotonic)

    def found(self, container: Container) -> None:
        """A container exists, as it is now."""
        known = self.tracked.get(container.id)
        if known and not container.rootfs:  # Of an ended one the runtime may not tell it any more.
            container = replace(container, rootfs=known.container.rootfs)
        if not known or known.container != container or known.gone:
            self._take(container, gone=False)

    def missing(self, container_id: str) -> None:
        """The runtime said that a container does not exist any more."""
        known = self.tracked.get(container_id)
        if known and not known.gone:
            log.info("container %s (%s) is gone", container_id[:12], known.container.name)
            self._take(replace(known.container, state=State.ENDED), gone=True)

    def restore(self, saved: SavedContainer, drain_left: float | None) -> None:
        """A container from before a restart; a fresh look follows. Seconds left of its deadline."""
        self._take(saved.container, gone=saved.gone, drain_left=drain_left, restored=True)

    def restored(self) -> None:
        """Everything of before a restart was given to `restore`."""
        self._symlinks.sweep(self.tracked)

    def review(self, container_id: str) -> None:
        """Another policy is in force: make what follows from it true of one container."""
        if known := self.tracked.get(container_id):
            accepted = self._acceptance.ask(known.container)
            if (accepted.logs, accepted.rejections) != (known.logs, known.rejections):
                self._take(known.container, gone=known.gone)

    def _take(
        self,
        container: Container,
        *,
        gone: bool,
        drain_left: float | None = None,
        restored: bool = False,
    ) -> None:
        """Make everything follow from what a look said of one container."""
        before = self.tracked.get(container.id)
        known, left = self._update(container)
        was_gone = before is not None and known.gone
        self._endings.note(known, before=was_gone, gone=gone, left=drain_left)
        if known.logs and not gone:
            self._symlinks.want(container)
        else:
            self._symlinks.drop(container.id)
        changed = self._claims.claim(container, (each.name for each in known.sets))
        for name in left:
            self._leave(name)
        self._tend(changed | {container.id})
        if not before:
            log.info("container %s (%s): %s", container.id[:12], container.name, known.summary)
        if not restored:
            self.saver.note(container.id)
            if not before:  # A kill right after its config must leave no config that nobody knows.
                self.saver.save_first(known)
        for each in sorted(changed | {container.id}):
            self.advance(each)
        self._converge(changed | {container.id})
        for other in self._acceptance.waiting_for(container):
            self._deadlines.set(("review", other), self._now())

    def _update(self, container: Container) -> tuple[Tracked, set[str]]:
        """Take over its logs; returns the record and the file sets that it declares no more."""
        accepted = self._acceptance.take(container)
        known = self.tracked.get(container.id)
        if not known:
            known = self.tracked[container.id] = Tracked(container, (), ())
            self._deadlines.set(("first-look", container.id), self._now() + FIRST_LOOK)
        before, ended = {each.name for each in known.sets}, known.container.state is State.ENDED
        known.container, known.logs = container, accepted.logs
        known.rejections = accepted.rejections
        if container.state is State.ENDED and not (ended and known.ended):
            known.ended = self._now()
        return known, before - {each.name for each in known.sets}

    def _tend(self, containers: Iterable[str]) -> None:
        for known in [self.tracked[each] for each in containers if each in self.tracked]:
            self._endings.take_over(known)
            for file_set in known.sets:
                if self._claims.owner(file_set.name) == known.container.id:
                    ended = known.container.state is State.ENDED
                    pod = known.container.pod
                    namespace = pod.namespace if pod else ""
                    streams = known.streams(file_set)
                    self._keeper.tend(file_set, ended=ended, namespace=namespace, streams=streams)

    def due(self, key: tuple[str, str]) -> None:
        """A deadline that was set for a container has come."""
        what, container_id = key
        known = self.tracked.get(container_id)
        if not known:
            return
        if what == "first-look":
            known.waiting = False
            self._converge({container_id})
        elif what == "retire":
            self._retire(known)
        elif what == "review":
            self.review(container_id)
        else:
            self.advance(container_id)

    def set_changed(self, name: str) -> None:
        """A file set was looked at or surveyed."""
        owner = self._claims.owner(name)
        known = self.tracked.get(owner) if owner else None
        if owner and known:
            self.advance(owner)
            if known.waiting or known.placed != self._placed(known):
                self._converge({owner})
            else:
                self._say(known)

    def put_off(self, seconds: float) -> None:
        """The collector got on with nothing for so long: deadlines come later by that."""
        self._endings.put_off(self.tracked.values(), seconds)

    def draining_sets(self) -> list[str]:
        """The file sets whose reading matters for the end of a container."""
        return [
            name
            for known in self.tracked.values()
            if known.phase is Phase.DRAINING or (known.gone and known.phase is Phase.DRAINED)
            for name in self._endings.own_sets(known)
        ]

    def advance(self, container_id: str) -> None:
        """Move a container's phase on as far as the facts allow."""
        if known := self.tracked.get(container_id):
            self._endings.advance(known)

    def _retire(self, known: Tracked) -> None:
        if known.phase is not Phase.RETIRING or not known.gone:
            return  # It came back.
        container_id = known.container.id
        del self.tracked[container_id]
        self._acceptance.forget(known.container)
        self._deadlines.drop(("deadline", container_id))
        self._symlinks.drop(container_id)
        winners = self._claims.release(container_id)
        self._fragments.want(known.container, ())
        for each in known.sets:
            self._leave(each.name)
        self._tend(winners)
        self._converge(winners)
        self.saver.forget(container_id)

    def _leave(self, name: str) -> None:
        if not self._claims.owner(name):
            self._keeper.leave(name)

    def _converge(self, changed: Iterable[str]) -> None:
        """Write what these containers need now; who lost a file set goes first: none is double."""
        known = [self.tracked[each] for each in changed if each in self.tracked]
        known.sort(key=lambda one: (not one.placed - self._placed(one), one.container.id))
        for each in known:
            owned = self._owned(each)
            if each.waiting:
                looked = all(
                    self._keeper.looked_since(one.name, 0)
                    for each_log in owned
                    for one in each_log.file_sets
                )
                if not looked:
                    continue
            each.waiting = False
            each.placed = self._placed(each)
            inputs = inputs_of(each.container, owned, self._settings, dict(each.placed))
            self._fragments.want(each.container, inputs)
            self._say(each)

    def _placed(self, known: Tracked) -> frozenset[tuple[str, Place]]:
        """The file sets that can be in its config now, and where the collector finds them."""
        names = (each.name for log in self._owned(known) for each in log.file_sets)
        return frozenset((n, place) for n in names if (place := self._keeper.place(n)))

    def _say(self, known: Tracked) -> None:
        """Put new rejections into the log, once each."""
        for each in self.rejections(known):
            # A file's name is the tenant's to change, again and again: its kind is said once.
            text = f"{each.log} {each.code}" if each.code in ABOUT_FILES else str(each)
            if text not in known.said:
                known.said.add(text)
                word = "notice" if each.notice else "rejected"
                log.warning("container %s: %s: %s", known.container.name, word, each)

    def owner(self, name: str) -> str | None:
        """The container that owns a file set."""
        return self._claims.owner(name)

    @property
    def waiting(self) -> bool:
        """Whether some container's config has not been written for the first time."""
        return any(known.waiting for known in self.tracked.values())

    def _owned(self, known: Tracked) -> list[Log]:
        """Its logs with only those file sets that it owns."""
        own = known.container.id
        logs = []
        for each in known.logs:
            sets = tuple(s for s in each.file_sets if self._claims.owner(s.name) == own)
            if sets:
                logs.append(replace(each, file_sets=sets))
        return logs

    def rejections(self, known: Tracked) -> list[Rejection]:
        """Everything that is refused or noticed for a container now."""
        found = list(known.rejections)
        for each in known.logs:
            for file_set in each.file_sets:
                owner = self._claims.owner(file_set.name)
                if owner and owner != known.container.id and owner in self.tracked:
                    winner = self.tracked[owner].container
                    found.append(lost_claim(each, winner, known.container))
                else:
                    found += self._keeper.notices(file_set.name, each)
        return found
