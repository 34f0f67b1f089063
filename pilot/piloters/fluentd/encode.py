"""Text into Fluentd's configuration (v1 syntax): the only way by which a value gets there.

Fluentd runs `#{…}` in a double-quoted value as Ruby, takes values that begin with `[` or `{` for
JSON, and gives some values to strftime, globs and placeholders. Each layer has its function here;
`quoted` is the outermost and is applied to every value.
"""

from __future__ import annotations

import re

from pilot.model import encodable

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Escapes in double quotes that every version reads alike; `\u` and `\x` are not among them.
ESCAPES = {
    "\0": "\\0",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "#": "\\#",
    "\\": "\\\\",
}
NOT_PLAIN = re.compile('[\0\b\t\n\f\r"#\\\\]')
# With `enable_ruby` record_transformer runs each value as Ruby's `%Q[value]`: a text is itself
# there only if nothing of it is an escape, a bracket, or the begin of an expression; nor is it JSON
# then, or a placeholder.
ITSELF = re.compile(r"(?!.*__[A-Z_]+__)[^\\#$\[\]{}\0-\x1f\x7f]*\Z")
STRIPPED = " \t\n\v\f\r\0"  # by Ruby's String#strip
GLOB = "*"  # cannot be escaped in a path of in_tail


def quoted(text: str) -> str:
    """One double-quoted value that Fluentd reads back as `text`.

    A lone surrogate, which no UTF-8 can hold, becomes U+FFFD.
    """
    escaped = NOT_PLAIN.sub(lambda found: ESCAPES[found[0]], text)
    return f'"{encodable(escaped)}"'


def key(name: str) -> str:
    """A name of a field or a parameter. Raises ValueError for one that could be more."""
    if not KEY.match(name):
        raise ValueError(f"{name!r} cannot be a field's name in Fluentd")
    return name


def static(text: str) -> str:
    """The value by which record_transformer with `enable_ruby` sets a field to exactly `text`.

    It has no escape for what it would run, so a text that may hold such is given as its bytes.
    """
    text = encodable(text)
    if ITSELF.match(text):
        return quoted(text)
    digits = text.encode().hex()
    return f"""'${{["{digits}"].pack("H*").force_encoding("UTF-8")}}'"""


def path(text: str, delimiter: str = "|") -> str:
    """The value of in_tail's `path` that names exactly this file; `path_delimiter` is given so.

    Raises ValueError for a path that cannot be written: one with `*`, which has no escape, or with
    the delimiter, or with a character that the file of positions is split at, or with blanks around
    it, without which in_tail would read another file.
    """
    if text.strip(STRIPPED) != text:
        raise ValueError(f"Fluentd cannot tail the one file {text!r}: there are blanks around it")
    if bad := next((each for each in (GLOB, delimiter, "\t", "\n") if each in text), ""):
        raise ValueError(f"Fluentd cannot tail the one file {text!r}: it holds {bad!r}")
    return quoted(text.replace("%", "%%"))


def regexp(pattern: str) -> str:
    """The value of a parameter that takes a regular expression of Ruby."""
    return quoted(f"/{pattern}/")
