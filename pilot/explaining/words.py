"""An explanation as lines for a person: readable without colour, at any width, on any terminal.

It takes the answer as JSON, because that is what a daemon gives, perhaps one of another version.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from pilot.model import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NARROWEST = 40  # columns
ID = 64  # digits of a runtime's id
LABEL = 11  # columns of the word in front
LOUD = {"rejected": "REJECTED", "lost": "LOST"}


def lines(answer: Mapping[str, Any], width: int = 100) -> list[str]:
    """What to print; no line holds a character that a terminal would obey."""
    made: list[str] = []
    for one in answer["containers"]:
        made += [] if not made else [""]
        made += _container(one, width, live=answer["live"])
    if answer["sentence"]:
        made += [] if not made else [""]
        made += _wrapped(answer["sentence"], "", width)
    if answer["near"]:
        made += _wrapped(f"near by name: {', '.join(answer['near'])}", "  ", width)
    return made


def _container(one: Mapping[str, Any], width: int, *, live: bool) -> Iterator[str]:
    pod = f", pod {one['pod']}" if one["pod"] else ""
    within = f"/{one['container']}" if pod and one["container"] != one["name"] else ""
    gone = ", gone" if one["gone"] else ""
    state = f": {one['state']}{gone}" if live else ""  # a manifest is not running
    # An id that nobody gave, but a manifest got for want of one, helps nobody.
    known = f" ({one['id'][:12]})" if live or len(one["id"]) == ID else ""
    head = f"container {one['name']}{known}{pod}{within}{state}"
    yield from _wrapped(head, "", width)
    yield from _steps(one["steps"], width, "  ")
    for log in one["logs"]:
        loud = log["outcome"].upper() if log["outcome"] == "rejected" else log["outcome"]
        yield from _wrapped(f"log {log['name']}: {loud}", "  ", width)
        yield from _steps(log["steps"], width, "    ")


def _steps(steps: list[Mapping[str, Any]], width: int, indent: str) -> Iterator[str]:
    last = ""
    for step in steps:
        about = str(step["about"])
        word = LOUD.get(about, about) if about != last or about in LOUD else ""
        last = about
        yield from _wrapped(str(step["text"]), f"{indent}{word:<{LABEL}}", width)


def _wrapped(text: str, start: str, width: int) -> list[str]:
    """One text in lines; what it says of tenants is one line before it is wrapped."""
    return textwrap.wrap(
        printable(text),
        max(width, NARROWEST),
        initial_indent=printable(start),
        subsequent_indent=" " * (len(start) + 2),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start.rstrip()]
