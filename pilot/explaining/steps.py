"""The sentences of each step, in order: for a log from its meaning to the bytes read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot import declarations
from pilot.explaining import sentences
from pilot.explaining.explanation import About, Step
from pilot.model import Code, Origin, State, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pilot.explaining.explanation import Nearly, Refusal, SetExplanation
    from pilot.explaining.known import KnownContainer
    from pilot.model import Container, Log
    from pilot.settings import Settings

SAID_FILES = 10  # of one file set that get a sentence each


def of_log(
    log: Log,
    sets: Sequence[SetExplanation],
    *,
    index: str,
    known: KnownContainer,
    cannot: Collection[str] = (),
) -> Iterator[Step]:
    """Step by step from what it means to how far the collector, which lacks `cannot`, is."""
    for each in (*sentences.treatment(log, cannot), sentences.routing(log, index)):
        yield Step(About.BECOMES, each)
    if log.tags:
        yield Step(About.BECOMES, sentences.tags(log))
    for one in sets:
        yield Step(About.PLACE, sentences.place(one))
        if one.owner:
            yield Step(About.PLACE, f"its files are collected for the container {one.owner}")
        else:
            yield from _of_files(one)
    mine = [each for each in sets if not each.owner]
    if mine and known.live:
        yield from _of_fragment(known)
        yield from _of_collector(mine, known)
    for one in mine:
        if one.lost["files"]:
            lost = f"{one.lost['bytes']} bytes in {one.lost['files']} files of {one.pattern}"
            yield Step(About.LOST, f"{lost} were given up unread")


def _of_files(one: SetExplanation) -> Iterator[Step]:
    if one.problem:
        yield Step(About.FILE, one.problem)
    elif one.note:
        yield Step(About.FILE, one.note)
    elif not one.files:
        yield Step(About.FILE, "no file matches now; one is taken as soon as it appears")
    for each in one.files[:SAID_FILES]:
        yield Step(About.FILE, sentences.file(each))
    if one.files_found > SAID_FILES:
        yield Step(About.FILE, f"and {one.files_found - SAID_FILES} more")
    for name, why in sorted(one.refused.items())[:SAID_FILES]:
        yield Step(About.FILE, f"{shorten(name)}: not collected: {why}")
    for name, who in sorted(one.claimed.items())[:SAID_FILES]:
        yield Step(About.FILE, f"{shorten(name)}: not collected here: {who}")


def _of_fragment(known: KnownContainer) -> Iterator[Step]:
    where = ", ".join(known.fragments) or "no file of the collector's config holds it yet"
    yield Step(About.FRAGMENT, where)
    if known.unwritten:
        yield Step(About.FRAGMENT, known.unwritten)


def _of_collector(mine: Sequence[SetExplanation], known: KnownContainer) -> Iterator[Step]:
    if known.unread_records:
        said = f"its records cannot be read: {shorten(known.unread_records, sentences.SHOWN)}"
        yield Step(About.COLLECTOR, said)
    if known.blocked:
        yield Step(About.COLLECTOR, "it acknowledges nothing: its output is blocked, or it is down")
    for one in mine:
        for each in one.files[:SAID_FILES]:
            yield Step(About.COLLECTOR, sentences.progress(each))
        phase = one.phase or known.phase
        deadline = ""
        if phase == "draining" and known.deadline_in is not None:
            deadline = f"; what is unread is given up in {known.deadline_in:.0f} s"
        paused = "; its copies wait, because an allowance or a floor is reached"
        yield Step(About.STATE, f"{phase}{deadline}{paused if one.paused else ''}")


def of_container(
    container: Container,
    *,
    names: Sequence[str],
    near_keys: Sequence[Nearly],
    rest: Sequence[Refusal],
    known: KnownContainer,
    settings: Settings,
) -> Iterator[Step]:
    """What is said of the container itself: above all where nothing is declared."""
    if container.state is State.CREATED:
        yield Step(About.STATE, "created and not started: nothing is collected before it starts")
    if not names and declarations.opted_out(container, settings.log_prefixes):
        yield Step(
            About.DECLARED, "its output is not to be collected, and nothing else is declared"
        )
    elif not names and declarations.declares(container, settings.log_prefixes) and not rest:
        yield Step(About.DECLARED, "nothing for this container; its pod declares logs of others")
    elif not names and all(each.code == Code.ANNOTATION_ELSEWHERE for each in rest):
        place = Origin.ANNOTATION if container.pod else Origin.ENV
        starts = " or ".join(declarations.key_of(each, "", place) for each in settings.log_prefixes)
        yield Step(About.DECLARED, f"nothing: no key of it begins as a log's does, with {starts}")
        for key in near_keys:
            origin = sentences.PLACES.get(key.origin, key.origin)
            shown = shorten(key.key, sentences.SHOWN)
            said = f"{shown!r} ({origin}) looks nearly right; write {key.hint!r}"
            yield Step(About.DECLARED, said)
        yield Step(About.DECLARED, f"to copy: {_example(container, settings)}")
    if known.lost_files:
        said = f"{known.lost_bytes} bytes in {known.lost_files} files were given up at the deadline"
        yield Step(About.LOST, said)
    for each in rest:
        about = About.NOTICE if each.notice else About.REJECTED
        yield Step(about, sentences.refusal(each))


def _example(container: Container, settings: Settings) -> str:
    prefix = settings.log_prefixes[0]
    if container.pod:
        return f'the annotation {declarations.key_of(prefix, "app", Origin.ANNOTATION)}: "stdout"'
    return f"the environment variable {declarations.key_of(prefix, 'app', Origin.ENV)}=stdout"
