"""Declarations → the keys and values that declare them, in the words of any dialect.

What is printed and found again is the same, but for the keys and for where they are written; the
fields of a custom config come back as tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.dialects import spellings
from pilot.declarations.tags import parse_tags, print_tag
from pilot.model import Origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pilot.model import Declaration


def print_declarations(
    declarations: Iterable[Declaration], *, origin: Origin = Origin.ENV, prefix: str = "aliyun"
) -> dict[str, str]:
    """Keys and values of the environment, the labels or the annotations that declare these logs."""
    listed = sorted(declarations, key=lambda each: each.name)
    names = frozenset(each.name for each in listed)
    printed: dict[str, str] = {}
    for each in listed:
        printed[_key(each.name, "", names, origin=origin, prefix=prefix)] = each.value
        for option, value in sorted(_options(each).items()):
            printed[_key(each.name, option, names, origin=origin, prefix=prefix)] = value
    return printed


def _key(name: str, option: str, names: Collection[str], *, origin: Origin, prefix: str) -> str:
    """The key of a log, or of an option of it: the first spelling that is read as meant.

    The environment has a second one for names that the first takes for another log's option.
    """
    for dialect in spellings(origin):
        separator = dialect.separators[0]
        rest = f"{name}{separator}{options.spell(option, separator)}" if option else name
        key = f"{prefix}{dialect.start}{rest}"
        splits = options.split(rest, dialect.separators)
        read = next((each for each in splits if each[0] in names), None)
        if read == ((name, option) if option else None):
            break
    return key


def _options(declaration: Declaration) -> dict[str, str]:
    """Each option and its text, the fields of a custom config among the tags."""
    texts = {option: written.value for option, written in declaration.options.items()}
    fields = texts.pop(options.FIELDS, None)
    if fields is None:
        return texts
    tags = texts.get(options.TAGS, "")
    stronger = parse_tags(declaration.name, "", tags)[0]
    weaker = parse_tags(declaration.name, "", fields)[0]
    added = [print_tag(tag, value) for tag, value in weaker.items() if tag not in stronger]
    return {**texts, options.TAGS: ",".join([*added, *([tags] if tags else [])])}
