"""The administrator's rules: whose logs are taken, and what a container may ask for.

Everything is decided when a policy is made, or once for a namespace: a container costs look-ups.
"""

from __future__ import annotations

import functools
import glob
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.model import BIND, Declaration, Option, Origin, State, shorten
from pilot.policy import folders
from pilot.policy.own import Own

if TYPE_CHECKING:
    from pilot.model import Container
    from pilot.settings import Settings

# What a rule's `options` may list; those of the collector's own are listed key by key.
FAMILIES = tuple(each for each in options.FAMILIES if each != options.RAW)
NAMESPACE = "{namespace}"
COLLECTED = "stdout"  # the value of `collect` that takes undeclared output, and that log's name
COLLECT_KEY = "collect"  # what status says instead of a key that a tenant wrote
# dockershim and cri-dockerd put it on the container that only holds a pod's network.
_SANDBOX_LABEL, _SANDBOX = "io.kubernetes.docker.type", "podsandbox"
_NO_TARGET = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_TARGET = 200  # as for targets that tenants write


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What containers of one namespace may ask for. None: as the pilot's flags say."""

    options: frozenset[str] = frozenset(FAMILIES)
    raw: frozenset[str] = frozenset()  # keys of the collector's own options
    host_paths: tuple[str, ...] | None = None  # None: wherever it is not forbidden
    recursive: bool | None = None
    rootfs: bool | None = None
    image_declarations: bool | None = None
    max_logs: int | None = None
    max_logs_per_pod: int | None = None  # None: no limit
    targets: tuple[str, ...] | None = None  # globs; None: any
    events_per_second: int | None = None  # kept for later; nothing enforces it yet

    def allows_option(self, option: str) -> bool:
        """Whether a declaration may have an option, called as everywhere in the pilot."""
        if option.startswith(options.RAW_START):
            return option.removeprefix(options.RAW_START) in self.raw
        return options.family(option) in self.options

    def allows_host_path(self, source: str) -> bool:
        """Whether logs may be taken from a mount of that folder or file of the node."""
        if self.host_paths is None:
            return True
        return any(_within(folders.fold(source), each) for each in self.host_paths)

    def allows_target(self, target: str, namespace: str) -> bool:
        """Whether a container of that namespace may send its events there."""
        return self.targets is None or _targets(self.targets, namespace)(target)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which texts are chosen: those that match `include`, but for those that match `exclude`."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()

    def __contains__(self, text: str) -> bool:
        return _matching(self.include)(text) and not _matching(self.exclude)(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What tenants may have collected. Two that say the same are equal.

    `roots` are further folders that are not theirs: a runtime's data-root, the pilot's own.
    """

    roots: tuple[str, ...] = ()
    own: Own = field(default_factory=Own)
    collect: str = ""  # "": as the flag says
    collect_target: str = ""
    namespaces: Chosen = Chosen()
    with_labels: Mapping[str, str] = field(default_factory=dict)  # all of them; values are globs
    without_labels: Mapping[str, str] = field(default_factory=dict)  # none of them
    rules: Rules = Rules()
    by_namespace: Mapping[str, Rules] = field(default_factory=dict)  # each stands for itself
    topics: frozenset[str] | None = None  # log-pilot's list; None: any

    def forbids(self, path: str, kind: str = BIND, root: str = "") -> str | None:
        """Which rule forbids a path of the node to mounts of that kind; None if none does."""
        return folders.forbids(path, kind, root, roots=self.roots)

    def leads_out(self, root: str, really: str) -> str:
        """Why a folder below a mount from a host path is not read where a link led out of it.

        Whoever may write below an allowed host path may put links to other folders there.
        """
        every = (self.rules, *self.by_namespace.values())
        allowed = {path for rules in every for path in rules.host_paths or ()}
        if self.rules.host_paths is not None and (volume := folders.docker_volume(root)):
            # Its options may make it any folder of the node; its own by other names is none.
            its_own = really.rstrip("/").endswith(volume)
            if not its_own and not any(_within(really, each) for each in allowed):
                return "the administrator's policy takes no logs from there"
        for path in sorted(allowed):
            if _within(root, path) and not any(_within(really, each) for each in allowed):
                return f"it leads out of {path}, from which the administrator's policy takes logs"
        return ""

    def rules_for(self, container: Container) -> Rules:
        """What a container may ask for."""
        return self.by_namespace.get(namespace_of(container), self.rules)

    def excludes(self, container: Container) -> str:
        """Why nothing at all is taken of a container; "" if its logs are."""
        namespace = namespace_of(container)
        if namespace not in self.namespaces:
            where = f"the namespace {shorten(namespace)!r}" if namespace else "outside a namespace"
            return f"the administrator's policy takes no logs from {where}."
        for label, wanted in self.with_labels.items():
            if not _has_label(container, label, wanted):
                return (
                    f"the administrator's policy takes logs only with the label {label}={wanted}."
                )
        for label, unwanted in self.without_labels.items():
            if _has_label(container, label, unwanted):
                return (
                    f"the administrator's policy takes no logs with the label {label}={unwanted}."
                )
        return ""

    def collects_all(self, settings: Settings) -> bool:
        """Whether output that nobody declared is taken at all."""
        return (self.collect or settings.collect) == COLLECTED

    def collects(self, container: Container, settings: Settings) -> bool:
        """Whether a container's output is taken without a declaration, unless it opts out."""
        return (
            self.collects_all(settings)
            and container.state is not State.CREATED
            and container.labels.get(_SANDBOX_LABEL) != _SANDBOX
            and not self.own.is_own(container)
            and not self.excludes(container)
        )

    def target_of_collected(self, container: Container) -> str:
        """The target of output that nobody declared; "" for the log's name.

        Without a namespace `{namespace}` is empty, and what joined it to the rest goes, too.
        """
        text = self.collect_target.replace(NAMESPACE, namespace_of(container))
        return _NO_TARGET.sub("-", text).strip("-_.")[:_LONGEST_TARGET]


def undeclared(container: Container, policy: Policy, names: Collection[str]) -> Declaration:
    """The log that the administrator has of every container, as if somebody had declared it.

    `names` are those of its other logs.
    """
    name = COLLECTED if COLLECTED not in names else f"{COLLECTED}.{COLLECT_KEY}"
    target = policy.target_of_collected(container)
    given = {options.TARGET: Option("collect_target", target, Origin.POLICY)} if target else {}
    return Declaration(
        name=name, key=COLLECT_KEY, value=COLLECTED, origin=Origin.POLICY, options=given
    )


def namespace_of(container: Container) -> str:
    """The Kubernetes namespace of a container; "" outside Kubernetes."""
    return container.pod.namespace if container.pod else ""


def _within(path: str, folder: str) -> bool:
    return path == folder or folders.under(path, folder)


def _has_label(container: Container, label: str, wanted: str) -> bool:
    """Whether the container or its pod has a label whose value matches."""
    texts = [container.labels.get(label)]
    if container.pod:
        texts.append(container.pod.labels.get(label))
    return any(text is not None and _matching((wanted,))(text) for text in texts)


Matcher = Callable[[str], bool]


@functools.lru_cache(maxsize=1024)
def _matching(globs: tuple[str, ...]) -> Matcher:
    """Whether a whole text matches one of several globs; the case of letters counts."""
    if globs == ("*",):
        return lambda _: True
    match = re.compile("|".join(map(translate, globs)) or r"(?!)").match
    return lambda text: match(text) is not None


@functools.lru_cache(maxsize=1024)
def _targets(globs: tuple[str, ...], namespace: str) -> Matcher:
    """The same for targets. Without a namespace no glob that asks for one matches anything."""
    usable = [each for each in globs if namespace or NAMESPACE not in each]
    return _matching(tuple(each.replace(NAMESPACE, glob.escape(namespace)) for each in usable))
