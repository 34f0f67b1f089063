"""Explains containers given as files, with what is to be seen of their folders on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilot import piloters
from pilot.accept import accept
from pilot.claims import Claims, lost_claim
from pilot.cli.findings import Judge
from pilot.cli.inputs import read_input, title
from pilot.cli.looking import known_sets
from pilot.cli.placing import placed
from pilot.explaining import KnownContainer, answer, not_found
from pilot.explaining import explain as explained
from pilot.model import Code
from pilot.wiring import policy_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilot.cli.findings import Finding
    from pilot.manifests import Manifest, Surroundings
    from pilot.model import Container, Log, Rejection
    from pilot.settings import Settings


def from_file(
    name: str, log_name: str, settings: Settings, surroundings: Surroundings
) -> dict[str, Any]:
    """The explanation of the containers in a file ("-": stdin).

    Raises ValueError, with a sentence, for a file that is none; OSError; PiloterError for an
    unusable setting.
    """
    manifest = read_input(name, surroundings)
    piloter = piloters.create(settings.type, settings)
    policy = policy_for(settings, piloter)
    judge = Judge(
        settings=settings,
        policy=policy,
        refuse=piloter.refuse,
        kubelet_root=surroundings.kubelet_root,
    )
    judged = judge.findings(manifest)
    if not manifest.containers:
        said = " ".join(dict.fromkeys(one.rejection.reason for one in judged))
        sentence = f"there is no container in {title(name)}. {said}".strip()
        return not_found(name, sentence, live=False)
    containers = [placed(each.container, surroundings.kubelet_root) for each in manifest.containers]
    accepted = [
        accept(each, settings=settings, policy=policy, refuse=piloter.refuse) for each in containers
    ]
    claims, by_id = Claims(), {each.id: each for each in containers}
    for each, one in zip(containers, accepted, strict=True):
        claims.claim(each, (s.name for log in one.logs for s in log.file_sets))
    found = []
    for number, (each, one) in enumerate(zip(containers, accepted, strict=True)):
        owners = _owners(each, one.logs, claims, by_id)
        rejections = [*one.rejections, *_lost(each, one.logs, owners)]
        sets = known_sets(each, one.logs, owners, settings=settings, policy=policy)
        found.append(
            explained(
                each,
                settings=settings,
                logs=one.logs,
                rejections=[*rejections, *_further(manifest, number, rejections, judged)],
                known=KnownContainer(sets=sets),
            )
        )
    return answer(name, found, log=log_name, live=False)


def _lost(
    loser: Container, logs: Sequence[Log], owners: Mapping[str, Container]
) -> list[Rejection]:
    return [
        lost_claim(log, owners[one.name], loser)
        for log in logs
        for one in log.file_sets
        if one.name in owners
    ]


def _further(
    manifest: Manifest, number: int, said: Sequence[Rejection], judged: Sequence[Finding]
) -> list[Rejection]:
    """What only the whole file tells of one of its containers: strangers, secrets, strays."""
    found = manifest.containers[number]
    known = {(each.code, each.key) for each in said}
    declares = {each.key for each in said}
    return [
        each.rejection
        for each in judged
        if (each.rejection.code, each.rejection.key) not in known
        and (each.rejection.code is not Code.OPTION_UNKNOWN or each.rejection.key in declares)
        and each.container in ("", found.container.name)
        and (found.line(each.rejection.key) == each.line or (number == 0 and not each.container))
    ]


def _owners(
    container: Container,
    logs: Sequence[Log],
    claims: Claims,
    by_id: Mapping[str, Container],
) -> dict[str, Container]:
    """File set → the other container of the file that has it."""
    names = [one.name for log in logs for one in log.file_sets]
    owners = {name: claims.owner(name) for name in names}
    return {name: by_id[one] for name, one in owners.items() if one and one != container.id}
