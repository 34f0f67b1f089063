"""A treatment in a fragment: a mapping of whatever differs from doing nothing.

What is not understood is refused, never left out: a line that was to be held back would go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilot.piloters.console.encodings import known
from pilot.piloters.console.parsing import Parser
from pilot.piloters.console.sifting import Sifter, compiled
from pilot.treatment import Format, Match, Multiline, Treatment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXTS = ("encoding", "include", "exclude", "pattern", "time_key", "time_format", "target")
NOTHING = Treatment()


def plain(treatment: Treatment) -> dict[str, object]:
    """The mapping that `parse` takes for this treatment."""
    content: dict[str, object] = {
        "format": treatment.format.value,
        "max_bytes": treatment.max_bytes,
        "keys": list(treatment.keys),
        **{key: getattr(treatment, key) for key in TEXTS},
    }
    if treatment.multiline:
        content["multiline"] = {
            "pattern": treatment.multiline.pattern,
            "negate": treatment.multiline.negate,
            "match": treatment.multiline.match.value,
            "max_lines": treatment.multiline.max_lines,
            "timeout": treatment.multiline.timeout,
        }
    return {key: value for key, value in content.items() if value and value != Format.NONE.value}


def parse(raw: object) -> Treatment:
    """The treatment of such a mapping, with all that is in it usable. Raises ValueError."""
    taken: dict[str, Callable[[object], Any]] = {
        "format": lambda value: Format(_text(value)),
        "max_bytes": _count,
        "keys": _texts,
        "multiline": _multiline,
        **dict.fromkeys(TEXTS, _text),
    }
    treatment = Treatment(**_read(raw, taken))
    if not known(treatment.encoding):
        raise ValueError(f"the encoding {treatment.encoding!r} is not known")
    if (treatment.format is Format.REGEXP) is not bool(treatment.pattern):
        raise ValueError("`pattern` belongs to format regexp, and it to that")
    if (treatment.format is Format.CSV) is not bool(treatment.keys):
        raise ValueError("`keys` belong to format csv, and it to them")
    Sifter(treatment)
    Parser(treatment)
    return treatment


def _multiline(raw: object) -> Multiline:
    taken: dict[str, Callable[[object], Any]] = {
        "pattern": _text,
        "negate": _truth,
        "match": lambda value: Match(_text(value)),
        "max_lines": _count,
        "timeout": _seconds,
    }
    values = _read(raw, taken)
    if values.keys() != taken.keys():
        raise ValueError(f"it lacks {', '.join(sorted(taken.keys() - values.keys()))}")
    compiled(values["pattern"])
    return Multiline(**values)


def _read(raw: object, taken: Mapping[str, Callable[[object], Any]]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("it must be a mapping")  # noqa: TRY004 -- about a fragment
    values = {}
    for key, value in raw.items():
        if key not in taken:
            raise ValueError(f"it holds the unknown key {key!r}")
        try:
            values[key] = taken[key](value)
        except ValueError as error:
            raise ValueError(f"`{key}`: {error}") from error
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be text")  # noqa: TRY004 -- about a fragment
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("it must be a list")  # noqa: TRY004 -- about a fragment
    return tuple(_text(each) for each in value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004 -- about a fragment
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("it must be a number above 0")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise ValueError("it must be a number of seconds above 0")
    return float(value)
