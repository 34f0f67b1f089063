r"""Tags: fields that a tenant adds to the events of one log.

    tags    = tag *( "," tag )
    tag     = key "=" ( plain | quoted )
    plain   = any text without a comma; "=" is part of it
    quoted  = '"' any text, with \" for a quote and \\ for a backslash '"'

Blanks around keys and plain values do not count. A key is `[A-Za-z_][A-Za-z0-9_-]*`, with `.` and
`/` turned into `_`, because collectors and stores read structure into them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.declarations.items import BLANK
from pilot.model import UNSAFE, Code, Rejection, encodable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
MAX_TAGS = 32
MAX_TAG_VALUE = 1024  # characters

# Names that mean something else where a tag would land: the pilot's own fields, the structure of
# the collectors' events (Elastic Common Schema), and Elasticsearch's metadata, at which it refuses
# the whole event.
RESERVED = frozenset(
    {
        "_doc_count",
        "_feature",
        "_field_names",
        "_id",
        "_ignored",
        "_index",
        "_nested_path",
        "_parent",
        "_routing",
        "_seq_no",
        "_size",
        "_source",
        "_tier",
        "_type",
        "_version",
        "agent",
        "com_aliyun_access",
        "container",
        "data_stream",
        "ecs",
        "error",
        "event",
        "fields",
        "host",
        "input",
        "log",
        "log_name",
        "message",
        "stream",
        "tags",
    }
)
RESERVED_STARTS = ("@", "com_aliyun_access_", "container_", "docker_", "k8s_")

_QUOTED = re.compile(r'[ \t\r\n]*"((?:[^"\\]|\\.)*)"[ \t\r\n]*(?=,|\Z)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse_tags(log: str, key: str, text: str) -> tuple[dict[str, str], list[Rejection]]:
    """The tags that a text gives; a bad one rejects itself only. Of two alike the later counts."""
    tags: dict[str, str] = {}
    rejections: list[Rejection] = []

    def refuse(code: Code, value: str, reason: str, *, notice: bool = False) -> None:
        rejections.append(
            Rejection(
                code=code, key=key, value=shorten(value), log=log, reason=reason, notice=notice
            )
        )

    for number, (written, name, value) in enumerate(_split(text)):
        if number == MAX_TAGS:
            refuse(Code.TAG_INVALID, written, f"a log has at most {MAX_TAGS} tags.")
            break
        tag = name.replace(".", "_").replace("/", "_")
        if value is None:
            refuse(Code.TAG_INVALID, written, "a tag is key=value, and a quote must be closed.")
        elif tag in RESERVED or tag.startswith(RESERVED_STARTS):
            refuse(Code.TAG_RESERVED, written, "an event's own fields cannot be set by a tag.")
        elif not KEY.fullmatch(tag):
            refuse(
                Code.TAG_INVALID,
                written,
                "a tag's key is 1 to 64 letters, digits, '_' and '-', first a letter or '_'.",
            )
        elif problem := _value_problem(value):
            refuse(Code.TAG_INVALID, written, problem)
        else:
            if tag in tags:
                refuse(
                    Code.TAG_INVALID,
                    written,
                    f"the tag {tag!r} is given twice; this one counts.",
                    notice=True,
                )
            tags[tag] = encodable(value)
    return tags, rejections


def print_tag(key: str, value: str) -> str:
    r"""One tag as a text that is read as the same, whatever its value: `key="va\"lue"`."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}="{escaped}"'


def _value_problem(value: str) -> str:
    if not value:
        return "a tag's value may not be empty."
    if len(value) > MAX_TAG_VALUE:
        return f"a tag's value has at most {MAX_TAG_VALUE} characters."
    if UNSAFE.search(encodable(value)):
        return "a tag's value may hold no control, line separating or direction changing character."
    return ""


def _split(text: str) -> Iterator[tuple[str, str, str | None]]:
    """Each tag as written, its key and its value; None for one that is no `key=value`."""
    at = 0
    while at < len(text):
        comma = text.find(",", at)
        end = comma if comma >= 0 else len(text)
        equals = text.find("=", at, end)
        if equals < 0:
            if written := text[at:end].strip(BLANK):
                yield written, "", None
            at = end + 1
            continue
        key = text[at:equals].strip(BLANK)
        if text[equals + 1 :].lstrip(BLANK).startswith('"'):
            match = _QUOTED.match(text, equals + 1)
            # A quote that is not closed swallows what follows: nobody knows where it was to end.
            end = match.end() if match else len(text)
            value = _ESCAPE.sub(r"\1", match[1]) if match else None
        else:
            value = text[equals + 1 : end].strip(BLANK)
        yield text[at:end].strip(BLANK), key, value
        at = end + 1
