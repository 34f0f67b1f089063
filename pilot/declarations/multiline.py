"""Which lines make one event: a preset, or a pattern of the log's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.asking import nearest
from pilot.declarations.numbers import count, duration
from pilot.model import Code
from pilot.treatment import MAX_LINES, TIMEOUT, Match, Multiline

if TYPE_CHECKING:
    from pilot.declarations.asking import Asking

NONE = "none"  # switches off what a weaker dialect switched on
MOST_LINES = 10_000
LEAST_TIMEOUT = 0.1  # seconds
MOST_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Preset:
    r"""Lines that match `pattern` (with `negate`: that do not) belong to the line before them.

    A line may still have its line break when it is looked at, hence `\s*$` and never `$`.
    """

    summary: str  # one sentence
    pattern: str
    negate: bool = False


_DATE = (
    r"^(?:\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\]?:?[ \t]+)?"
    r"[\[(\"]?"
    r"(?:\d{4}[-/.]\d{2}[-/.]\d{2}"  # 2026-01-31, 2026/01/31
    r"|\d{2}[-/.](?:\d{2}|[A-Z][a-z]{2})[-/.]\d{4}"  # 31/Jan/2026, 31.01.2026
    r"|\d{8}[T _-]\d{2}:?\d{2}"  # 20260131T0815
    r"|(?:[A-Z][a-z]{2},? )?[A-Z][a-z]{2} [ \d]\d,? (?:\d{4} )?\d{2}:\d{2}"  # Sat Jan 31 08:15
    r"|[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4}"  # Sat, 31 Jan 2026
    r"|[IWEF]\d{4} \d{2}:\d{2}:\d{2}"  # I0131 08:15:00
    r"|\d{2}:\d{2}:\d{2})"  # 08:15:00
)
PRESETS = {
    "java": Preset(
        "A stack trace belongs to the line before it, with all its causes.",
        r"^[ \t]+\S|^(?:Caused|Wrapped) by: "
        r"|^(?:[A-Za-z_$][\w$]*\.)+[\w$]*(?:Exception|Error|Throwable)(?::|\s*$)",
    ),
    "python": Preset(
        "A traceback belongs to the line before it, with all that it is chained to.",
        r"^[ \t]|^\s*$|^Traceback \(most recent call last\):"
        r"|^During handling of the above exception, another"
        r"|^The above exception was the direct cause of"
        r"|^(?:\w+\.)+[A-Z]\w*(?::|\s*$)"
        r"|^[A-Z][A-Za-z]*"
        r"(?:Error|Exception|Warning|Interrupt|Exit|Group|Iteration|Timeout)(?::|\s*$)",
    ),
    "go": Preset(
        "A panic is one event with the stacks of all goroutines.",
        r"^[ \t]|^\s*$|^goroutine \d+ |^\[signal |^\[originating from |^created by |^exit status \d"
        r"|^panic\(|^\.\.\.|^(?:r[a-z0-9]{1,5}|[c-g]s)[ \t]+0x"
        r"|^[\w/%~-]+\.[\w./%~\[\]-]*(?:\(\*?\w[^)\s]*\)[^\s(]*)?\(.*\)\s*$",
    ),
    "ruby": Preset(
        "The backtrace of an exception belongs to the line before it.",
        r"^[ \t]+\S|^\s*$|^Caused by:|^Did you mean\?"
        r"|^[^\s:]+:\d+:in [`'][^`']*'\s*$",
    ),
    "dotnet": Preset(
        "A stack trace belongs to the line before it, with all inner exceptions.",
        r"^[ \t]+\S|^--- End of |^(?:\w+\.)+\w*(?:Exception|Error)(?: \(\w+\))?(?::|\s*$)",
    ),
    "indent": Preset("A line that begins with a blank belongs to the line before it.", r"^[ \t]"),
    "date": Preset(
        "A line that does not begin with a date or a time belongs to the line before it.",
        _DATE,
        negate=True,
    ),
}
_OF_A_PATTERN = (options.NEGATE, options.MATCH)
_OF_BOTH = (options.MAX_LINES, options.TIMEOUT)


def multiline(asking: Asking) -> Multiline | None:
    """How lines are joined, None if they are not; refuses the log for what is not understood."""
    chosen = asking.text(options.MULTILINE)
    parsed = asking.regexp(options.MULTILINE_PATTERN)
    negate, match = _negate(asking), _match(asking)
    lines = count(asking, options.MAX_LINES, least=1, most=MOST_LINES, default=MAX_LINES)
    timeout = duration(
        asking, options.TIMEOUT, least=LEAST_TIMEOUT, most=MOST_TIMEOUT, default=TIMEOUT
    )
    if chosen and chosen not in PRESETS and chosen != NONE:
        _unknown(asking, chosen)
        return None
    if asking.text(options.MULTILINE_PATTERN) and chosen != NONE:
        if chosen:
            _ignored(asking, (options.MULTILINE,), "the log has a pattern of its own, which counts")
        if parsed is None:
            return None
        return Multiline(
            pattern=parsed.source, negate=negate, match=match, max_lines=lines, timeout=timeout
        )
    if chosen in PRESETS:
        _ignored(asking, _OF_A_PATTERN, f"{chosen!r} has its own, and the log no multiline_pattern")
        preset = PRESETS[chosen]
        return Multiline(
            pattern=preset.pattern, negate=preset.negate, max_lines=lines, timeout=timeout
        )
    if not chosen:
        without = "the log has neither multiline nor multiline_pattern"
        _ignored(asking, (*_OF_A_PATTERN, *_OF_BOTH), without)
    return None


def _unknown(asking: Asking, chosen: str) -> None:
    reason = f"it is one of {', '.join(PRESETS)} and {NONE}; a pattern goes into multiline_pattern."
    hint = nearest(chosen, (*PRESETS, NONE))
    asking.refuse(options.MULTILINE, Code.MULTILINE_INVALID, reason, hint=hint)


def _ignored(asking: Asking, names: tuple[str, ...], why: str) -> None:
    for name in names:
        if asking.text(name):
            asking.note(name, Code.MULTILINE_INVALID, f"this is ignored, because {why}.")


def _negate(asking: Asking) -> bool:
    text = asking.text(options.NEGATE).lower()
    if text in {"", "false", "true"}:
        return text == "true"
    hint = "true" if text in {"1", "yes", "on", "y"} else nearest(text, ("true", "false"))
    hint = "false" if text in {"0", "no", "off", "n"} else hint
    reason = "this is neither true nor false."
    asking.refuse(options.NEGATE, Code.MULTILINE_INVALID, reason, hint=hint)
    return False


def _match(asking: Asking) -> Match:
    text = asking.text(options.MATCH).lower()
    if not text:
        return Match.AFTER
    if text in tuple(Match):
        return Match(text)
    reason = "this is neither after nor before."
    hint = nearest(text, tuple(match.value for match in Match))
    asking.refuse(options.MATCH, Code.MULTILINE_INVALID, reason, hint=hint)
    return Match.AFTER
