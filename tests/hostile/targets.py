r"""What a coverage-guided fuzzer calls with any bytes; each raises only for a fault of the pilot.

`corpus/inputs.jsonl` holds inputs that together reach all that ten minutes of libFuzzer (by
Atheris) reached, bytes written as Latin-1. For declarations they are records between `\x1e`: one
character that chooses environment, labels or annotations, then a key, `=` and a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pilot.accept import accept
from pilot.declarations import find, read
from pilot.declarations.dialects import Role, written
from pilot.declarations.sorting import sort_out, strongest
from pilot.fragments import inputs_of
from pilot.manifests import Surroundings
from pilot.manifests import read as read_manifest
from pilot.model import Code, Container, Mount, Pod, State
from pilot.piloters.filebeat.newlines import before_newline
from pilot.piloters.filebeat.piloter import FilebeatPiloter
from pilot.pins.record import Place
from pilot.policy import Policy, Rules
from pilot.regexps import RegexpError, parse
from pilot.settings import Settings

Target = Callable[[bytes], None]
SETTINGS = Settings(recursive=True, rootfs=True, environment={})
POLICY = Policy(rules=Rules(raw=frozenset({"harvester_limit", "ignore_older", "a.b", "x"})))
PREFIXES = SETTINGS.log_prefixes
MOUNTS = (
    Mount("/logs", "/var/lib/docker/volumes/v/_data", "volume"),
    Mount("/b", "/srv/b", "bind"),
    Mount("/f.log", "/srv/f.log", "bind"),
    Mount("/t", "", "tmpfs"),
)
WITHHELD = {Code.CONTAINER_UNKNOWN, Code.REGEXP_INVALID, Code.LOGS_TOO_MANY, Code.VALUE_INVALID}
RECORD, RECORDS = "\x1e", 12


def declarations(data: bytes) -> None:
    """Any annotations, environment and labels: each key of ours is declared or told of."""
    where = _container(data)
    found = find(where, prefixes=PREFIXES, max_logs=6)
    told = {each.key for each in found.rejections}
    declared = {each.name: each for each in found.declarations}
    withheld = {each.log for each in found.rejections if each.code in WITHHELD}
    assert where.pod is not None
    if not any("container" in key for key in where.pod.annotations):
        entries = (each for each in written(where, PREFIXES) if each.role is Role.LOG)
        for name, of_log in sort_out(entries).logs.items():
            first, others = strongest(of_log)
            if name not in withheld and first.key not in told:
                assert declared[name].key == first.key, name
                assert {each.key for each in others} <= told, name
    for each in found.declarations:
        reading, said = read(each)
        assert reading or any(not one.notice for one in said), each
    piloter = FilebeatPiloter(SETTINGS)
    accepted = accept(where, settings=SETTINGS, policy=POLICY, refuse=piloter.refuse)
    for one in (*found.rejections, *accepted.rejections):
        assert one.reason.endswith("."), one
        assert "\n" not in str(one), one
        assert len(str(one).encode()) < 5000, one
    sets = (each.name for log in accepted.logs for each in log.file_sets)
    places = {each: Place(f"/pins/{each}") for each in sets}
    if inputs := inputs_of(where, accepted.logs, SETTINGS, places):
        assert piloter.render(where, inputs).content.isascii()


def manifests(data: bytes) -> None:
    """Any bytes as a file for `lint`: containers with the lines of their keys, or a ValueError."""
    try:
        found = read_manifest(data.decode("latin-1"), "file.yaml", Surroundings())
    except ValueError as error:
        _sentence(error)
        return
    for each in found.containers:
        accept(each.container, settings=SETTINGS, policy=POLICY)
        for path in each.where.values():
            assert each.document.line(path) > 0


def regexps(data: bytes) -> None:
    """Any text as a pattern: one for each engine, or a sentence."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        parsed = parse(text)
    except RegexpError as error:
        _sentence(error)
        return
    assert tuple(re.compile(parsed.to_python()).groupindex) == parsed.names
    assert (parsed.to_go().encode() and parsed.to_ruby().encode()) or not text
    assert "\n" not in parsed.slow
    before_newline(text)


def _sentence(error: ValueError) -> None:
    """What a person is told, on one line, in UTF-8."""
    assert str(error).encode()
    assert "\n" not in str(error), error


def _container(data: bytes) -> Container:
    places: tuple[dict[str, str], ...] = ({}, {}, {})
    text = data.decode("utf-8", "surrogateescape")
    for record in text.split(RECORD if RECORD in text else "\n\n")[:RECORDS]:
        if record:
            key, _, value = record[1:].partition("=")
            places[ord(record[0]) % len(places)][key] = value
    env, labels, annotations = places
    return Container(
        id="c" * 64,
        name="/web-1",
        state=State.RUNNING,
        image="nginx",
        env=env,
        labels=labels,
        mounts=MOUNTS,
        log_path="/var/lib/docker/containers/x/x-json.log",
        rootfs="/var/lib/docker/overlay2/x/diff",
        pod=Pod("ns", "web-0", uid="u", container="app", annotations=annotations),
    )
