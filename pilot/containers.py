"""The loop's record of every container that declares logs, from first look to retirement."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.claims import Claims, lost_claim
from pilot.drain import SETTLE, Facts, Phase, next_phase
from pilot.fragments import accept_for, inputs_of
from pilot.model import Container, FileSet, Log, Rejection, State
from pilot.state import SavedContainer
from pilot.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilot.fragments import Fragments
    from pilot.pins.keeper import Keeper
    from pilot.policy import Policy
    from pilot.settings import Settings
    from pilot.state import StateStore

FIRST_LOOK = 0.1  # seconds that a new container's config waits for the first look at its folders
DIRECT_DRAIN = 60.0  # seconds that the config of a gone container stays in direct mode

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
        later: Callable[[tuple[str, str], float], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`later((what, container id), seconds)` asks to have `due` called."""
        self._settings, self._policy, self._store = settings, policy, store
        self._keeper, self._fragments, self._refuse = keeper, fragments, refuse
        self._later, self._now = later, monotonic
        self._claims = Claims()
        self._unsaved: set[str] = set()
        self.tracked: dict[str, Tracked] = {}

    def found(self, container: Container, *, gone: bool = False) -> None:
        """A container exists, as it is now."""
        known = self.tracked.get(container.id)
        if known and known.container == container and known.gone == gone:
            return
        if known and known.gone != gone:
            known.gone, known.deadline = gone, None
        accepted = accept_for(
            container, settings=self._settings, policy=self._policy, refuse=self._refuse
        )
        logs, rejections = accepted.logs, accepted.rejections
        new = not known
        if not known:
            known = self.tracked[container.id] = Tracked(container, logs, rejections, gone=gone)
            self._later(("first-look", container.id), FIRST_LOOK)
        before, left = known.container.state, {each.name for each in known.sets}
        known.container, known.logs, known.rejections = container, logs, rejections
        left -= {each.name for each in known.sets}
        if container.state is State.ENDED and (before is not State.ENDED or not known.ended):
            known.ended = self._now()
        self._unsaved.add(container.id)
        changed = self._claims.claim(container, (each.name for each in known.sets))
        for name in left:
            self._leave(name)
        for file_set in known.sets:
            if self._keeper and self._claims.owner(file_set.name) == container.id:
                self._keeper.tend(file_set)
        if new:
            log.info("container %s (%s): %s", container.id[:12], container.name, known.summary)
            # Before its config, so that a kill in between leaves no config that nobody knows.
            self._save_one(known, durable=False)
        self.advance(container.id)
        self._converge(changed | {container.id})

    def missing(self, container_id: str) -> None:
        """The runtime said that a container does not exist any more."""
        known = self.tracked.get(container_id)
        if not known or known.gone:
            return
        self.found(replace(known.container, state=State.ENDED), gone=True)
        limit = self._settings.drain_limit if self._keeper else DIRECT_DRAIN
        left = known.drain_left if known.drain_left is not None else limit
        known.gone, known.deadline = True, self._now() + min(left, limit)
        self._unsaved.add(container_id)
        self._later(("deadline", container_id), min(left, limit))
        log.info("container %s (%s) is gone", container_id[:12], known.container.name)
        self.advance(container_id)

    def restore(self, saved: SavedContainer) -> None:
        """A container from before a restart; a fresh look follows."""
        self.found(saved.container, gone=saved.gone)
        known = self.tracked[saved.container.id]
        known.drain_left = saved.drain_left
        if saved.gone:
            known.gone = False
            self.missing(saved.container.id)

    def due(self, key: tuple[str, str]) -> None:
        """Something asked for with `later` has come."""
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
        phases = (Phase.DRAINING, Phase.DRAINED)
        return [
            name
            for known in self.tracked.values()
            if known.phase is Phase.DRAINING or (known.gone and known.phase in phases)
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
        self._unsaved.add(container_id)
        if phase is Phase.RETIRING:
            self._give_up(known)
            self._later(("retire", container_id), SETTLE)

    def _facts(self, known: Tracked) -> Facts:
        own = self._own_sets(known)
        overdue = known.deadline is not None and self._now() >= known.deadline
        keeper = self._keeper
        return Facts(
            ended=known.container.state is State.ENDED,
            gone=known.gone,
            read=keeper is not None
            and all(keeper.looked_since(n, known.ended) and keeper.drained(n) for n in own),
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
        if known.phase is not Phase.RETIRING:
            return  # It came back.
        container_id = known.container.id
        del self.tracked[container_id]
        self._unsaved.discard(container_id)
        winners = self._claims.release(container_id)
        self._fragments.want(known.container, ())
        for each in known.sets:
            self._leave(each.name)
        self._converge(winners)
        self._store.forget_container(container_id)

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
            if (text := str(each)) not in known.said:
                known.said.add(text)
                word = "notice" if each.notice else "rejected"
                log.warning("container %s: %s: %s", known.container.name, word, text)

    def save(self) -> None:
        """Save what changed; what cannot be saved is tried again."""
        for container_id in list(self._unsaved):
            if not self._save_one(self.tracked[container_id]):
                return
            self._unsaved.discard(container_id)

    def _save_one(self, known: Tracked, *, durable: bool = True) -> bool:
        left = None if known.deadline is None else max(0.0, known.deadline - self._now())
        saved = SavedContainer(known.container, known.gone, left)
        return self._store.save_container(saved, durable=durable)

    def save_deadlines(self) -> None:
        """Save the remaining seconds of what drains, so that a restart does not start over."""
        self._unsaved |= {one for one, known in self.tracked.items() if known.deadline is not None}
        self.save()

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
