"""How the end of each container gets on: what decides, its deadline, what is given up at it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pilot.drain import DIRECT, DIRECT_MOUNTED, PUT_OFF, SETTLE, Facts, Phase, next_phase
from pilot.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilot.claims import Claims
    from pilot.hints import Deadlines
    from pilot.pins.keeper import Keeper
    from pilot.settings import Settings
    from pilot.tracked import Tracked

ASK = 5.0  # seconds that a restart leaves at least, to ask what is unread before it is given up

log = logging.getLogger(__name__)


class Endings:
    """Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        keeper: Keeper,
        claims: Claims,
        deadlines: Deadlines[tuple[str, str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set ("deadline", id) and ("retire", id) in `deadlines`."""
        self._settings, self._keeper, self._claims = settings, keeper, claims
        self._deadlines, self._now = deadlines, monotonic

    def note(self, known: Tracked, *, before: bool, gone: bool, left: float | None) -> None:
        """Note that its record is gone, which starts the deadline, or there, which lifts it.

        `left` are the seconds that a restart of the pilot left of the deadline.
        """
        known.gone, key = gone, ("deadline", known.container.id)
        if not gone:
            known.deadline = None
            self._deadlines.drop(key)
        elif not before:
            limit, now = self._limit(known), self._now()
            known.ended = now  # What was known of its files before proves nothing now.
            left = limit if left is None else max(left, ASK)
            known.deadline = now + min(left, limit)
            known.latest = now + PUT_OFF * limit
            self._deadlines.set(key, known.deadline)

    def take_over(self, known: Tracked) -> None:
        """Note which file sets it owns; to be called before they are looked at.

        What another container left to one that is gone has to be read too, from now on.
        """
        owned = frozenset(self.own_sets(known))
        if owned - known.owned and known.gone:
            known.ended = self._now()
            if known.phase is Phase.RETIRING:
                known.phase = Phase.DRAINING
        known.owned = owned

    def advance(self, known: Tracked) -> None:
        """Move a container's phase on as far as the facts allow."""
        phase = next_phase(known.phase, self._facts(known))
        if phase is known.phase:
            return
        log.info("container %s (%s): %s", known.container.id[:12], known.container.name, phase)
        known.phase = phase
        if phase is Phase.RETIRING:
            self._give_up(known)
            self._deadlines.set(("retire", known.container.id), self._now() + SETTLE)

    def put_off(self, tracked: Iterable[Tracked], seconds: float) -> None:
        """The collector got on with nothing for so long: deadlines come later by that.

        Not where an open file keeps a volume from being unmounted.
        """
        for known in tracked:
            if known.deadline is not None and (self._settings.pin or not self._mounted(known)):
                known.deadline = max(known.deadline, min(known.deadline + seconds, known.latest))
                self._deadlines.set(("deadline", known.container.id), known.deadline)

    def own_sets(self, known: Tracked) -> list[str]:
        """Its file sets that no other container has."""
        own = known.container.id
        return [each.name for each in known.sets if self._claims.owner(each.name) == own]

    def _limit(self, known: Tracked) -> float:
        if self._settings.pin:
            return self._settings.drain_limit
        return DIRECT_MOUNTED if self._mounted(known) else DIRECT

    def _mounted(self, known: Tracked) -> bool:
        """Whether a volume waits for the collector to let go of its files."""
        places = (self._keeper.place(each.name) for each in known.sets)
        return any(place and place.mounted for place in places)

    def _facts(self, known: Tracked) -> Facts:
        own, keeper = self.own_sets(known), self._keeper
        return Facts(
            ended=known.container.state is State.ENDED,
            gone=known.gone,
            read=all(keeper.drained(name, known.ended) for name in own),
            leftover=any(keeper.leftover(name) for name in own),
            overdue=known.deadline is not None and self._now() >= known.deadline,
        )

    def _give_up(self, known: Tracked) -> None:
        why = f"container {known.container.name} is gone and over its drain limit"
        for name in self.own_sets(known):
            lost = self._keeper.give_up(name, why)
            known.lost = (known.lost[0] + lost.files, known.lost[1] + lost.bytes)
