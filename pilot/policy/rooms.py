"""How many logs each pod has now, for the limit on all of its containers together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.model import State

if TYPE_CHECKING:
    from pilot.model import Container


class Rooms:
    """Who came first has room. Used by the one loop only."""

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
