"""What can be said of a manifest before it runs: what the pilot will refuse, and likely slips.

The pilot judges one container after the other, on its node. Here the whole pod is known, and what
only the node or the cluster knows is taken to be all right.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot.accept import accept, declares
from pilot.claims import Claims, lost_claim
from pilot.cli.placing import placed
from pilot.declarations import key_of
from pilot.declarations.spelling import anywhere, is_ours, meant
from pilot.model import Code, Origin, Rejection, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pilot.accept import Accepted
    from pilot.manifests import Found, Manifest
    from pilot.model import Container, Log
    from pilot.policy import Policy
    from pilot.settings import Settings

_ROOTFS = "/<root>/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs"
_STAND_IN = "/<unknown>/file"  # a log's value that is not known here


@dataclass(frozen=True, slots=True)
class Finding:
    """One rejection or notice, with where it stands."""

    file: str
    line: int
    rejection: Rejection
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What the pilot's settings make of manifests."""

    settings: Settings
    policy: Policy
    refuse: Callable[[Log], Sequence[Rejection]]
    kubelet_root: str

    def findings(self, manifest: Manifest) -> list[Finding]:
        """Everything to say of one file, by line; what is said twice alike is said once."""
        prefixes = self.settings.log_prefixes
        made: list[Finding] = []
        pods: dict[tuple[int, object], list[Found]] = defaultdict(list)
        for found in manifest.containers:
            pods[id(found.document), found.pod].append(found)
            made += (_finding(found, each) for each in _spelling(found, prefixes))
            made += (_finding(found, each) for each in _unknown(found, prefixes))
        for together in pods.values():
            made += self._pod(together)
        for stray in manifest.strays:
            for key, value in stray.texts.items():
                if anywhere(key, prefixes):
                    rejection = Rejection(
                        code=stray.code,
                        key=key,
                        value=shorten(value if isinstance(value, str) else repr(value)),
                        reason=stray.reason,
                        hint=stray.hint,
                        notice=stray.notice,
                    )
                    made.append(Finding(stray.document.origin, stray.line(key), rejection))
        return _distinct(made)

    def _pod(self, together: list[Found]) -> Iterator[Finding]:
        """What is refused of the containers that know each other, and what none of them takes."""
        declaring = [
            (found, container)
            for found in together
            if declares(container := self._assumed(found), self.settings)
        ]
        if not declaring:
            return
        accepted = [(found, container, self._accepted(container)) for found, container in declaring]
        mounted = _mounted(accepted)
        for found, _, one in accepted:
            for rejection in one.rejections:
                if rejection.key in found.unknown:
                    continue
                if rejection.code is not Code.ANNOTATION_ELSEWHERE:
                    yield _finding(found, rejection)
                elif (rejection.key, rejection.value) not in mounted:
                    yield _finding(found, _nowhere(rejection))
        for found, rejection in _lost(accepted):
            yield _finding(found, rejection)
        for rejection in _strangers(together, self.settings.log_prefixes):
            yield _finding(together[0], rejection)

    def _assumed(self, found: Found) -> Container:
        return _assumed(found, self.settings, self.kubelet_root)

    def _accepted(self, container: Container) -> Accepted:
        return accept(container, settings=self.settings, policy=self.policy, refuse=self.refuse)


def text_of(finding: Finding) -> str:
    """`file:line: code: sentence`, one line whatever tenants wrote."""
    rejection = finding.rejection
    word = f"{rejection.code}: notice" if rejection.notice else str(rejection.code)
    said = str(rejection).removeprefix(f"{rejection.code}: ")
    return printable(f"{finding.file}:{finding.line}: {word}: {said}")


def _finding(found: Found, rejection: Rejection) -> Finding:
    line = found.line(rejection.key)
    container = found.container.name
    if (Origin.ANNOTATION, rejection.key) in found.where:
        container = ""  # It is the pod's, and what is wrong with it is wrong for each.
    return Finding(found.document.origin, line, rejection, container)


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    seen: dict[tuple[object, ...], Finding] = {}
    for each in findings:
        one = each.rejection
        seen.setdefault((each.line, one.code, one.key, one.value, one.reason), each)
    return sorted(
        seen.values(), key=lambda each: (each.line, each.rejection.key, each.rejection.code)
    )


def _assumed(found: Found, settings: Settings, kubelet_root: str) -> Container:
    """The container as it may be on its node, so that only what is wrong here is found wrong."""
    container = placed(found.container, kubelet_root)
    ours = [key for key in found.unknown if is_ours(key, Origin.ENV, settings.log_prefixes)]
    if not (ours or settings.rootfs):
        return container
    labels = [key for key in found.unknown if (Origin.LABEL, key) in found.where]
    texts = (*container.env, *container.labels)
    known = {*(key for key in texts if anywhere(key, settings.log_prefixes)), *ours}
    # An option without its log would count as a log of its own.
    logs = {
        key: _STAND_IN
        for key in ours
        if not any(key.startswith((f"{other}_", f"{other}.")) for other in known - {key})
    }
    return replace(
        container,
        env={**container.env, **{key: logs[key] for key in logs if key not in labels}},
        labels={**container.labels, **{key: logs[key] for key in logs if key in labels}},
        rootfs=container.rootfs or (_ROOTFS if settings.rootfs else ""),
    )


def _unknown(found: Found, prefixes: Sequence[str]) -> Iterator[Rejection]:
    for key, source in found.unknown.items():
        if is_ours(key, Origin.ENV, prefixes):
            yield Rejection(
                code=Code.ENV_UNKNOWN,
                key=key,
                reason=f"its value comes from {source}, so nothing can be said about it here.",
                notice=True,
            )


def _spelling(found: Found, prefixes: Sequence[str]) -> Iterator[Rejection]:
    """Keys that are not read and look as if they were meant to be."""
    pod = found.container.pod
    texts = {
        Origin.ANNOTATION: pod.annotations if pod else {},
        Origin.ENV: found.container.env,
        Origin.LABEL: found.container.labels,
    }
    for origin, key in found.where:
        if hint := meant(key, origin, prefixes):
            yield Rejection(
                code=Code.OPTION_UNKNOWN,
                key=key,
                value=shorten(texts.get(origin, {}).get(key, "")),
                reason=f"as {_ARTICLE[origin]} this declares nothing; keys are "
                + " or ".join(key_of(prefix, "<name>", origin) for prefix in prefixes)
                + ".",
                hint=shorten(hint, 200),
                notice=True,
            )


_ARTICLE = {
    Origin.ANNOTATION: "an annotation",
    Origin.ENV: "an environment variable",
    Origin.LABEL: "a label",
}


def _mounted(accepted: Sequence[tuple[Found, Container, Accepted]]) -> set[tuple[str, str]]:
    """Keys and items of annotations that some containers take, of those that others do not.

    A container that takes no item says so once, with the whole value.
    """
    concerned: Counter[str] = Counter()
    elsewhere: Counter[tuple[str, str]] = Counter()
    whole: dict[str, str] = {}
    for _, container, one in accepted:
        said = {
            (each.key, each.value)
            for each in one.rejections
            if each.code is Code.ANNOTATION_ELSEWHERE
        }
        elsewhere.update(said)
        concerned.update({key for key, _ in said} | {log.key for log in one.logs})
        annotations = container.pod.annotations if container.pod else {}
        whole.update((key, shorten(annotations.get(key, ""))) for key, _ in said)
    numbers = {
        (key, value): number + (elsewhere[key, whole[key]] if value != whole[key] else 0)
        for (key, value), number in elsewhere.items()
    }
    return {each for each, number in numbers.items() if number < concerned[each[0]]}


def _nowhere(rejection: Rejection) -> Rejection:
    return replace(
        rejection,
        code=Code.PATH_NOT_MOUNTED,
        reason="no container of the pod has a volume mounted at or above this path;"
        " mount one there, or write to stdout.",
        notice=False,
    )


def _lost(
    accepted: Sequence[tuple[Found, Container, Accepted]],
) -> Iterator[tuple[Found, Rejection]]:
    """Files that two containers of a pod declare; one annotation for both is no quarrel."""
    if sum(bool(one.logs) for *_, one in accepted) < 2:
        return
    claims = Claims()
    for _, container, one in accepted:
        claims.claim(container, (each.name for log in one.logs for each in log.file_sets))
    owners = {container.id: container for _, container, _ in accepted}
    for found, container, one in accepted:
        for log in one.logs:
            if (Origin.ANNOTATION, log.key) in found.where:
                continue
            for each in log.file_sets:
                owner = claims.owner(each.name)
                if owner and owner != container.id:
                    yield found, lost_claim(log, owners[owner])


def _strangers(together: Sequence[Found], prefixes: Sequence[str]) -> Iterator[Rejection]:
    """Annotations whose option `container` names no container of the pod."""
    pod = together[0].container.pod
    if pod is None:
        return
    names = [found.container.name for found in together]
    for key, value in pod.annotations.items():
        if not is_ours(key, Origin.ANNOTATION, prefixes) or key[-10:] not in _CONTAINER:
            continue
        if key[:-10] not in pod.annotations:
            continue
        for name in filter(None, (each.strip() for each in value.split(","))):
            if name not in names:
                yield Rejection(
                    code=Code.CONTAINER_UNKNOWN,
                    key=key,
                    value=shorten(name),
                    reason="the pod has no container of this name.",
                    hint=next(iter(difflib.get_close_matches(name[:63], names, n=1)), ""),
                )


_CONTAINER = (".container", "_container")
