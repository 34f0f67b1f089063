"""What the daemon answers to `log-pilot explain`: from the loop's records, never waiting there.

The loop gathers what looks and surveys know. How far the collector is and how large a pin is now
is asked on the workers that ask the collector anyway, and whatever does not declare anything is
looked at on a worker as well; while those do not come back, what is known is the answer.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.drain import Phase
from pilot.explaining import MOST_FILES, KnownContainer, KnownSet, answer, explain, not_found
from pilot.explaining.matching import match
from pilot.model import shorten
from pilot.sources import SourceError
from pilot.status.gathering import Asked, gather, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilot.containers import Containers
    from pilot.explaining import Explanation
    from pilot.explaining.matching import Matched
    from pilot.fragments import Fragments
    from pilot.model import Container
    from pilot.piloters import Piloter
    from pilot.pins.keeper import Keeper
    from pilot.settings import Settings
    from pilot.sources import Source
    from pilot.status.server import Making
    from pilot.tracked import Tracked
    from pilot.workers import Workers

MOST_LOOKS = 1_000  # containers without declarations that one question may look at
MOST_OF_ONE = 2_000  # files of one container that are told
LOOKING = 1.5  # seconds that it may take for that


class Explainer:
    """Answers questions about containers. Called on the loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        containers: Containers,
        fragments: Fragments,
        keeper: Keeper,
        piloter: Piloter,
        source: Source,
        readers: Workers,
        looks: Workers,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`readers` ask the collector, `looks` the source; both hand results to the loop."""
        self._settings, self._containers, self._fragments = settings, containers, fragments
        self._keeper, self._piloter, self._source = keeper, piloter, source
        self._readers, self._looks, self._now = readers, looks, monotonic

    def ask(
        self, asked: str, log: str, reply: Callable[[Making], None], *, fresh: bool = True
    ) -> None:
        """Have `reply` called on the loop, later, or without `fresh` at once.

        What it is called with makes the answer of what was gathered; that takes longer than the
        loop should be held up, and uses nothing that changes.
        """
        tracked = self._containers.tracked
        matched = match(asked, (each.container for each in tracked.values()), hints=False)
        if matched.containers:
            known = [tracked[each.id] for each in matched.containers]
            self._explain(asked, log, known, reply=reply, fresh=fresh)
        elif fresh:
            others = [each.container for each in tracked.values()]
            self._looks.submit(
                lambda: among_all(asked, self._source, others),
                lambda found: self._looked(asked, log, found, reply),
            )
        else:
            why = f"{matched.sentence} The source of containers has not answered either."
            reply(lambda: not_found(asked, why, matched.near, log=log, live=True))

    def _explain(
        self,
        asked: str,
        log: str,
        known: Sequence[Tracked],
        *,
        reply: Callable[[Making], None],
        fresh: bool,
    ) -> None:
        gathered = [self._gather(each) for each in known]

        def done(result: Mapping[str, KnownSet] | Exception) -> None:
            problem = str(result) if isinstance(result, Exception) else ""
            sets = {} if isinstance(result, Exception) else result
            making = [
                self._making(each, here, sets, problem)
                for each, (here, _) in zip(known, gathered, strict=True)
            ]
            reply(lambda: answer(asked, [each() for each in making], log=log, live=True))

        questions = [one for _, asks in gathered for one in asks]
        if fresh and questions:
            self._readers.submit(lambda: measure(questions, self._piloter), done)
        else:
            done({})

    def _making(
        self, known: Tracked, here: KnownContainer, sets: Mapping[str, KnownSet], problem: str
    ) -> Callable[[], Explanation]:
        """What explains a container as it is now, whenever it is called."""
        measured = {name: sets.get(name, one) for name, one in here.sets.items()}
        return functools.partial(
            explain,
            known.container,
            settings=self._settings,
            logs=known.logs,
            rejections=self._containers.rejections(known),
            known=replace(here, sets=measured, unread_records=problem or here.unread_records),
        )

    def _gather(self, known: Tracked) -> tuple[KnownContainer, list[Asked]]:
        sets: dict[str, KnownSet] = {}
        asks: list[Asked] = []
        most = max(1, min(MOST_FILES, MOST_OF_ONE // max(1, len(known.sets))))
        for declared in known.logs:
            for file_set in declared.file_sets:
                owner = self._containers.owner(file_set.name)
                if owner and owner != known.container.id:
                    other = self._containers.tracked.get(owner)
                    name = other.container.name if other else owner
                    sets[file_set.name] = KnownSet(owner=f"{name} ({owner[:12]})")
                    continue
                ended = None if known.phase in (Phase.RUNNING, Phase.RETIRING) else known.ended
                made = gather(
                    known.container,
                    declared,
                    file_set,
                    keeper=self._keeper,
                    settings=self._settings,
                    ended=ended,
                    phase=known.phase,
                    most=most,
                )
                sets[file_set.name] = made.known
                asks.append(made)
        container_id = known.container.id
        deadline = None if known.deadline is None else max(0.0, known.deadline - self._now())
        here = KnownContainer(
            live=True,
            sets=sets,
            phase=known.phase,
            gone=known.gone,
            deadline_in=deadline,
            lost_files=known.lost[0],
            lost_bytes=known.lost[1],
            fragments=self._files(container_id),
            unwritten=self._fragments.problem if container_id in self._fragments.unwritten else "",
            unread_records=self._keeper.surveyor.problem,
            blocked=self._keeper.surveyor.blocked,
        )
        return here, asks

    def _files(self, container_id: str) -> tuple[str, ...]:
        wanted = self._fragments.wanted
        if container_id not in wanted:
            return ()
        files = self._piloter.files({container_id}, wanted)
        folder = self._piloter.directory
        return tuple(str(folder / name) for name, text in sorted(files.items()) if text is not None)

    def _looked(
        self, asked: str, log: str, found: Matched | Exception, reply: Callable[[Making], None]
    ) -> None:
        """What the source said of containers that declare nothing."""
        if isinstance(found, Exception):
            why = (
                f"no container that declares logs is called {shorten(asked)!r}. The source: {found}"
            )
            reply(lambda: not_found(asked, why, log=log, live=True))
        elif not found.containers:
            reply(lambda: not_found(asked, found.sentence, found.near, log=log, live=True))
        else:
            making = [
                functools.partial(explain, each, settings=self._settings, logs=(), rejections=())
                for each in found.containers
            ]
            reply(lambda: answer(asked, [each() for each in making], log=log, live=True))


def among_all(asked: str, source: Source, tracked: Sequence[Container]) -> Matched:
    """Who is meant, of the containers that are tracked and of those that only the source knows.

    Runs on a worker. Raises SourceError.
    """
    until = time.monotonic() + LOOKING
    have = {each.id for each in tracked}
    ids = sorted(each for each in source.list() if each not in have)
    ids.sort(key=lambda one: not one.startswith(asked))
    found: list[Container] = []
    for container_id in ids[:MOST_LOOKS]:
        try:
            one = source.look(container_id)
        except SourceError:
            continue  # It may be gone, or be another's trouble: the question is about one.
        if one:
            found.append(one)
        if time.monotonic() >= until or (one and one.id == asked):
            break
    return match(asked, [*tracked, *found])
