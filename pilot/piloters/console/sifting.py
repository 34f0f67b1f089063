"""Which events go out, by include and exclude, and how much of their text, by `max_bytes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot import regexps
from pilot.piloters.console.framing import LONGEST

if TYPE_CHECKING:
    from pilot.treatment import Treatment


def compiled(pattern: str) -> re.Pattern[str]:
    """A tenant's pattern, to be searched for. Raises regexps.RegexpError."""
    return re.compile(regexps.parse(pattern).to_python())


class Sifter:
    """Cuts and drops the events of one input."""

    def __init__(self, treatment: Treatment) -> None:
        """Compile the patterns; raises regexps.RegexpError."""
        self._most = min(treatment.max_bytes or LONGEST, LONGEST)
        self._include = compiled(treatment.include) if treatment.include else None
        self._exclude = compiled(treatment.exclude) if treatment.exclude else None

    def cut(self, text: bytes) -> tuple[str, bool]:
        """The text as far as it may go, and whether that is less than all.

        No character is cut in two; invalid UTF-8 becomes U+FFFD.
        """
        if len(text) <= self._most:
            return text.decode("utf-8", "replace"), False
        end = self._most
        # UTF-8's further bytes are 10xxxxxx, at most three behind the first.
        while end > max(0, self._most - 3) and text[end] & 0xC0 == 0x80:
            end -= 1
        if text[end] & 0xC0 == 0x80:
            end = self._most  # no UTF-8 anyway
        return text[:end].decode("utf-8", "replace"), True

    def wants(self, text: str) -> bool:
        """Whether an event goes out: `include` is found in its whole text, `exclude` is not."""
        if self._include and not self._include.search(text):
            return False
        return not (self._exclude and self._exclude.search(text))
