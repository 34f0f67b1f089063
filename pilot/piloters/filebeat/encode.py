"""Text into Filebeat's configuration: the only way by which a value gets there.

Filebeat reads YAML with go-yaml, expands `${…}` in every string (go-ucfg, where `$$` stands for
`$`), and then gives some strings to Go's filepath.Match or regexp. Each layer has its function
here; `scalar` is the outermost and is applied to every expression of a template.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
NOT_PLAIN = re.compile(r'[^ -~]|["$\\]')
SPECIAL_IN_REGEXP = frozenset("\\.+*?()|[]{}^$")  # regexp.QuoteMeta's list
SPECIAL_IN_GLOB = frozenset("\\*?[")  # path/filepath.Match
REPLACEMENT_CHARACTER = "\ufffd"


def scalar(value: object) -> str:
    """One YAML scalar that go-yaml and go-ucfg read back as `value`.

    Strings are double-quoted, with `$` doubled and all but printable ASCII as escapes; a lone
    surrogate, which no UTF-8 can hold, becomes U+FFFD. Raises TypeError for what is no string,
    boolean or finite number: a list or None in a template is a mistake in it.
    """
    if isinstance(value, str):
        return f'"{NOT_PLAIN.sub(_escape, value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float) and math.isfinite(value):
        # YAML 1.1 takes `1e-05` for text.
        plain = format(Decimal(repr(value)), "f")
        return plain if "." in plain else f"{plain}.0"
    raise TypeError(f"a {type(value).__name__} cannot be written as one value")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character == "$":
        return "$$"
    if character in '"\\':
        return "\\" + character
    if 0xD800 <= code < 0xE000:
        code = ord(REPLACEMENT_CHARACTER)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def key(name: str) -> str:
    """A key that is safe under `fields`. Raises ValueError for any other.

    go-ucfg splits keys at dots and takes numeric ones for list indexes; `-1` ends Filebeat.
    """
    if not KEY.match(name):
        raise ValueError(f"{name!r} cannot be a field's name in Filebeat")
    return name


def regexp_literal(text: str) -> str:
    """A Go regular expression (RE2) that matches exactly this text."""
    return "".join(f"\\{c}" if c in SPECIAL_IN_REGEXP else c for c in text)


def replacement_literal(text: str) -> str:
    """A replacement for Go's Regexp.ReplaceAllString that puts in exactly this text."""
    return text.replace("$", "$$")


def glob_literal(path: str) -> str:
    """A pattern for Go's filepath.Match that matches exactly this path."""
    return "".join(f"\\{c}" if c in SPECIAL_IN_GLOB else c for c in path)


def go_glob(pattern: str) -> str:
    """A pattern of Python's fnmatch, for one path component, in the grammar of filepath.Match.

    They differ in negation (`!`, `^`), backslashes, and a `[` that nothing closes. Runs of `*`
    become one: Filebeat takes a component `**` for folders at any depth.
    """
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        end = _class_end(pattern, position) if character == "[" else -1
        if end > 0:
            parts.append(_character_class(pattern[position + 1 : end]))
            position = end
        elif character == "?" or (character == "*" and parts[-1:] != ["*"]):
            parts.append(character)
        elif character != "*":
            parts.append(glob_literal(character))
        position += 1
    return "".join(parts)


def _class_end(pattern: str, start: int) -> int:
    """Where the class that begins at `start` is closed; -1 if it is not (fnmatch.translate)."""
    first = start + 1
    if pattern[first : first + 1] == "!":
        first += 1
    return pattern.find("]", first + 1 if pattern[first : first + 1] == "]" else first)


def _character_class(body: str) -> str:
    negated = body.startswith("!")
    body = body.removeprefix("!")
    ranges: list[str] = []
    position = 0
    while position < len(body):
        low = body[position]
        if body[position + 1 : position + 2] == "-" and position + 2 < len(body):
            ranges.append(f"\\{low}-\\{body[position + 2]}")
            position += 3
        else:
            ranges.append(f"\\{low}")
            position += 1
    return f"[{'^' if negated else ''}{''.join(ranges)}]"
