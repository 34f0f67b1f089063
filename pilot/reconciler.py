"""The pass and its loop: hints become looks, looks become wanted state, wanted state becomes files.

One thread runs everything here and is the only writer of the config directory, the pins' record and
the state folder; so there are no locks and no order of events to get right. It never waits for
anybody: calls that may block run on workers and come back as messages. An event only says whom to
look at. A container has ended when a look says so, and is gone when the source says that it does
not exist; a list that lacks it is a reason to look, and a list or look that fails is a reason to
try again. So whatever is lost, doubled or reordered, the next look repairs it.
"""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.accept import concerns
from pilot.declarations import heads
from pilot.hints import Backoff, Deadlines, Hints
from pilot.mailbox import SLICE, guarded
from pilot.model import State
from pilot.sources import SourceError
from pilot.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.containers import Containers
    from pilot.fragments import Fragments
    from pilot.mailbox import Mailbox
    from pilot.model import Container
    from pilot.pins.keeper import Keeper
    from pilot.policy.watching import PolicyWatch
    from pilot.settings import Settings
    from pilot.sources import Source

CHECK = 1.0  # seconds between two looks at all folders, and between two surveys
RETRY = (0.2, 2.0)  # seconds: first and longest wait after a failed look, list or watch
SAVE = 60.0  # seconds between two saves of what is left until a deadline, and two repairs

log = logging.getLogger(__name__)


class Reconciler:
    """The loop. `run` returns after `stop`."""

    def __init__(
        self,
        *,
        settings: Settings,
        source: Source,
        policy: PolicyWatch,
        containers: Containers,
        keeper: Keeper,
        fragments: Fragments,
        mailbox: Mailbox,
        deadlines: Deadlines[tuple[str, str]],
    ) -> None:
        """Reconcile what `source` says with what is there."""
        self._settings, self._source, self._policy = settings, source, policy
        self._containers, self._keeper, self._fragments = containers, keeper, fragments
        self._mailbox, self._deadlines = mailbox, deadlines
        self._hints = Hints(mailbox.wake)
        self._looks = Workers("look", 4, mailbox.post_urgent)
        self._lists = Workers("list", 1, mailbox.post)
        self._stopped = False  # a plain flag: a signal handler may set it at any moment
        self._over = threading.Event()
        self._stamps: dict[str, str] = {}  # as of the last look, or of the list that asked for one
        self._plain: set[str] = set()  # containers of which nothing is wanted
        self._retries: dict[str, Backoff] = {}
        self._list_retry = Backoff(*RETRY)
        self._listing = self._list_again = False
        self._clean = False
        self._problems: dict[str, str] = {}
        self.listed: float | None = None  # monotonic time of the last whole list
        self.passed: float | None = None  # monotonic time of the last pass
        self.looks = self.lists = self.passes = 0

    def run(self) -> None:
        """Run until `stop`; then what is open is saved."""
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        self._deadlines.set(("check", ""), time.monotonic() + CHECK)
        self._deadlines.set(("save", ""), time.monotonic() + SAVE)
        while not self._stopped:
            guarded(self._pass)
            self._mailbox.wait(self._pause())
        self._over.set()
        guarded(self._containers.saver.save_all)
        guarded(self._save)

    def _pause(self) -> float:
        """Seconds until there is something to do that nobody will post."""
        if self._containers.saver.pending or self._keeper.shelf.pending:
            return 0.0
        until = self._deadlines.next()
        return CHECK if until is None else min(CHECK, until - time.monotonic())

    def stop(self) -> None:
        """End the loop; from any thread or a signal handler."""
        self._stopped = True
        self._mailbox.wake()

    def mark_all(self) -> None:
        """Have everything listed again; from any thread or a signal handler.

        By way of the mailbox: a handler may interrupt the loop while it holds the hints' lock.
        """
        self._mailbox.post(self._hints.mark_all)

    @property
    def source_problem(self) -> str:
        """Why the source cannot be asked or watched; "" if it can."""
        never = "" if self.listed is not None else "not listed yet"
        return self._problems.get("watch") or self._problems.get("ask") or never

    @property
    def hints(self) -> int:
        """How many hints there have been."""
        return self._hints.marked

    def _pass(self) -> None:
        self.passes += 1
        self.passed = time.monotonic()
        if self._hints.take_all():
            self._say_source("watch", None)  # Whoever watches says so first.
            self._list()
        for container_id in self._hints.take():
            self._look(container_id)
        until = self.passed + SLICE
        for key in self._deadlines.due(self.passed):
            guarded(functools.partial(self._due, key))
            if time.monotonic() >= until:
                break  # The rest has its turn after what was posted meanwhile.
        self._save()

    def _save(self) -> None:
        self._fragments.sync()
        self._containers.saver.save()
        self._keeper.shelf.save()

    def _due(self, key: tuple[str, str]) -> None:
        what, which = key
        now = time.monotonic()
        if what == "check":
            self._deadlines.set(key, now + CHECK)
            self._check()
        elif what == "save":
            self._deadlines.set(key, now + SAVE)
            self._containers.saver.save_drains()
            self._fragments.repair()
            self._keeper.repair()
            self._keeper.survey(self._keeper.sets)
        elif what == "list":
            self._list()
        elif what == "look":
            self._hints.mark(which)
        else:
            self._containers.due(key)

    def _check(self) -> None:
        self._fragments.retry()
        self._keeper.check()
        self._keeper.survey(self._containers.draining_sets())
        if self._keeper.surveyor.blocked:
            self._containers.put_off(CHECK)
        calm = self.listed is not None and not self._listing and not self._hints.busy
        if not self._clean and calm and not self._containers.waiting:
            self._clean = True
            self._fragments.remove_strangers(but=self._retries)
            self._keeper.adopt_strangers()

    def review_policy(self) -> None:
        """Have what is written of the policy now in force, if it is another. On the loop only."""
        if not self._policy.check():
            return
        for container_id in list(self._containers.tracked):
            self._mailbox.post(functools.partial(self._containers.review, container_id))
        if self._policy.current.collects_all(self._settings):
            # Those of which nothing was wanted are not tracked: each has to be looked at again.
            self._plain.clear()
            self._stamps.clear()
            self._hints.mark_all()

    def _list(self) -> None:
        guarded(self.review_policy)
        if self._listing:
            self._list_again = True
            return
        self._listing, self._list_again = True, False
        self.lists += 1
        self._lists.submit(self._source.list, self._listed)

    def _listed(self, result: Mapping[str, str] | Exception) -> None:
        self._listing = False
        now = time.monotonic()
        if isinstance(result, Exception):
            self._say_source("ask", result)
            self._deadlines.set(("list", ""), now + self._list_retry.wait())
            return
        self._say_source("ask", None)
        self._list_retry.reset()
        self.listed = now
        for container_id, stamp in result.items():
            if container_id not in self._plain and self._stamps.get(container_id) != stamp:
                self._hints.mark(container_id)
        for container_id in self._retries:
            self._hints.mark(container_id)  # The source answers again: no need to wait longer.
        for container_id, known in self._containers.tracked.items():
            if container_id not in result and not known.gone:
                self._hints.mark(container_id)
        self._plain &= result.keys()
        self._stamps = dict(result)
        wait = 0.0 if self._list_again else self._settings.relist * random.uniform(0.8, 1.2)  # noqa: S311 -- jitter
        self._deadlines.set(("list", ""), now + wait)

    def _look(self, container_id: str) -> None:
        if container_id in self._plain:
            self._hints.done(container_id)
            return
        self.looks += 1
        self._looks.submit(
            lambda: self._source.look(container_id), lambda found: self._looked(container_id, found)
        )

    def _looked(self, container_id: str, found: Container | Exception | None) -> None:
        self._hints.done(container_id)
        if isinstance(found, Exception):
            self._say_source("ask", found)
            retry = self._retries.setdefault(container_id, Backoff(RETRY[0], self._settings.relist))
            self._deadlines.set(("look", container_id), time.monotonic() + retry.wait())
            return
        self._retries.pop(container_id, None)
        if found is None:
            self._containers.missing(container_id)
            return
        if found.stamp:
            self._stamps[container_id] = found.stamp
        if found.state is State.CREATED:
            return
        policy = self._policy.current
        wanted = concerns(found, settings=self._settings, policy=policy)
        if container_id not in self._containers.tracked and not wanted:
            if self._source.declares_once:
                self._plain.add(container_id)
        else:
            self._containers.found(self._relevant(found))

    def _relevant(self, container: Container) -> Container:
        """Without env and annotations that are not ours: they may hold secrets, and are saved."""
        starts = heads(self._settings.log_prefixes)

        def ours(texts: Mapping[str, str]) -> dict[str, str]:
            return {key: value for key, value in texts.items() if key.startswith(starts)}

        pod = container.pod and replace(container.pod, annotations=ours(container.pod.annotations))
        env, image_env = ours(container.env), ours(container.image_env)
        return replace(container, env=env, image_env=image_env, pod=pod)

    def _watch(self) -> None:
        retry = Backoff(*RETRY)
        while not self._stopped:
            began = time.monotonic()
            try:
                self._source.watch(self._hints)
                return
            except SourceError as error:
                problem: Exception = error
            except Exception as error:  # a defect in a source must not end the watching
                log.exception("source %s failed", self._source.name)
                problem = error
            if self._stopped:
                return
            if time.monotonic() - began > RETRY[1]:
                retry.reset()
            self._mailbox.post(functools.partial(self._say_source, "watch", problem))
            self._over.wait(retry.wait())

    def _say_source(self, asked: str, problem: Exception | None) -> None:
        """Say a problem of the stream (`watch`) or of a list or look (`ask`) when it is new."""
        text, before = str(problem or ""), self._problems.get(asked, "")
        self._problems[asked] = text
        if text and text != before:
            log.warning("source %s: %s; nothing is removed, trying again", self._source.name, text)
        elif before and not self.source_problem:
            log.info("source %s answers", self._source.name)
