"""The answer to one question as JSON-ready data: `explanation.schema.json` documents it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pilot.explaining.explanation import Outcome
from pilot.explaining.near import near
from pilot.model import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilot.explaining.explanation import Explanation

VERSION = 1
GOOD = frozenset({Outcome.COLLECTED, Outcome.ELSEWHERE})


def answer(
    asked: str, found: Sequence[Explanation], *, log: str = "", live: bool, sentence: str = ""
) -> dict[str, Any]:
    """What is said of the containers that were found, or of one log of theirs.

    `complete` is whether all that they declare is collected and something is declared at all.
    """
    if log:
        names = {each.name for one in found for each in one.logs}
        found = [_narrowed(one, log) for one in found if any(e.name == log for e in one.logs)]
        if not found:
            declared = "; it declares none" if not names else ""
            why = f"no log {shorten(log)!r} is declared by {shorten(asked)!r}{declared}."
            return not_found(asked, why, near(log, names) or sorted(names), log=log, live=live)
    declaring = [each for each in found if each.outcome is not Outcome.UNDECLARED]
    return {
        "version": VERSION,
        "asked": asked,
        "log": log,
        "live": live,
        "found": True,
        "complete": bool(declaring) and all(each.outcome in GOOD for each in declaring),
        "sentence": sentence,
        "near": [],
        "containers": [asdict(each) for each in found],
    }


def _narrowed(one: Explanation, log: str) -> Explanation:
    """The explanation with that log alone."""
    logs = tuple(each for each in one.logs if each.name == log)
    return replace(one, logs=logs, outcome=logs[0].outcome, rejections=(), steps=())


def not_found(
    asked: str, sentence: str, close: Iterable[str] = (), *, log: str = "", live: bool
) -> dict[str, Any]:
    """The answer where there is no such container, or no such log of one."""
    return {
        "version": VERSION,
        "asked": asked,
        "log": log,
        "live": live,
        "found": False,
        "complete": False,
        "sentence": sentence,
        "near": list(close),
        "containers": [],
    }
