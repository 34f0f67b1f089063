"""Options of the collector itself, `raw_<key>`. Which are allowed is the policy's to say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.model import Code, printable

if TYPE_CHECKING:
    from pilot.declarations.asking import Asking

RAW_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
KEYS = "is 1 to 64 letters, digits, '_', '.' and '-', first a letter or '_'."
MAX_RAW_VALUE = 1024  # characters
MAX_RAW = 32  # of one log


def raw_options(asking: Asking) -> dict[str, str]:
    """Key → text of each raw option; refuses the log for one that nobody could allow."""
    found: dict[str, str] = {}
    given = sorted(name for name in asking.options if name.startswith(options.RAW_START))
    for name in given:
        key, text = name.removeprefix(options.RAW_START), asking.text(name)
        if not text:
            continue
        if problem := _problem(key, text, len(found)):
            asking.refuse(name, Code.VALUE_INVALID, problem)
        else:
            found[key] = text
    return found


def _problem(key: str, text: str, before: int) -> str:
    if not RAW_KEY.fullmatch(key):
        return f"the key of a raw option {KEYS}"
    if len(text) > MAX_RAW_VALUE or printable(text) != text:
        return f"a raw option is one line of at most {MAX_RAW_VALUE} visible characters."
    if before >= MAX_RAW:
        return f"a log has at most {MAX_RAW} raw options."
    return ""
