"""The loop's record of every container that declares logs, from first look to retirement."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.claims import Claims, lost_claim
from pilot.drain import SETTLE, Facts, Phase, next_phase
from pilot.fragments import accept_for, inputs_of
from pilot.model import Code, Container, FileSet, Log, Rejection, State
from pilot.saving import Saver
from pilot.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilot.fragments import Fragments
    from pilot.hints import Deadlines
    from pilot.pins.keeper import Keeper
    from pilot.policy import Policy
    from pilot.settings import Settings
    from pilot.state import SavedContainer, StateStore

FIRST_LOOK = 0.1  # seconds that a new container's config waits for the first look at its folders
DIRECT_DRAIN = 60.0  # seconds that the config of a gone container stays in direct mode

ABOUT_FILES = (Code.FILE_CLAIMED, Code.FILE_REFUSED, Code.FOLDER_REFUSED)

log = logging.getLogger(__name__)


class Containers:
    """All tracked containers. Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        policy: Policy,
        store: StateStore,
        keeper: Keeper | None,
        fragments: Fragments,
        refuse: Callable[[Log], Rejection | None],
        deadlines: Deadlines[tuple[str, str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`due` is called with the keys that are set in `deadlines`: (what, container id)."""
        self._settings, self._policy = settings, policy
        self._keeper, self._fragments, self._refuse = keeper, fragments, refuse
        self._deadlines, self._now = deadlines, monotonic
        self._claims = Claims()
        self.tracked: dict[str, Tracked] = {}
        self.saver = Saver(store, self.tracked, monotonic)

    def found(self, container: Container) -> None:
        """A container exists, as it is now."""
        known = self.tracked.get(container.id)
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
        self._set_end(known, before=before is not None and known.gone, gone=gone, left=drain_left)
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
        self.advance(container.id)
        self._converge(changed | {container.id})

    def _update(self, container: Container) -> tuple[Tracked, set[str]]:
        """Take over its logs; returns the record and the file sets that it declares no more."""
        accepted = accept_for(
            container, settings=self._settings, policy=self._policy, refuse=self._refuse
        )
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

    def _set_end(self, known: Tracked, *, before: bool, gone: bool, left: float | None) -> None:
        """Note that its record is gone, which starts the deadline, or there, which lifts it."""
        known.gone, key = gone, ("deadline", known.container.id)
        if not gone:
            known.deadline = None
            self._deadlines.drop(key)
        elif not before:
            limit = self._settings.drain_limit if self._keeper else DIRECT_DRAIN
            known.ended = self._now()  # What was known of its files before proves nothing now.
            known.deadline = self._now() + min(limit if left is None else left, limit)
            self._deadlines.set(key, known.deadline)

    def _tend(self, containers: Iterable[str]) -> None:
        for known in [self.tracked[each] for each in containers if each in self.tracked]:
            for file_set in known.sets:
                if self._keeper and self._claims.owner(file_set.name) == known.container.id:
                    ended = known.container.state is State.ENDED
                    self._keeper.tend(file_set, ended=ended)

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

    def draining_sets(self) -> list[str]:
        """The file sets whose reading matters for the end of a container."""
        return [
            name
            for known in self.tracked.values()
            if known.phase is Phase.DRAINING or (known.gone and known.phase is Phase.DRAINED)
            for name in self._own_sets(known)
        ]

    def advance(self, container_id: str) -> None:
        """Move a container's phase on as far as the facts allow."""
        known = self.tracked[container_id]
        phase = next_phase(known.phase, self._facts(known))
        if phase is known.phase:
            return
        log.info("container %s (%s): %s", container_id[:12], known.container.name, phase)
        known.phase = phase
        if phase is Phase.RETIRING:
            self._give_up(known)
            self._deadlines.set(("retire", container_id), self._now() + SETTLE)

    def _facts(self, known: Tracked) -> Facts:
        own = self._own_sets(known)
        overdue = known.deadline is not None and self._now() >= known.deadline
        keeper = self._keeper
        return Facts(
            ended=known.container.state is State.ENDED,
            gone=known.gone,
            read=keeper is not None and all(keeper.drained(name, known.ended) for name in own),
            leftover=keeper is None or any(pin.alone for n in own for pin in keeper.leftover(n)),
            overdue=overdue,
        )

    def _give_up(self, known: Tracked) -> None:
        if not self._keeper:
            return
        losses = [self._keeper.give_up(name) for name in self._own_sets(known)]
        known.lost = (sum(files for files, _ in losses), sum(size for _, size in losses))
        if known.lost != (0, 0):
            log.error(
                "container %s (%s): deadline: %d files with %d unread bytes are given up",
                known.container.id[:12],
                known.container.name,
                *known.lost,
            )

    def _retire(self, known: Tracked) -> None:
        if known.phase is not Phase.RETIRING or not known.gone:
            return  # It came back.
        container_id = known.container.id
        del self.tracked[container_id]
        self._deadlines.drop(("deadline", container_id))
        winners = self._claims.release(container_id)
        self._fragments.want(known.container, ())
        for each in known.sets:
            self._leave(each.name)
        self._converge(winners)
        self.saver.forget(container_id)

    def _leave(self, name: str) -> None:
        if self._keeper and not self._claims.owner(name):
            self._keeper.leave(name)

    def _converge(self, changed: Iterable[str]) -> None:
        """Write what these containers need now; who lost a file set goes first: none is double."""
        known = [self.tracked[each] for each in changed if each in self.tracked]
        known.sort(key=lambda one: (not one.placed - self._placed(one), one.container.id))
        for each in known:
            owned = self._owned(each)
            if each.waiting and self._keeper:
                looked = all(
                    self._keeper.looked_since(one.name, 0)
                    for each_log in owned
                    for one in each_log.file_sets
                )
                if not looked:
                    continue
            each.waiting = False
            each.placed = self._placed(each)
            place = self._pins_folder if self._keeper else lambda _: None
            inputs = inputs_of(each.container, owned, self._settings, place)
            self._fragments.want(each.container, inputs)
            self._say(each)

    def _placed(self, known: Tracked) -> frozenset[str]:
        """The file sets that can be in its config now."""
        names = (each.name for log in self._owned(known) for each in log.file_sets)
        keeper = self._keeper
        return frozenset(n for n in names if not keeper or keeper.pins_folder(n))

    def _pins_folder(self, file_set: FileSet) -> str | None:
        return self._keeper.pins_folder(file_set.name) if self._keeper else None

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

    def _own_sets(self, known: Tracked) -> list[str]:
        own = known.container.id
        return [each.name for each in known.sets if self._claims.owner(each.name) == own]

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
                    found.append(lost_claim(each, self.tracked[owner].container))
                elif self._keeper:
                    found += self._keeper.notices(file_set.name, each)
        return found
