"""The policy in force: read when its file changes; while that is broken, the last good one."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from pilot.policy.reading import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pilot.policy.reading import PolicyFiles
    from pilot.policy.rules import Policy

log = logging.getLogger(__name__)


class PolicyWatch:
    """Used by the one loop only; `watching` may run beside it."""

    def __init__(self, files: PolicyFiles, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take what the files say now. Raises PolicyError: nothing is known to go on with."""
        self._files, self._now = files, monotonic
        self._seen: tuple[bytes | None, bytes | None] | None = files.read()
        self.current: Policy = files.parse(*self._seen)
        self.problem = ""  # why what is written now is not in force
        self.problem_since: float | None = None  # monotonic
        self.loaded = monotonic()  # when what is in force was read

    @property
    def file(self) -> Path | None:
        """The policy file, if there is one."""
        return self._files.file

    def check(self) -> bool:
        """Read again what changed; whether another policy is in force now."""
        try:
            before, self._seen = self._seen, None  # What cannot be read is news when it is back.
            seen = self._files.read()
            if self.current.topics is not None and seen[1] is None:
                raise PolicyError(f"{self._files.topics}: the list of topics is gone")  # noqa: TRY301
            self._seen = seen
            if seen == before:
                return False
            found = self._files.parse(*seen)
        except PolicyError as error:
            self._say(str(error))
            return False
        self._say("")
        changed = found != self.current
        self.current, self.loaded = found, self._now()
        if changed:
            log.info("policy: a changed policy is in force")
        return changed

    def _say(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("policy: %s; the last good policy stays in force", problem)
        elif self.problem and not problem:
            log.info("policy: it can be used again")
        if not problem:
            self.problem_since = None
        elif not self.problem:
            self.problem_since = self._now()
        self.problem = problem

    @contextlib.contextmanager
    def watching(self, changed: Callable[[], None]) -> Iterator[None]:
        """Call `changed`, from another thread, when a file of the policy may have changed.

        Folders are watched, not files: editors and Kubernetes replace files, by way of links.
        """
        named = (each for each in (self._files.file, self._files.topics) if each)
        folders = {each.parent.resolve() for each in named if each.parent.is_dir()}
        if not folders:
            yield
            return
        from pilot.policy.events import observe  # costs memory: only where there is a file

        try:
            observer = observe(folders, changed)
        except OSError as error:
            log.warning("policy: its folder cannot be watched (%s); each list looks at it", error)
            yield
            return
        try:
            yield
        finally:
            observer.stop()
            observer.join()
