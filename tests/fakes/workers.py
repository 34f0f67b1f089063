"""Workers whose jobs the test runs by hand, on its own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilot.pins.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable


class HandWorkers:
    """Holds jobs until the test runs them; a call and its `then` can be run apart."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def submit(self, call: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self.jobs.append((call, then))

    def relieve(self) -> None:
        """Nothing hangs here but the test itself."""

    def run(self) -> None:
        """Run what is waiting and what that submits, until nothing is left."""
        while self.jobs:
            self.call_first()()

    def call_first(self) -> Callable[[], None]:
        """Run the first job's call; the returned function hands its result to the loop."""
        call, then = self.jobs.pop(0)
        try:
            result: Any = call()
        except Exception as error:  # noqa: BLE001 -- as the real ones do
            result = error
        if isinstance(result, Sweep):
            result.took = 0.0  # A loaded machine would make a folder rest whose test has no time.
        return lambda: then(result)
