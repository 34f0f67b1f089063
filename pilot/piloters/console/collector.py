"""The collector's loop: look at the fragments and the files, print events, then record them.

An event is recorded only after it was written to stdout, and all at once with its neighbours of one
chunk: a stop in order gives each event once, a crash gives none lost and some twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pilot.piloters.console.tails import Tails

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot.piloters.console.folder import InputFolder
    from pilot.piloters.console.inputs import ConsoleInput
    from pilot.piloters.console.output import Output
    from pilot.piloters.console.records import Record, Records
    from pilot.piloters.console.tails import Tail

POLL = 0.1  # seconds between two looks when there is nothing to do


class Collector:
    """Prints what the wanted inputs hold, until it is told to stop."""

    def __init__(
        self,
        inputs: InputFolder,
        records: Records,
        output: Output,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read nothing yet. `monotonic` and `now` are the clocks, in seconds."""
        self._inputs, self._records, self._output = inputs, records, output
        self._monotonic, self._now = monotonic, now
        self._tails: dict[str, Tails] = {}

    def run(self, stopping: Callable[[], bool]) -> None:
        """Go on until `stopping`, then save. Raises OutputClosedError, OutputBlockedError."""
        try:
            while not stopping():
                if not self.step(stopping):
                    self._output.wait(POLL)
        finally:
            self.close()

    def step(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Look at everything once, read at most one chunk per file; whether there may be more."""
        if self._inputs.refresh():
            self._follow(self._inputs.wanted())
        more = False
        for tails in self._tails.values():
            for file, shown, tail in tails.ready(self._monotonic()):
                try:
                    more |= self._pass_on(tails, file, shown, tail)
                except OSError as error:
                    tails.fail(file, error)
                if stopping():
                    return False
        at = self._monotonic()
        self._records.forget(
            {(id_, file) for id_, tails in self._tails.items() for file in tails.files()}, at
        )
        self._records.save(at)
        return more

    def close(self) -> None:
        """Save the records and let all files go."""
        self._records.save(self._monotonic(), now=True)
        for tails in self._tails.values():
            tails.close()
        self._tails.clear()

    def _follow(self, wanted: dict[str, ConsoleInput]) -> None:
        for input_id in self._tails.keys() - wanted.keys():
            self._tails.pop(input_id).close()
        for input_id, source in wanted.items():
            before = self._tails.get(input_id)
            if before and before.same_files(source):
                before.treat(source)
                continue
            if before:
                before.close()
            self._tails[input_id] = Tails(source, self._recorded(input_id))

    def _recorded(self, input_id: str) -> Callable[[str], Record | None]:
        return lambda file: self._records.get((input_id, file))

    def _pass_on(self, tails: Tails, file: str, shown: str, tail: Tail) -> bool:
        texts, more = tail.pull(self._monotonic())
        if texts:
            now = self._now()
            self._output.write(b"".join(tails.encode(text, shown, now) for text in texts))
        self._records.put((tails.source.id, file), tail.record)
        return more
