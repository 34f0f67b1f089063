"""Why a key of ours declares nothing, in the words that its writer is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.asking import nearest
from pilot.declarations.items import MAX_NAME, check_name, check_value, is_log_value
from pilot.model import Code, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pilot.declarations.dialects import Entry

MAX_COMPARED = 20  # names; looking for the nearest of more is dear


def no_log(name: str, entry: Entry, logs: Collection[str], *, hint: bool) -> Rejection | None:
    """Why a key declares no log: an option mistyped, one without its log, a bad name or value."""
    if not is_log_value(entry.value) and (rejection := _no_option(name, entry, logs, hint=hint)):
        return rejection
    return check_name(name, entry.key, shorten(entry.value)) or check_value(
        name, entry.key, entry.value
    )


def of_image(entry: Entry) -> Rejection:
    """What an image declares where only those who run containers may."""
    return Rejection(
        code=Code.IMAGE_REFUSED,
        key=entry.key,
        value=shorten(entry.value),
        reason="the image brought this, and here only what a container is started with declares"
        " logs; repeat it there, in other words if need be.",
    )


def bad_switch(entry: Entry) -> Rejection:
    """A key without a log's name that does not say `none`."""
    return Rejection(
        code=Code.VALUE_INVALID,
        key=entry.key,
        value=shorten(entry.value),
        reason="a key without a log's name can only be none: the output of this container is then"
        " not collected unless a log declares it.",
        hint="none",
    )


def shadowed(name: str, winner: Entry, loser: Entry) -> Rejection:
    """The same under two prefixes."""
    return Rejection(
        code=Code.NAME_SHADOWED,
        key=loser.key,
        value=shorten(loser.value),
        log=shorten(name),
        reason=f"{shorten(winner.key)!r} declares the same and its prefix comes first.",
        notice=True,
    )


def too_many_keys(surplus: Sequence[Entry], most: int) -> Rejection:
    """Where keys beyond a number are not looked at, the first of them."""
    first = surplus[0]
    return Rejection(
        code=Code.LOGS_TOO_MANY,
        key=first.key,
        value=shorten(first.value),
        reason=f"of one container {most} keys are read; this one and {len(surplus) - 1} behind it"
        " are not.",
    )


def too_many(name: str, entry: Entry) -> Rejection:
    """One log more than a container may have."""
    return Rejection(
        code=Code.LOGS_TOO_MANY,
        key=entry.key,
        value=shorten(entry.value),
        log=name,
        reason="the container declares more logs than it may; those whose names sort first are"
        " kept.",
    )


def capped(rejections: Sequence[Rejection], limit: int) -> tuple[Rejection, ...]:
    """So many of them; the last counts those that are left out."""
    if len(rejections) <= limit:
        return tuple(rejections)
    rest = rejections[limit - 1 :]
    counted = Rejection(
        code=Code.LOGS_TOO_MANY,
        key=rest[0].key,
        reason=f"here and behind it {len(rest)} more rejections and notices of this container are"
        f" not shown; {limit} is the limit.",
        notice=all(each.notice for each in rest),
    )
    return (*rejections[: limit - 1], counted)


def _no_option(name: str, entry: Entry, logs: Collection[str], *, hint: bool) -> Rejection | None:
    """What a key was meant as whose value is no log's: an option that there is not."""
    if guessed := options.guess(name, logs) if hint else None:
        base, meant = guessed
        return _unknown(name, base, entry, _hint(entry, base, meant))
    for base, option in options.split(name, entry.separators):
        near = _near(base, logs, entry.separators) if hint else ""
        return Rejection(
            code=Code.VALUE_INVALID,
            key=entry.key,
            value=shorten(entry.value),
            log=shorten(name),
            reason=f"the log {shorten(base)!r} is not declared, so this is not its option"
            f" {shorten(option)!r} but a log of its own, whose value would be stdout or a path.",
            hint=_hint(entry, near, option) if near else "",
        )
    for at in range(min(len(name) - 2, MAX_NAME), 0, -1):
        if name[at] in entry.separators and name[:at] in logs:
            return _unknown(name, name[:at], entry, "")
    return None


def _near(base: str, logs: Collection[str], separators: str) -> str:
    """The log that was probably meant; not what may be one more option of the missing one."""
    if len(logs) > MAX_COMPARED:
        return ""
    options_of_it = tuple(base + separator for separator in separators)
    return nearest(base, (each for each in logs if not each.startswith(options_of_it)))


def _unknown(name: str, base: str, entry: Entry, hint: str) -> Rejection:
    option = shorten(name[len(base) + 1 :])
    reason = f"the log {shorten(base)!r} has no option {option!r}."
    if option.lower() in options.TAGS_IN_DISGUISE:
        reason = f"{reason[:-1]}; it is a tag: {option.lower()}={shorten(entry.value)}."
    return Rejection(
        code=Code.OPTION_UNKNOWN,
        key=entry.key,
        value=shorten(entry.value),
        log=shorten(base),
        reason=reason,
        hint=hint,
    )


def _hint(entry: Entry, base: str, option: str) -> str:
    separator = entry.separators[0]
    start = entry.key.removesuffix(entry.rest)
    return shorten(f"{start}{base}{separator}{options.spell(option, separator)}", 200)
