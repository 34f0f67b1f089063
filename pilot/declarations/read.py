"""What a declaration asks for: its items, format, target and tags, or why it is refused.

A bad value of an option rejects the log, because events that went to the wrong place cannot be
called back; a bad item of a list and a bad tag reject themselves only.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.items import BLANK, MAX_VALUE, parse_items
from pilot.declarations.tags import parse_tags
from pilot.model import Code, Rejection, shorten
from pilot.treatment import Format, Treatment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.model import Declaration, Option

# A target becomes part of an Elasticsearch index or a Kafka topic: the characters that both allow,
# none in front that an index may not begin with, short enough (255 bytes, 249 characters) for a
# date behind it. Upper case stays, for topics have it; that an index has none is the output's
# business.
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
ROUTING_TAGS = ("index", "topic")  # tags that choose where events go, as a target does
# Formats of log-pilot that only cut a line into fields.
TEXT_FORMATS = frozenset({"apache2", "apache_error", "csv", "nginx", "regexp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one declaration asks for. `items` are `stdout` and absolute paths, not yet located."""

    items: tuple[str, ...]
    treatment: Treatment
    target: str
    tags: Mapping[str, str]


def read(declaration: Declaration) -> tuple[Reading | None, list[Rejection]]:
    """What a declaration asks for, None if it is refused as a whole; and what of it was refused.

    An option whose value is empty counts as not given: templates often leave one so.
    """
    name = declaration.name
    given = {option: written for option, written in declaration.options.items() if _text(written)}
    items, rejections = parse_items(name, declaration.key, declaration.value)
    unsupported = list(_unsupported(name, given))
    form, said_of_format = _format(name, given.get(options.FORMAT))
    target, said_of_target = _target(name, given.get(options.TARGET))
    tags, said_of_tags = _tags(name, given.get(options.TAGS))
    rejections += [*unsupported, *said_of_format, *said_of_target, *said_of_tags]
    withheld = any(not rejection.notice for rejection in unsupported)
    if not items or withheld or form is None or target is None or tags is None:
        return None, rejections
    treatment = Treatment(format=form)
    return Reading(items=items, treatment=treatment, target=target, tags=tags), rejections


def _unsupported(name: str, given: Mapping[str, Option]) -> Iterator[Rejection]:
    for option in sorted(given.keys() - options.SUPPORTED):
        withholding = option in options.WITHHOLDING
        yield Rejection(
            code=Code.OPTION_UNSUPPORTED,
            key=given[option].key,
            value=shorten(given[option].value),
            log=name,
            reason=f"the option {option!r} is not supported yet, and without it lines would be"
            " shipped that it may be there to hold back."
            if withholding
            else f"the option {option!r} is not supported yet; the text is collected without it.",
            notice=not withholding,
        )


def _format(name: str, option: Option | None) -> tuple[Format | None, list[Rejection]]:
    if option is None:
        return Format.NONE, []
    text = _text(option)
    if text in tuple(Format):
        return Format(text), []
    if text in TEXT_FORMATS:
        notice = Rejection(
            code=Code.OPTION_UNSUPPORTED,
            key=option.key,
            value=text,
            log=name,
            reason="this format is not supported yet; the text is collected as it is.",
            notice=True,
        )
        return Format.NONE, [notice]
    known = sorted({*Format, *TEXT_FORMATS})
    rejection = Rejection(
        code=Code.FORMAT_UNKNOWN,
        key=option.key,
        value=shorten(text),
        log=name,
        reason="a format is none or json.",
        hint=next(iter(difflib.get_close_matches(text[:32].lower(), known, n=1)), ""),
    )
    return None, [rejection]


def _target(name: str, option: Option | None) -> tuple[str | None, list[Rejection]]:
    if option is None:
        return "", []
    text = _text(option)
    if TARGET.fullmatch(text):
        return text, []
    return None, [_bad_target(name, option.key, text, what="a target")]


def _tags(name: str, option: Option | None) -> tuple[Mapping[str, str] | None, list[Rejection]]:
    if option is None:
        return {}, []
    text = _text(option)
    if len(text) > MAX_VALUE:
        # An index or a topic may be among them: going on without would send the log elsewhere.
        rejection = Rejection(
            code=Code.VALUE_TOO_LONG,
            key=option.key,
            value=shorten(text),
            log=name,
            reason=f"tags have at most {MAX_VALUE} characters together.",
        )
        return None, [rejection]
    tags, rejections = parse_tags(name, option.key, text)
    bad = [
        _bad_target(name, option.key, tags[tag], what=f"the tag {tag}, which chooses a target,")
        for tag in ROUTING_TAGS
        if tag in tags and not TARGET.fullmatch(tags[tag])
    ]
    return (None if bad else tags), rejections + bad


def _bad_target(name: str, key: str, text: str, *, what: str) -> Rejection:
    return Rejection(
        code=Code.TARGET_INVALID,
        key=key,
        value=shorten(text),
        log=name,
        reason=f"{what} is 1 to 200 letters, digits, '_', '.' and '-', first a letter or digit.",
    )


def _text(option: Option) -> str:
    return option.value.strip(BLANK)
