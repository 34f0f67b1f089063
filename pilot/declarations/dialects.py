"""Where declarations are written: the container's environment and its labels.

A dialect is only a place and a spelling. Which of the keys name a log and which name an option of
one is decided once, for all dialects together, in `pilot.declarations.find`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pilot.model import Container


@dataclass(frozen=True, slots=True)
class Dialect:
    """One place and its spelling: `<prefix><start><name>[<separator><option>]`."""

    texts: Callable[[Container], Mapping[str, str]]
    start: str
    separators: str  # each may stand between a name and an option; hints use the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of ours: `rest` is what follows the prefix; a lower `rank` wins over a higher."""

    prefix: str
    rest: str
    separators: str
    key: str  # as written
    value: str
    rank: tuple[int, int]


def _env(container: Container) -> Mapping[str, str]:
    return container.env


def _labels(container: Container) -> Mapping[str, str]:
    return container.labels


# The strongest first. log-pilot turned every `_` of an environment key into a dot, so both were
# separators there: `aliyun_logs_web.tags` worked and still does.
DIALECTS = (
    Dialect(_env, "_logs_", "_."),
    Dialect(_env, ".logs.", "."),
    Dialect(_labels, ".logs.", "."),
)

CUSTOM_CONFIG = "_logs_custom_config"  # log-pilot's, in environment and labels spelled alike


def written(container: Container, prefixes: Sequence[str]) -> Iterator[Entry]:
    """Every key that starts as a declaration does. What is not ours costs one comparison."""
    for strength, dialect in enumerate(DIALECTS):
        starts = tuple(prefix + dialect.start for prefix in prefixes)
        for key, value in dialect.texts(container).items():
            if key.startswith(starts) and not _is_custom_config(key, prefixes):
                order = next(i for i, start in enumerate(starts) if key.startswith(start))
                yield Entry(
                    prefix=prefixes[order],
                    rest=key[len(starts[order]) :],
                    separators=dialect.separators,
                    key=key,
                    value=value,
                    rank=(order, strength),
                )


def custom_configs(container: Container, prefixes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The keys and values of log-pilot's raw collector options."""
    for key in dict.fromkeys(prefix + CUSTOM_CONFIG for prefix in prefixes):
        for texts in (container.env, container.labels):
            if key in texts:
                yield key, texts[key]


def declares(container: Container, prefixes: Sequence[str]) -> bool:
    """Whether anything of the container may be a declaration; cheap, for those that have none."""
    return any(True for _ in written(container, prefixes)) or any(
        True for _ in custom_configs(container, prefixes)
    )


def _is_custom_config(key: str, prefixes: Sequence[str]) -> bool:
    return key.endswith(CUSTOM_CONFIG) and key.removesuffix(CUSTOM_CONFIG) in prefixes
