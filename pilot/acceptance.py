"""What is accepted of each tracked container, by the policy that is in force and its pod's room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.accept import accept
from pilot.model import Code, State
from pilot.policy import COLLECT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot.accept import Accepted
    from pilot.model import Container, Log, Rejection
    from pilot.policy import Policy
    from pilot.settings import Settings


Rank = tuple[str, str]  # when it was created, and its id; the smallest has room first


class Rooms:
    """How many logs each pod has now, for the limit on all of its containers together.

    Who was made first has room, in whatever order they are seen. Used by the one loop only.
    """

    def __init__(self) -> None:
        self._taken: dict[str, dict[Rank, int]] = {}  # pod → container → logs

    def left(self, container: Container, limit: int | None) -> int | None:
        """How many logs a container may have behind the earlier ones of its pod; None: any number.

        What ended takes no room: it is only read to its end, and its successor is there.
        """
        pod = _pod(container)
        if limit is None or pod is None or container.state is State.ENDED:
            return None
        own = _rank(container)
        return max(0, limit - sum(n for each, n in self._taken.get(pod, {}).items() if each < own))

    def note(self, container: Container, logs: int) -> None:
        """A container has so many logs now."""
        self.forget(container)
        pod = _pod(container)
        if pod is not None and logs and container.state is not State.ENDED:
            self._taken.setdefault(pod, {})[_rank(container)] = logs

    def behind(self, container: Container) -> set[str]:
        """The containers of its pod whose room depends on it: those that were made later."""
        pod, own = _pod(container), _rank(container)
        return {each[1] for each in self._taken.get(pod or "", {}) if each > own}

    def forget(self, container: Container) -> None:
        """A container has none any more."""
        pod = _pod(container)
        if pod is not None and pod in self._taken:
            self._taken[pod].pop(_rank(container), None)
            if not self._taken[pod]:
                del self._taken[pod]


def _pod(container: Container) -> str | None:
    return container.pod.key if container.pod else None


def _rank(container: Container) -> Rank:
    return (container.created, container.id)


class Acceptance:
    """Judges containers one by one and remembers whose pod had no room. Used by the loop only."""

    def __init__(
        self,
        settings: Settings,
        policy: Callable[[], Policy],
        refuse: Callable[[Log], Sequence[Rejection]],
    ) -> None:
        """`policy` gives the one that is in force now, `refuse` what the collector cannot do."""
        self._settings, self._policy, self._refuse = settings, policy, refuse
        self._rooms = Rooms()
        self._crowded: dict[str, set[str]] = {}  # pod → containers that want more room there

    def ask(self, container: Container) -> Accepted:
        """What would be accepted of a container now."""
        policy = self._policy()
        limit = policy.rules_for(container).max_logs_per_pod
        room = self._rooms.left(container, limit)
        return accept(
            container, settings=self._settings, policy=policy, refuse=self._refuse, room=room
        )

    def take(self, container: Container) -> Accepted:
        """What is accepted of a container: it takes room in its pod from now on."""
        accepted = self.ask(container)
        if container.pod:
            self._rooms.note(container, sum(each.key != COLLECT_KEY for each in accepted.logs))
            wants = container.state is not State.ENDED and any(
                each.code is Code.LOGS_TOO_MANY for each in accepted.rejections
            )
            crowded = self._crowded.setdefault(container.pod.key, set())
            (crowded.add if wants else crowded.discard)(container.id)
            if not crowded:
                del self._crowded[container.pod.key]
        return accepted

    def forget(self, container: Container) -> None:
        """A container is tracked no more."""
        self._rooms.forget(container)
        if container.pod and (crowded := self._crowded.get(container.pod.key)):
            crowded.discard(container.id)
            if not crowded:
                del self._crowded[container.pod.key]

    def waiting_for(self, container: Container) -> set[str]:
        """Whose room, in the same pod, may change with what this container has."""
        if not container.pod:
            return set()
        crowded = self._crowded.get(container.pod.key, set()) - {container.id}
        limited = self._policy().rules_for(container).max_logs_per_pod is not None
        return crowded | self._rooms.behind(container) if limited else crowded
