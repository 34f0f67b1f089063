"""Settings become the objects that do the work; the only place that knows them all."""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot import piloters, sources
from pilot.collector import Supervisor
from pilot.configdir import ConfigDirectory
from pilot.containers import Containers
from pilot.files import write_atomically
from pilot.fragments import Fragments
from pilot.hints import Deadlines
from pilot.locate import runtime_home
from pilot.mailbox import Mailbox
from pilot.model import VOLUME
from pilot.piloters import PiloterError
from pilot.pins.keeper import Keeper
from pilot.pins.roots import USUAL, PinRoots
from pilot.pins.watch import FolderWatch
from pilot.policy import Policy, PolicyFiles, find_own
from pilot.policy.watching import PolicyWatch
from pilot.reconciler import Reconciler
from pilot.state import SOCKET, StateStore
from pilot.status.explain import Explainer
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

OUTPUTS = ("LOGGING_OUTPUT", "FILEBEAT_OUTPUT", "FLUENTD_OUTPUT")
TOPICS = "config/kafka_topics"  # below the collector's config

log = logging.getLogger(__name__)


@contextmanager
def agent(
    settings: Settings,
    output: Callable[[str], None],
    make_source: Callable[[Settings], Source] = sources.create,
) -> Iterator[Reconciler]:
    """Everything that `log-pilot run` needs, started but for the loop; stopped in order at the end.

    `output` gets the lines that a supervised collector writes to stdout. Raises StateError,
    NoPinRootError, SourceError, PiloterError, PolicyError or OSError before anything on disk is
    changed that a running collector uses.
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
        policy = PolicyWatch(policy_files(settings, piloter))
        mailbox, deadlines = Mailbox(), Deadlines[tuple[str, str]]()
        readers = Workers("records", 1, mailbox.post)
        keeper = Keeper(
            settings=settings,
            store=store,
            roots=PinRoots(settings) if settings.pin else None,
            workers=Workers("pins", 6, mailbox.post),
            readers=readers,
            piloter=piloter,
            forbids=lambda file_set, really: forbids(policy.current, settings, file_set, really),
        )
        keeper.watch_with(FolderWatch(lambda name: mailbox.post(lambda: keeper.look(name))))
        source = make_source(_for_source(settings))
        opened.callback(source.close)
        directory = ConfigDirectory(piloter.directory, piloter.suffix)
        directory.adopt()
        fragments = Fragments(piloter, directory)
        containers = Containers(
            settings=settings,
            policy=lambda: policy.current,
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
            policy=policy,
            containers=containers,
            keeper=keeper,
            fragments=fragments,
            mailbox=mailbox,
            deadlines=deadlines,
        )
        snapshot = Snapshot(
            settings=settings,
            policy=policy,
            reconciler=reconciler,
            containers=containers,
            fragments=fragments,
            keeper=keeper,
            store=store,
            supervisor=supervisor,
        )
        explainer = Explainer(
            settings=settings,
            containers=containers,
            fragments=fragments,
            keeper=keeper,
            piloter=piloter,
            source=source,
            readers=readers,
            looks=Workers("explain", 1, mailbox.post),
        )
        server = StatusServer(settings.state_dir / SOCKET, snapshot, mailbox.post, explainer.ask)
        opened.callback(server.close)
        opened.enter_context(policy.watching(lambda: mailbox.post(reconciler.review_policy)))
        log.info("collector %s, config in %s", piloter.name, piloter.directory)
        yield reconciler


def _for_source(settings: Settings) -> Settings:
    """A policy file may refuse what images declare, or allow containers' own filesystems.

    That may be at any time and for some namespaces only, so the source has to tell of both.
    """
    if not settings.policy_file:
        return settings
    return replace(settings, image_declarations=False, rootfs=True)


def policy_for(settings: Settings, piloter: Piloter) -> Policy:
    """What tenants may have collected here, as it is written now. Raises PolicyError."""
    return policy_files(settings, piloter).load()


def policy_files(settings: Settings, piloter: Piloter) -> PolicyFiles:
    """Where that is written; nothing is taken from the pilot's own folders, whatever it says.

    log-pilot's list of topics counts where its variables choose Kafka.
    """
    own = (settings.state_dir, settings.config_dir, settings.data_dir, piloter.directory)
    roots = (*(str(each) for each in own if each), *settings.pin_roots, *USUAL)
    kafka = any(settings.environment.get(name) == "kafka" for name in OUTPUTS)
    return PolicyFiles(
        base=Policy(roots=roots, own=find_own()),
        file=settings.policy_file,
        topics=piloter.directory.parent / TOPICS if kafka else None,
    )


def forbids(policy: Policy, settings: Settings, file_set: FileSet, really: str) -> str | None:
    """Whether a folder, as it was really opened, may be read; a sentence if not.

    The runtime's own log folders and those that the declaration already named were judged by their
    names; what a symlink in a mount's source leads to is judged here. A container's own filesystem
    may be anywhere below its upper directory, whose shape no tenant can choose.
    """
    root = str(settings.node_root)
    on_node = "/" + really.removeprefix(root).lstrip("/") if root != "/" else really
    if not file_set.inside or on_node == file_set.directory:
        return None
    if runtime_home(file_set.root) and f"{on_node}/".startswith(f"{file_set.root}/"):
        return None  # The container's own filesystem, accepted by the runtime's word.
    rule = policy.forbids(on_node, VOLUME) or policy.leads_out(file_set.root, on_node)
    return f"{file_set.directory} leads to {on_node!r}: {rule}" if rule else None


def _restore(store: StateStore, keeper: Keeper, containers: Containers) -> None:
    for saved in store.sets():
        keeper.restore(saved)
    left = store.drains()
    for known in store.containers():
        containers.restore(known, left.get(known.container.id))
    containers.restored()


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
