"""Where declarations are written: the pod's annotations, the container's environment and labels.

A dialect is only a place and a spelling. Which of the keys name a log and which name an option of
one is decided once, for all dialects together, in `pilot.declarations.find`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from pilot.declarations.items import BLANK
from pilot.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilot.model import Container

NOTHING = "none"  # the one value of a bare key: its container's output is not collected unasked


class Role(Enum):
    """What a key of ours is about."""

    LOG = auto()  # a log or an option of one
    CUSTOM_CONFIG = auto()  # log-pilot's: many options of many logs in one text
    SWITCH = auto()  # the bare key


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One place and its spelling: `<prefix><start><name>[<separator><option>]`.

    `bare` says that the key without name (`<prefix>` and `start` but for its last character) is
    this dialect's; `custom_only` that nothing but log-pilot's custom config is.
    """

    origin: Origin
    start: str
    separators: str = "."  # each may stand between a name and an option; hints use the first
    bare: bool = True
    custom_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of ours: `rest` is what follows the prefix; a lower `rank` wins over a higher."""

    role: Role = Role.LOG
    prefix: str
    rest: str
    separators: str
    key: str  # as written
    value: str
    rank: tuple[int, int]
    origin: Origin
    from_image: bool = False  # where what images declare is refused


# The strongest first. log-pilot turned every `_` of an environment key into a dot, so both were
# separators there: `aliyun_logs_web.tags` worked and still does.
DIALECTS = (
    Dialect(origin=Origin.ANNOTATION, start=".logs/", bare=False),
    Dialect(origin=Origin.ANNOTATION, start=".logs."),
    Dialect(origin=Origin.ENV, start="_logs_", separators="_."),
    Dialect(origin=Origin.ENV, start=".logs."),
    Dialect(origin=Origin.LABEL, start=".logs."),
    Dialect(origin=Origin.ANNOTATION, start="_logs_", bare=False, custom_only=True),
    Dialect(origin=Origin.LABEL, start="_logs_", bare=False, custom_only=True),
)
PLACES = tuple(dict.fromkeys(dialect.origin for dialect in DIALECTS))
# Custom config is weaker than all of them.
CUSTOM_STRENGTH = len(DIALECTS)
# log-pilot spelled it alike in environment and labels, and meant to spell it the other way.
CUSTOM_CONFIG = ("custom_config", "custom.config")


def spellings(origin: Origin) -> tuple[Dialect, ...]:
    """The dialects in which logs are declared in one place, the one to propose first."""
    return tuple(each for each in DIALECTS if each.origin is origin and not each.custom_only)


def key_of(prefix: str, name: str, origin: Origin) -> str:
    """The key to propose for a log of that name in one place."""
    return f"{prefix}{spellings(origin)[0].start}{name}"


def heads(prefixes: Sequence[str]) -> tuple[str, ...]:
    """What every key begins with that may be a declaration, a bare one too; others may as well."""
    starts = dict.fromkeys(each.start[:-1] for each in DIALECTS)
    return tuple(dict.fromkeys(f"{prefix}{start}" for prefix in prefixes for start in starts))


def written(container: Container, prefixes: Sequence[str]) -> Iterator[Entry]:
    """Every key that starts as a declaration does. What is not ours costs one comparison each."""
    begins = tuple(prefixes)
    for origin in PLACES:
        for key, value in _texts(container, origin).items():
            if not key.startswith(begins):
                continue
            for strength, dialect in enumerate(DIALECTS):
                if dialect.origin is origin and (entry := _entry(prefixes, strength, key, value)):
                    image = _of_image(container, origin)
                    yield replace(entry, from_image=True) if image.get(key) == value else entry


def declares(container: Container, prefixes: Sequence[str]) -> bool:
    """Whether anything of the container may be a declaration; cheap, for those that have none.

    Saying that nothing is wanted declares nothing.
    """
    return any(not says_nothing(entry) for entry in written(container, prefixes))


def opted_out(container: Container, prefixes: Sequence[str]) -> bool:
    """Whether the container says that its output is not to be collected unasked; as cheap."""
    return any(says_nothing(entry) for entry in written(container, prefixes))


def says_nothing(entry: Entry) -> bool:
    """Whether a key opts out, in words of its own and not of its image."""
    return (
        entry.role is Role.SWITCH and not entry.from_image and entry.value.strip(BLANK) == NOTHING
    )


def _entry(prefixes: Sequence[str], strength: int, key: str, value: str) -> Entry | None:
    """What a key is; of several prefixes that fit, the first."""
    dialect = DIALECTS[strength]
    for order, prefix in enumerate(prefixes):
        start = prefix + dialect.start
        if key.startswith(start):
            rest = key[len(start) :]
            role = Role.CUSTOM_CONFIG if rest in CUSTOM_CONFIG else Role.LOG
            if role is Role.LOG and dialect.custom_only:
                continue
        elif dialect.bare and key == start[:-1]:
            role, rest = Role.SWITCH, ""
        else:
            continue
        custom = role is Role.CUSTOM_CONFIG
        return Entry(
            role=role,
            prefix=prefix,
            rest=rest,
            separators=dialect.separators,
            key=key,
            value=value,
            rank=(order, strength + CUSTOM_STRENGTH if custom else strength),
            origin=Origin.CUSTOM_CONFIG if custom else dialect.origin,
        )
    return None


def _texts(container: Container, origin: Origin) -> Mapping[str, str]:
    if origin is Origin.ANNOTATION:
        return container.pod.annotations if container.pod else {}
    return container.env if origin is Origin.ENV else container.labels


def _of_image(container: Container, origin: Origin) -> Mapping[str, str]:
    if origin is Origin.ANNOTATION:
        return {}
    return container.image_env if origin is Origin.ENV else container.image_labels
