"""The state of everything as plain data, made on the loop when somebody asks for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pilot.drain import Phase

if TYPE_CHECKING:
    from pilot.collector import Supervisor
    from pilot.containers import Containers
    from pilot.fragments import Fragments
    from pilot.model import FileSet, Log, Rejection
    from pilot.pins.keeper import Keeper
    from pilot.pins.record import Pin, PinSet
    from pilot.policy.watching import PolicyWatch
    from pilot.reconciler import Reconciler
    from pilot.settings import Settings
    from pilot.state import StateStore
    from pilot.tracked import Tracked

VERSION = 1


class Snapshot:
    """Makes the snapshot. Called on the loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        policy: PolicyWatch,
        reconciler: Reconciler,
        containers: Containers,
        fragments: Fragments,
        keeper: Keeper,
        store: StateStore,
        supervisor: Supervisor | None,
    ) -> None:
        """Look at these."""
        self._settings, self._reconciler, self._containers = settings, reconciler, containers
        self._fragments, self._keeper, self._supervisor = fragments, keeper, supervisor
        self._policy, self._store = policy, store

    def __call__(self) -> dict[str, Any]:
        """Everything, as JSON-ready data; ages in seconds, sizes in bytes."""
        now = time.monotonic()
        loop = self._reconciler
        tracked = sorted(self._containers.tracked.values(), key=lambda one: one.container.id)
        return {
            "version": VERSION,
            "type": self._settings.type,
            "source": {
                "problem": loop.source_problem,
                "listed_ago": None if loop.listed is None else round(now - loop.listed, 3),
            },
            "last_pass_ago": None if loop.passed is None else round(now - loop.passed, 3),
            "counts": {
                "passes": loop.passes,
                "hints": loop.hints,
                "lists": loop.lists,
                "looks": loop.looks,
                "writes": self._fragments.writes,
            },
            "collector": self._collector(),
            "config": {
                "problem": self._fragments.problem,
                "unwritten": sorted(self._fragments.unwritten),
            },
            "policy": self._in_force(now),
            "state": {"problem": self._store.problem},
            "pins": self._keeper.state(),
            "draining": [one.container.id for one in tracked if one.phase == "draining"],
            "containers": [self._container(one, now) for one in tracked],
        }

    def _in_force(self, now: float) -> dict[str, Any]:
        policy = self._policy
        since = policy.problem_since
        return {
            "file": str(policy.file) if policy.file else None,
            "collects_undeclared": policy.current.collects_all(self._settings),
            "loaded_ago": round(now - policy.loaded, 3),
            "problem": policy.problem,
            "problem_ago": None if since is None else round(now - since, 3),
        }

    def _collector(self) -> dict[str, Any]:
        supervisor = self._supervisor
        if not supervisor:
            return {"supervised": False}
        return {
            "supervised": True,
            "state": supervisor.state,
            "pid": supervisor.pid,
            "starts": supervisor.starts,
        }

    def _container(self, known: Tracked, now: float) -> dict[str, Any]:
        container = known.container
        return {
            "id": container.id,
            "name": container.name,
            "pod": f"{container.pod.namespace}/{container.pod.name}" if container.pod else None,
            "state": container.state,
            "gone": known.gone,
            "phase": known.phase,
            "deadline_in": None if known.deadline is None else round(known.deadline - now, 1),
            "lost": {"files": known.lost[0], "bytes": known.lost[1]},
            "fragment": container.id in self._fragments.wanted,
            "logs": [self._log(each, known) for each in known.logs],
            "rejections": [_rejection(each) for each in self._containers.rejections(known)],
        }

    def _log(self, declared: Log, known: Tracked) -> dict[str, Any]:
        return {
            "name": declared.name,
            "key": declared.key,
            "file_sets": [self._file_set(each, known) for each in declared.file_sets],
        }

    def _file_set(self, file_set: FileSet, known: Tracked) -> dict[str, Any]:
        owner = self._containers.owner(file_set.name)
        kept = self._keeper.sets.get(file_set.name)
        found: dict[str, Any] = {
            "name": file_set.name,
            "folder": file_set.directory,
            "pattern": file_set.pattern,
            "owner": owner,
            "direct": not self._settings.pin,
        }
        if kept and owner == known.container.id:
            place = self._keeper.place(file_set.name)
            found |= {
                "phase": self._phase(known, file_set),
                "pins_folder": place and place.pins,
                "problem": kept.problem,
                "refused": kept.refused,
                "paused": kept.paused,
                "held_bytes": kept.held_bytes,
                "lost": {"files": kept.loss.files, "bytes": kept.loss.bytes},
                "files": [_file(each, kept) for each in kept.pins.values()],
            }
        return found

    def _phase(self, known: Tracked, file_set: FileSet) -> Phase:
        if known.phase in (Phase.RUNNING, Phase.RETIRING):
            return known.phase
        read = self._keeper.drained(file_set.name, known.ended)
        return Phase.DRAINED if read else Phase.DRAINING


def _file(pin: Pin, kept: PinSet) -> dict[str, Any]:
    if not (kept.ended or pin.alone):
        phase = Phase.RUNNING
    else:
        phase = Phase.DRAINED if pin.unread == 0 else Phase.DRAINING
    return {
        "pin": pin.name,
        "kind": pin.kind,
        "phase": phase,
        "unread": pin.unread,
        "original_gone": pin.alone,
        "reserved": pin.reserved,
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "code": rejection.code,
        "key": rejection.key,
        "value": rejection.value,
        "log": rejection.log,
        "reason": rejection.reason,
        "hint": rejection.hint,
        "notice": rejection.notice,
    }
