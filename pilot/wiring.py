"""Settings become the objects that do the work; the only place that knows them all."""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pilot import piloters, sources
from pilot.collector import Supervisor
from pilot.configdir import ConfigDirectory
from pilot.containers import Containers
from pilot.files import write_atomically
from pilot.fragments import Fragments
from pilot.hints import Deadlines
from pilot.mailbox import Mailbox
from pilot.piloters import PiloterError
from pilot.pins.keeper import Keeper
from pilot.pins.roots import USUAL, PinRoots
from pilot.pins.watch import FolderWatch
from pilot.policy import VOLUME, Policy
from pilot.reconciler import Reconciler
from pilot.state import SOCKET, StateStore
from pilot.status.server import StatusServer
from pilot.status.snapshot import Snapshot
from pilot.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.piloters import Piloter
    from pilot.settings import Settings
    from pilot.sources import Source

log = logging.getLogger(__name__)


@contextmanager
def agent(
    settings: Settings,
    output: Callable[[str], None],
    make_source: Callable[[Settings], Source] = sources.create,
) -> Iterator[Reconciler]:
    """Everything that `log-pilot run` needs, started but for the loop; stopped in order at the end.

    `output` gets the lines that a supervised collector writes to stdout. Raises StateError,
    NoPinRootError, SourceError, PiloterError or OSError before anything on disk is changed that a
    running collector uses.
    """
    with ExitStack() as opened:
        piloter = piloters.create(settings.type, settings)
        prepared = piloter.prepare()
        command = piloter.command() if settings.supervised else None
        if command and not shutil.which(command.argv[0]):
            raise PiloterError(
                f"there is no program {command.argv[0]!r} to run: install it, name it with "
                "--collector-program (PILOT_COLLECTOR_PROGRAM), or choose --collector external"
            )
        store = StateStore(settings.state_dir)
        opened.callback(store.close)
        policy = policy_for(settings, piloter)
        mailbox, deadlines = Mailbox(), Deadlines[tuple[str, str]]()
        keeper = Keeper(
            settings=settings,
            store=store,
            roots=PinRoots(settings) if settings.pin else None,
            workers=Workers("pins", 6, mailbox.post),
            readers=Workers("records", 1, mailbox.post),
            piloter=piloter,
            forbids=lambda file_set, really: forbids(policy, settings, file_set, really),
        )
        keeper.watch_with(FolderWatch(lambda name: mailbox.post(lambda: keeper.look(name))))
        source = make_source(settings)
        opened.callback(source.close)
        directory = ConfigDirectory(piloter.directory, piloter.suffix)
        directory.adopt()
        fragments = Fragments(piloter, directory)
        containers = Containers(
            settings=settings,
            policy=policy,
            store=store,
            keeper=keeper,
            fragments=fragments,
            refuse=piloter.refuse,
            deadlines=deadlines,
        )
        keeper.changed = containers.set_changed
        _restore(store, keeper, containers)
        _write_missing(prepared, piloter)
        supervisor = None
        if command:
            supervisor = Supervisor(command, output)
            supervisor.start()
            opened.callback(supervisor.stop)
        reconciler = Reconciler(
            settings=settings,
            source=source,
            containers=containers,
            keeper=keeper,
            fragments=fragments,
            mailbox=mailbox,
            deadlines=deadlines,
        )
        snapshot = Snapshot(
            settings=settings,
            reconciler=reconciler,
            containers=containers,
            fragments=fragments,
            keeper=keeper,
            store=store,
            supervisor=supervisor,
        )
        server = StatusServer(settings.state_dir / SOCKET, snapshot, mailbox.post)
        opened.callback(server.close)
        log.info("collector %s, config in %s", piloter.name, piloter.directory)
        yield reconciler


def policy_for(settings: Settings, piloter: Piloter) -> Policy:
    """What tenants may have collected here: nothing from the pilot's own folders."""
    own = (settings.state_dir, settings.config_dir, settings.data_dir, piloter.directory)
    return Policy(roots=(*(str(each) for each in own if each), *settings.pin_roots, *USUAL))


def forbids(policy: Policy, settings: Settings, file_set: FileSet, really: str) -> str | None:
    """Whether a folder, as it was really opened, may be read; a sentence if not.

    The runtime's own log folders and those that the declaration already named were judged by their
    names; what a symlink in a mount's source leads to is judged here.
    """
    root = str(settings.node_root)
    on_node = "/" + really.removeprefix(root).lstrip("/") if root != "/" else really
    if not file_set.inside or on_node == file_set.directory:
        return None
    rule = policy.forbids(on_node, VOLUME)
    return f"{file_set.directory} leads to {on_node!r}: {rule}" if rule else None


def _restore(store: StateStore, keeper: Keeper, containers: Containers) -> None:
    for saved in store.sets():
        keeper.restore(saved)
    left = store.drains()
    for known in store.containers():
        containers.restore(known, left.get(known.container.id))


def _write_missing(prepared: Mapping[Path, bytes], piloter: Piloter) -> None:
    for path, content in prepared.items():
        if path.exists():
            if piloter.directory.name.encode() not in path.read_bytes():
                log.warning(
                    "%s is not ours and is left as it is, but it does not name the folder %s: "
                    "nothing is collected until it does",
                    path,
                    piloter.directory,
                )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            log.info("wrote %s", path)
