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


class Rooms:
    """How many logs each pod has now, for the limit on all of its containers together.

    Who came first has room. Used by the one loop only.
    """

    def __init__(self) -> None:
        self._taken: dict[str, dict[str, int]] = {}  # pod → container id → logs

    def left(self, container: Container, limit: int | None) -> int | None:
        """How many logs a container may have beside the others of its pod; None: any number.

        What ended takes no room: it is only read to its end, and its successor is there.
        """
        pod = _pod(container)
        if limit is None or pod is None or container.state is State.ENDED:
            return None
        others = self._taken.get(pod, {})
        return max(0, limit - sum(n for each, n in others.items() if each != container.id))

    def note(self, container: Container, logs: int) -> None:
        """A container has so many logs now."""
        self.forget(container)
        pod = _pod(container)
        if pod is not None and logs and container.state is not State.ENDED:
            self._taken.setdefault(pod, {})[container.id] = logs

    def forget(self, container: Container) -> None:
        """A container has none any more."""
        pod = _pod(container)
        if pod is not None and pod in self._taken:
            self._taken[pod].pop(container.id, None)
            if not self._taken[pod]:
                del self._taken[pod]


def _pod(container: Container) -> str | None:
    return container.pod.key if container.pod else None


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

    def waiting_for(self, container: Container) -> set[str]:
        """Who may have room once this container, of the same pod, has less."""
        if not container.pod:
            return set()
        return self._crowded.get(container.pod.key, set()) - {container.id}
