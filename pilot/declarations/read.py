"""What a declaration asks for: its items, treatment, target and tags, or why it is refused.

A bad value of an option rejects the log, because events that went to the wrong place cannot be
called back; a bad item of a list and a bad tag reject themselves only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot.declarations import filters, options
from pilot.declarations.asking import Asking
from pilot.declarations.formats import parsing
from pilot.declarations.items import parse_items
from pilot.declarations.multiline import multiline
from pilot.declarations.raw import raw_options
from pilot.declarations.tags import parse_tags
from pilot.model import Code
from pilot.treatment import Treatment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Declaration, Rejection

# A target becomes part of an Elasticsearch index or a Kafka topic: the characters that both allow,
# none in front that an index may not begin with, short enough (255 bytes, 249 characters) for a
# date behind it. Upper case stays, for topics have it; that an index has none is the output's
# business.
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_TARGETS = "is 1 to 200 letters, digits, '_', '.' and '-', first a letter or digit."
_PLAIN = Treatment()
_UNTREATED = frozenset({options.TAGS, options.FIELDS, options.TARGET, options.CONTAINER})
ROUTING_TAGS = ("index", "topic")  # tags that choose where events go, as a target does


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one declaration asks for. `items` are streams and absolute paths, not yet located.

    Whether a policy allows any of it is not asked here.
    """

    items: tuple[str, ...]
    treatment: Treatment
    target: str
    tags: Mapping[str, str]


def read(declaration: Declaration) -> tuple[Reading | None, list[Rejection]]:
    """What a declaration asks for, None if it is refused as a whole; and what of it was refused.

    An option whose value is empty counts as not given: templates often leave one so.
    """
    items, said = parse_items(declaration.name, declaration.key, declaration.value)
    asking = Asking(declaration.name, declaration.options)
    asking.too_long()
    if asking.refused:
        return None, said + asking.said
    treatment = _treatment(asking, items)
    target = _target(asking)
    tags, said_of_tags = _tags(asking)
    said += [*asking.said, *said_of_tags]
    if not items or asking.refused:
        return None, said
    return Reading(items=items, treatment=treatment, target=target, tags=tags), said


def _treatment(asking: Asking, items: tuple[str, ...]) -> Treatment:
    if asking.options.keys() <= _UNTREATED:  # as most logs have it
        return _PLAIN
    return replace(
        parsing(asking),
        encoding=filters.encoding(asking, items),
        max_bytes=filters.max_bytes(asking),
        multiline=multiline(asking),
        include=filters.pattern(asking, options.INCLUDE),
        exclude=filters.pattern(asking, options.EXCLUDE),
        raw=raw_options(asking),
    )


def _target(asking: Asking) -> str:
    text = asking.text(options.TARGET)
    if text and not TARGET.fullmatch(text):
        asking.refuse(options.TARGET, Code.TARGET_INVALID, f"a target {_TARGETS}")
    return text


def _tags(asking: Asking) -> tuple[dict[str, str], list[Rejection]]:
    """The tags, those of a custom config where the log has none of that name; bad ones are said."""
    tags: dict[str, str] = {}
    said: list[Rejection] = []
    for option in (options.FIELDS, options.TAGS):
        if text := asking.text(option):
            found, refused = parse_tags(asking.log, asking.options[option].key, text)
            said += refused
            _check_routes(asking, option, found)
            tags |= found
    return tags, said


def _check_routes(asking: Asking, option: str, tags: Mapping[str, str]) -> None:
    for tag in ROUTING_TAGS:
        if tag in tags and not TARGET.fullmatch(tags[tag]):
            reason = f"the tag {tag}, which chooses a target, {_TARGETS}"
            asking.refuse(option, Code.TARGET_INVALID, reason, value=tags[tag])
