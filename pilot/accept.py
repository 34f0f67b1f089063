"""One container → the logs that are collected and everything that was refused, log by log.

Whatever is wrong with one log touches no other. Pure: the same container gives the same result,
in whatever order its environment and labels came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot import declarations
from pilot.locate import MountsAbove, locate, mount_of
from pilot.model import ROOTFS, Code, FileSet, Framing, Log, Origin, Rejection, shorten
from pilot.policy import judge_mount, judge_options, judge_targets, undeclared
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pilot.declarations import Found, Reading
    from pilot.model import Container, Declaration
    from pilot.policy import Policy, Rules
    from pilot.settings import Settings

# Each file set repeats its log's fields in the fragment, so a few labels could make it huge.
MAX_FILE_SETS = 200
MAX_REJECTIONS = 100  # a thousand more help nobody, and status repeats them all
STDOUT, STDERR = Stream.STDOUT.value, Stream.STDERR.value  # the items that name output


@dataclass(frozen=True, slots=True)
class Accepted:
    """The logs to collect, sorted by name; the rejections and notices, sorted by log and key.

    Of more than MAX_REJECTIONS the last one counts the rest.
    """

    logs: tuple[Log, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def declares(container: Container, settings: Settings) -> bool:
    """Whether there is anything to accept or refuse; cheap where there is not."""
    return declarations.declares(container, settings.log_prefixes)


def concerns(container: Container, *, settings: Settings, policy: Policy) -> bool:
    """Whether it declares anything, or its output is collected unasked; as cheap."""
    if declares(container, settings):
        return True
    return policy.collects(container, settings) and not declarations.opted_out(
        container, settings.log_prefixes
    )


def accept(
    container: Container,
    *,
    settings: Settings,
    policy: Policy,
    refuse: Callable[[Log], Sequence[Rejection]] | None = None,
    room: int | None = None,
) -> Accepted:
    """The logs of a container after every rule that needs no disk.

    `refuse` says what the collector cannot do for a log, None for a collector that can do all.
    `room` is how many logs it may have beside the others of its pod, None for any number.
    """
    if not concerns(container, settings=settings, policy=policy):
        return Accepted()
    rules = policy.rules_for(container)
    found = declarations.find(
        _as_ruled(container, rules, settings),
        prefixes=settings.log_prefixes,
        max_logs=rules.max_logs or settings.max_logs,
    )
    if excluded := policy.excludes(container):
        said = [
            _refuse(Code.POLICY_EXCLUDED, each, each.value, excluded) for each in found.declarations
        ]
        return _accepted((), said)
    output = _written_output(container, found, settings)
    taking = _Taking(container, settings, policy, parted=STDERR in output)
    taking.rejections += found.rejections
    for declaration in found.declarations:
        if room is None or len(taking.logs) < room:
            taking.take(declaration)
        else:
            reason = f"the containers of a pod may have {rules.max_logs_per_pod} logs together."
            taking.rejections.append(
                _refuse(Code.LOGS_TOO_MANY, declaration, declaration.value, reason)
            )
    if not output and not found.opted_out and policy.collects(container, settings):
        taking.take(undeclared(container, policy, [log.name for log in taking.logs]))
    if refuse is None:
        return _accepted(taking.logs, taking.rejections)
    asked = [(log, refuse(log)) for log in taking.logs]
    kept = [log for log, said in asked if all(each.notice for each in said)]
    return _accepted(kept, [*taking.rejections, *(each for _, said in asked for each in said)])


def _accepted(logs: Iterable[Log], rejections: Iterable[Rejection]) -> Accepted:
    return Accepted(
        tuple(sorted(logs, key=lambda log: log.name)),
        declarations.capped(sorted(rejections, key=_order), MAX_REJECTIONS),
    )


def _as_ruled(container: Container, rules: Rules, settings: Settings) -> Container:
    """With its image's declarations as its own where they are not to be refused."""
    allowed = rules.image_declarations
    if allowed is None:
        allowed = settings.image_declarations
    if allowed and (container.image_env or container.image_labels):
        return replace(container, image_env={}, image_labels={})
    return container


def _written_output(container: Container, found: Found, settings: Settings) -> set[str]:
    """Which of stdout and stderr somebody declared, be it in a log that is refused.

    What was to be collected with an `exclude` must not be collected without, as other log's output
    or unasked. Where something was not understood, each key of ours that may have named output is
    taken for it; so is `STDOUT`, or whatever else resembles one.
    """
    texts = [each.value for each in found.declarations]
    if any(not each.notice and each.code is not Code.IMAGE_REFUSED for each in found.rejections):
        starts = declarations.heads(settings.log_prefixes)
        pod = container.pod
        places = (container.env, container.labels, pod.annotations if pod else {})
        texts += (v for place in places for k, v in place.items() if k.startswith(starts))
    return declarations.streams_meant(texts)


class _Taking:
    """The logs of one container, taken one after the other; who comes first has a file."""

    def __init__(
        self, container: Container, settings: Settings, policy: Policy, *, parted: bool
    ) -> None:
        """`parted` says that some log is of stderr, so that `stdout` is stdout alone."""
        self._container, self._settings, self._policy = container, settings, policy
        self._rules, self._parted = policy.rules_for(container), parted
        self._owners: dict[tuple[str, Stream], str] = {}  # a stream of a file set → its log
        self._names: set[str] = set()  # of file sets
        self._mounts_above = MountsAbove(container.mounts)
        self.logs: list[Log] = []
        self.rejections: list[Rejection] = []

    def take(self, declared: Declaration) -> None:
        """Add the log that is declared, or why it is refused."""
        if _for_whoever_mounts(declared) and not self._mounts(declared):
            self.rejections.append(_elsewhere(declared, declared.value))
            return
        reading = self._read(declared)
        if reading is None:
            return
        file_sets, stream = self._places(declared, reading)
        if file_sets:
            log = Log(
                name=declared.name,
                key=declared.key,
                file_sets=file_sets,
                stream=stream,
                treatment=reading.treatment,
                target=reading.target,
                tags=reading.tags,
            )
            self.logs.append(log)

    def _mounts(self, declared: Declaration) -> bool:
        """Whether anything that a log names is on a mount of this container, or its output."""
        for text in declared.value.split(","):
            item = text.strip()
            place = locate(self._with_mounts_for(item), declared.key, item, recursive=True)
            if not isinstance(place, Rejection) or place.code is not Code.PATH_NOT_MOUNTED:
                return True
        return False

    def _with_mounts_for(self, item: str) -> Container:
        return replace(self._container, mounts=self._mounts_above.of(item))

    def _read(self, declared: Declaration) -> Reading | None:
        """What is asked for, where nothing of it is forbidden."""
        allowed: Declaration | None = declared
        if declared.origin is not Origin.POLICY:
            allowed, said = judge_options(declared, self._rules)
            self.rejections += said
        if allowed is None:
            return None
        reading, said = declarations.read(allowed)
        self.rejections += said
        if reading is None:
            return None
        refused = judge_targets(
            self._container, declared, reading.target, reading.tags, policy=self._policy
        )
        if refused:
            self.rejections.append(refused)
            return None
        return reading

    def _places(
        self, declared: Declaration, reading: Reading
    ) -> tuple[tuple[FileSet, ...], Stream]:
        """The file sets of one log; a refused item hurts no other."""
        file_sets: dict[str, FileSet] = {}
        streams: set[Stream] = set()
        full = False
        for item in reading.items:
            place = self._place(declared, item)
            if isinstance(place, Rejection):
                self.rejections.append(place)
                continue
            if len(self._names) >= MAX_FILE_SETS and place.name not in self._names:
                if not full:
                    self.rejections.append(_too_many(declared, item))
                full = True
                continue
            parts = set(self._parts(place, item))
            owners = (self._owners.get((place.name, part), declared.name) for part in parts)
            if others := sorted({each for each in owners if each != declared.name}):
                reason = f"the log {others[0]!r} of this container names the same and has it."
                self.rejections.append(_refuse(Code.CLAIMED, declared, item, reason))
                continue
            self._names.add(place.name)
            self._owners |= {(place.name, part): declared.name for part in parts}
            file_sets[place.name] = place
            streams |= parts - {Stream.ALL}
        stream = streams.pop() if len(streams) == 1 else Stream.ALL
        return tuple(file_sets.values()), stream

    def _parts(self, place: FileSet, item: str) -> Iterator[Stream]:
        """Which parts of a file set an item names; a file has one."""
        if place.framing is Framing.LINES:
            yield Stream.ALL
        elif item == STDERR:
            yield Stream.STDERR
        else:
            yield Stream.STDOUT
            if not self._parted:
                yield Stream.STDERR

    def _place(self, declared: Declaration, item: str) -> FileSet | Rejection:
        """Where one item lies, if it may be read."""
        here, rules, settings = self._with_mounts_for(item), self._rules, self._settings
        for_whoever_mounts = _for_whoever_mounts(declared)
        rootfs = settings.rootfs if rules.rootfs is None else rules.rootfs
        rootfs = rootfs and not for_whoever_mounts
        recursive = settings.recursive if rules.recursive is None else rules.recursive
        place = locate(here, declared.key, item, recursive=recursive, rootfs=rootfs)
        if isinstance(place, Rejection):
            if place.code is Code.PATH_NOT_MOUNTED and for_whoever_mounts:
                return _elsewhere(declared, item)
            return replace(
                place, log=declared.name, notice=place.notice or declared.origin is Origin.POLICY
            )
        mount = mount_of(here, item, rootfs=rootfs) if place.framing is Framing.LINES else None
        if mount is None or mount.kind == ROOTFS:
            return place
        why = judge_mount(here, mount, place, policy=self._policy, rules=rules)
        if not why:
            return place
        reason = f"it lies on a mount of the node's {shorten(mount.source)!r},"
        return _refuse(
            Code.MOUNT_FORBIDDEN, declared, item, f"{reason} from which no logs are taken: {why}."
        )


def _for_whoever_mounts(declared: Declaration) -> bool:
    """Whether it is for each container of the pod that has a volume at its path."""
    return declared.origin is Origin.ANNOTATION and "container" not in declared.options


def _refuse(code: Code, declared: Declaration, value: str, reason: str) -> Rejection:
    return Rejection(
        code=code, key=declared.key, value=shorten(value), log=declared.name, reason=reason
    )


def _elsewhere(declared: Declaration, item: str) -> Rejection:
    reason = (
        "no volume of this container is mounted there, so this annotation of its pod is not for it;"
        " the option `container` would say for which it is."
    )
    return replace(_refuse(Code.ANNOTATION_ELSEWHERE, declared, item, reason), notice=True)


def _too_many(declared: Declaration, item: str) -> Rejection:
    reason = (
        f"the logs of a container may name {MAX_FILE_SETS} streams and paths together;"
        " those of the logs whose names sort first are kept."
    )
    return _refuse(Code.LOGS_TOO_MANY, declared, item, reason)


def _order(rejection: Rejection) -> tuple[str, ...]:
    return (rejection.log, rejection.key, rejection.code, rejection.value, rejection.reason)
