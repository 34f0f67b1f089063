"""The options of one log as they were written, and what is to be said of them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.declarations.items import BLANK, MAX_VALUE
from pilot.model import Code, Option, Rejection, shorten
from pilot.regexps import Regexp, RegexpError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEAR = 0.6  # difflib's ratio, its own default


@dataclass(slots=True)
class Asking:
    """The options that one log gives. An option whose text is blank counts as not given."""

    log: str
    options: Mapping[str, Option]
    said: list[Rejection] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the log is not collected."""
        return any(not rejection.notice for rejection in self.said)

    def text(self, option: str) -> str:
        """The text of an option without blanks around it; "" where it is not given."""
        written = self.options.get(option)
        return written.value.strip(BLANK) if written else ""

    def regexp(self, option: str, *, slashes: bool = False) -> Regexp | None:
        """The pattern of an option, its blanks kept; None where it is not given or refused.

        With `slashes`, a pair of them around it does not count: log-pilot's patterns have one.
        """
        if not self.text(option):
            return None
        text = self.options[option].value.strip("\r\n")
        inner = text.strip(BLANK)
        if slashes and len(inner) > 1 and inner.startswith("/") and inner.endswith("/"):
            text = inner[1:-1]
        try:
            return parse(text)
        except RegexpError as error:
            self.refuse(option, Code.REGEXP_INVALID, f"this regular expression is refused: {error}")
            return None

    def refuse(
        self, option: str, code: Code, reason: str, *, hint: str = "", value: str | None = None
    ) -> None:
        """Say why an option cannot be done; its log is not collected."""
        self.said.append(self._rejection(option, code, reason, hint, value, notice=False))

    def note(
        self, option: str, code: Code, reason: str, *, hint: str = "", value: str | None = None
    ) -> None:
        """Say that an option is not done; the log is collected all the same."""
        self.said.append(self._rejection(option, code, reason, hint, value, notice=True))

    def _rejection(
        self, option: str, code: Code, reason: str, hint: str, value: str | None, *, notice: bool
    ) -> Rejection:
        written = self.options[option]
        return Rejection(
            code=code,
            key=written.key,
            value=shorten(written.value.strip(BLANK) if value is None else value),
            log=self.log,
            reason=reason,
            hint=shorten(hint),
            notice=notice,
        )

    def too_long(self) -> None:
        """Refuse each option whose text nobody should have to read."""
        for name in sorted(self.options):
            if len(self.options[name].value.strip(BLANK)) > MAX_VALUE:
                reason = f"an option has at most {MAX_VALUE} characters."
                self.refuse(name, Code.VALUE_TOO_LONG, reason)


def nearest(text: str, known: Iterable[str]) -> str:
    """The one of `known` that a mistyped text means, "" where it resembles none."""
    close = difflib.get_close_matches(text[:64].lower(), list(known), n=1, cutoff=_NEAR)
    return next(iter(close), "")
