"""One container, what was accepted of it and what is known of its files → its explanation. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pilot.explaining import sentences
from pilot.explaining.declared import declared, mount_place, treatment_data
from pilot.explaining.declared import refused as refused_key
from pilot.explaining.explanation import (
    About,
    Explanation,
    LogExplanation,
    Outcome,
    Refusal,
    SetExplanation,
    Step,
    Written,
)
from pilot.explaining.known import KnownContainer, KnownSet
from pilot.explaining.near import nearly
from pilot.explaining.steps import of_container, of_log
from pilot.model import Code, Framing, Origin
from pilot.policy import COLLECT_KEY, COLLECTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilot.explaining.declared import Found
    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.settings import Settings

LINK = "docs/rejections.md#"


def explain(
    container: Container,
    *,
    settings: Settings,
    logs: Sequence[Log],
    rejections: Iterable[Rejection],
    known: KnownContainer | None = None,
) -> Explanation:
    """Everything about a container's logs.

    `rejections` are all of it: those of its declarations, lost claims, what looks refused.
    """
    known = known or KnownContainer()
    refused: dict[str, list[Refusal]] = defaultdict(list)
    by_image = True
    for each in rejections:
        refused[each.log].append(_refusal(each))
        # A policy may have decided it; whatever is refused of an image is refused as a whole.
        by_image &= each.code is not Code.IMAGE_REFUSED
    rest = tuple(refused.pop("", ()))
    found = declared(container, settings, by_image=by_image)
    accepted = {each.name: each for each in logs}
    names = sorted({*accepted, *found, *refused})
    explained = tuple(
        _log(
            container, each, found=found, log=accepted.get(each), refused=refused[each], known=known
        )
        for each in names
    )
    near_keys = () if names else nearly(container, settings.log_prefixes)
    said = of_container(
        container, names=names, near_keys=near_keys, rest=rest, known=known, settings=settings
    )
    pod = container.pod
    return Explanation(
        id=container.id,
        name=container.name,
        pod=f"{pod.namespace}/{pod.name}" if pod else "",
        container=pod.container if pod else "",
        image=container.image,
        state=container.state,
        phase=known.phase,
        gone=known.gone,
        deadline_in=known.deadline_in,
        lost={"files": known.lost_files, "bytes": known.lost_bytes},
        fragments=known.fragments,
        outcome=_overall(explained, rest),
        logs=explained,
        rejections=rest,
        nearly=near_keys,
        steps=tuple(said),
    )


def _overall(logs: Sequence[LogExplanation], rest: Sequence[Refusal]) -> Outcome:
    """The worst of a container's logs."""
    if not logs and all(each.notice for each in rest):
        return Outcome.UNDECLARED
    outcomes = {each.outcome for each in logs}
    if any(not each.notice for each in rest):
        outcomes.add(Outcome.REJECTED)
    if outcomes - {Outcome.REJECTED} and Outcome.REJECTED in outcomes:
        return Outcome.PARTLY
    order = (Outcome.REJECTED, Outcome.PARTLY, Outcome.WAITING, Outcome.COLLECTED)
    return next((each for each in order if each in outcomes), Outcome.ELSEWHERE)


def _refusal(one: Rejection) -> Refusal:
    return Refusal(
        code=one.code,
        key=one.key,
        value=one.value,
        log=one.log,
        reason=one.reason,
        hint=one.hint,
        notice=one.notice,
        link=f"{LINK}{one.code}",
    )


def _log(
    container: Container,
    name: str,
    *,
    found: Found,
    log: Log | None,
    refused: Sequence[Refusal],
    known: KnownContainer,
) -> LogExplanation:
    head, options = found.get(name, (None, ()))
    sets = tuple(_set(container, log, each, known=known) for each in log.file_sets) if log else ()
    if log and head is None and log.key == COLLECT_KEY:
        head = Written(key=COLLECT_KEY, value=COLLECTED, origin=Origin.POLICY)
    if head is None and refused:
        head = refused_key(container, refused[0].key, refused[0].value)
    outcome = _outcome(sets, refused)
    index = (log.tags.get("index") or log.target or log.name) if log else ""
    steps = [Step(About.DECLARED, sentences.written(head))] if head else []
    steps += [Step(About.OPTION, sentences.written(each)) for each in options]
    if log:
        cannot = {each.value for each in refused if each.code == Code.OPTION_UNSUPPORTED}
        steps += of_log(log, sets, index=index, known=known, cannot=cannot)
    for each in sorted(refused, key=lambda one: not one.notice):
        about = About.NOTICE if each.notice else About.REJECTED
        steps.append(Step(about, sentences.refusal(each)))
    return LogExplanation(
        name=name,
        outcome=outcome,
        declared=head,
        options=options,
        treatment=treatment_data(log.treatment) if log else {},
        target=log.target if log else "",
        index=index,
        tags=dict(log.tags) if log else {},
        sets=sets,
        rejections=tuple(refused),
        steps=tuple(steps),
    )


# Notices of what another container of the pod has.
ELSEWHERE = (Code.ANNOTATION_ELSEWHERE, Code.CLAIMED)


def _outcome(sets: Sequence[SetExplanation], refused: Sequence[Refusal]) -> Outcome:
    bad = any(not each.notice for each in refused)
    mine = [each for each in sets if not each.owner]
    if not mine:
        elsewhere = not bad and any(e.code in ELSEWHERE for e in refused)
        return Outcome.ELSEWHERE if elsewhere else Outcome.REJECTED
    if bad:
        return Outcome.PARTLY
    return Outcome.WAITING if any(each.problem for each in mine) else Outcome.COLLECTED


def _set(
    container: Container, log: Log, file_set: FileSet, *, known: KnownContainer
) -> SetExplanation:
    here = known.sets.get(file_set.name, KnownSet())
    inside = file_set.inside.rstrip("/")
    return SetExplanation(
        name=file_set.name,
        path="" if file_set.framing is not Framing.LINES else f"{inside}/{file_set.pattern}",
        streams=tuple(log.streams(file_set)),
        framing=file_set.framing,
        mount=mount_place(container, file_set),
        folder=file_set.directory,
        pattern=file_set.pattern,
        rotated=file_set.rotated,
        owner=here.owner,
        phase=here.phase,
        pins_folder=here.pins_folder,
        folders=here.folders,
        problem=here.problem,
        note=here.note,
        paused=here.paused,
        lost={"files": here.lost_files, "bytes": here.lost_bytes},
        files_found=here.files_found,
        files=here.files,
        refused=dict(here.refused),
        claimed=dict(here.claimed),
    )
