"""What the piloter writes for the collector and reads from it."""

from __future__ import annotations

import fcntl
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.configdir import MARK
from pilot.handover import Input
from pilot.model import Container, FileSet, Framing, Log, State
from pilot.piloters.console import create
from pilot.piloters.console import piloter as console
from pilot.piloters.console.framing import Framer
from pilot.piloters.console.inputs import ConsoleInput, InputError, dump, parse
from pilot.piloters.unchanged import SETTLED
from pilot.settings import Settings
from pilot.treatment import Format, Multiline, Stream, Treatment
from tests.piloters.console.running import Setup, end, pinned, wait_for

if TYPE_CHECKING:
    from pilot.piloters import Piloter

CONTAINER = Container(id="c1", name="web", state=State.RUNNING)


def piloter(tmp_path: Path, **more: str) -> Piloter:
    return create(
        Settings(config_dir=tmp_path / "config", data_dir=tmp_path / "data", **more)  # type: ignore[arg-type]
    )


def file_set(framing: Framing = Framing.LINES, inside: str = "/var/log/app") -> FileSet:
    return FileSet(
        name="set", root="/volumes/v", folder="app", pattern="*.log", framing=framing, inside=inside
    )


def wanted(pins: str | None, inside: str = "/var/log/app", **fields: str) -> Input:
    return Input(
        file_set=file_set(inside=inside),
        treatment=Treatment(format=Format.JSON),
        pins=pins,
        folders=() if pins else ("/host/volumes/v/app",),
        base="/host/volumes/v/app",
        shown=inside or "/volumes/v/app",
        fields=fields,
    )


def test_a_pinned_input(tmp_path: Path) -> None:
    content = piloter(tmp_path).render(CONTAINER, [wanted("/pins/set", k8s_pod="web-0")]).content
    assert content.startswith(MARK)
    assert parse(content) == (
        ConsoleInput(
            id="set",
            pins="/pins/set",
            folders=(),
            base="",
            pattern="",
            rotated=False,
            shown="/var/log/app",
            framing=Framing.LINES,
            treatment=Treatment(format=Format.JSON),
            fields={"k8s_pod": "web-0"},
        ),
    )


def test_a_direct_input(tmp_path: Path) -> None:
    (found,) = parse(piloter(tmp_path).render(CONTAINER, [wanted(None, inside="")]).content)
    assert found.pins == ""
    assert (found.folders, found.pattern, found.rotated) == (
        ("/host/volumes/v/app",),
        "*.log",
        True,
    )
    assert found.base == "/host/volumes/v/app"
    assert found.shown == "/volumes/v/app"


def test_an_input_of_one_stream_with_its_treatment(tmp_path: Path) -> None:
    treatment = Treatment(multiline=Multiline(pattern="^ "), exclude="secret", raw={"a": "b"})
    given_ = replace(
        wanted("/pins/set"),
        file_set=file_set(Framing.CRI, ""),
        stream=Stream.STDERR,
        treatment=treatment,
    )
    (found,) = parse(piloter(tmp_path).render(CONTAINER, [given_]).content)
    assert (found.id, found.stream) == ("set-stderr", Stream.STDERR)
    assert found.treatment == replace(treatment, raw={})


def test_a_fragment_with_a_pattern_that_is_none_is_broken() -> None:
    broken = pinned(Path("/pins/set"), treatment=Treatment(exclude="("))
    with pytest.raises(InputError, match="treatment"):
        parse(dump([broken]))


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    first = piloter(tmp_path).render(CONTAINER, [wanted("/pins/set", a="1", b="2")])
    second = piloter(tmp_path).render(CONTAINER, [wanted("/pins/set", b="2", a="1")])
    assert first == second


@given(
    st.dictionaries(st.text(), st.text()),
    st.text(),
    st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
def test_any_text_survives_a_fragment(fields: dict[str, str], pattern: str, folder: str) -> None:
    made = ConsoleInput(
        id="a",
        pins="",
        folders=(f"/{folder}",),
        base=f"/{folder}",
        pattern=pattern,
        rotated=True,
        shown="/x",
        framing=Framing.LINES,
        fields=fields,
    )
    content = dump([made, made])
    assert content.isascii()
    assert parse(content) == (made, made)


def test_invalid_utf8_in_a_field_is_replaced() -> None:
    (found,) = parse(dump([pinned(Path("/pins/set"), tag="a\udcffb")]))
    assert found.fields == {"tag": "a�b"}


@given(st.integers(0, 1000))
def test_a_cut_fragment_is_never_taken_for_a_whole_one(cut: int) -> None:
    content = dump([pinned(Path("/pins/set"), a="b")])
    if cut < len(content) - 1:
        with pytest.raises(InputError):
            parse(content[:cut])


OLD = "id: a, pins: /p, shown: /s, framing: cri"
GOOD = f"{OLD}, stream: all, treatment: {{}}"


@pytest.mark.parametrize("format_", ["none", "json"])
def test_a_fragment_of_the_first_version_means_what_it_did(format_: str) -> None:
    (old,) = parse(f"{{inputs: [{{{OLD}, format: {format_}}}], version: 1}}".encode())
    (new,) = parse(f"{{inputs: [{{{GOOD}}}], version: 2}}".encode())
    assert old == replace(new, treatment=Treatment(format=Format(format_)))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "\t",
        "a: &a [*a]",
        "{inputs: {}, version: 2}",
        "{inputs: [1], version: 2}",
        "{inputs: [], version: 0}",
        "{inputs: [], version: 3}",
        "{inputs: [], version: true}",
        "{inputs: [{id: a}], version: 1}",
        "{inputs: [{id: a}], version: 2}",
        f"{{inputs: [{{{OLD}, format: csv}}], version: 1}}",
        f"{{inputs: [{{{OLD}, format: none, treatment: {{exclude: a}}}}], version: 1}}",
        f"{{inputs: [{{{OLD}, format: none}}], version: 2}}",
        f"{{inputs: [{{{GOOD}, format: none}}], version: 2}}",
        f"{{inputs: [{{{GOOD}, more: 1}}], version: 2}}",
        f"{{inputs: [{{{GOOD}, fields: 1}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('all', 'both')}}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('id: a', 'id: 1')}}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('cri', 'x')}}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('pins', 'directory')}}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('{}', '[]')}}}], version: 2}}",
        f"{{inputs: [{{{GOOD.replace('{}', '{exclud: a}')}}}], version: 2}}",
        "!!python/object/apply:os.system [false]",
    ],
)
def test_anything_else_is_no_fragment(content: str) -> None:
    with pytest.raises(InputError):
        parse(content.encode())


@given(st.text(min_size=1))
def test_file_names_are_safe_for_any_container(container_id: str) -> None:
    made = create(Settings(config_dir=Path("/c"), data_dir=Path("/d")))
    fragment = made.render(Container(id=container_id, name="x", state=State.RUNNING), [])
    ((name, content),) = made.files([container_id], {container_id: fragment}).items()
    assert content == fragment.content
    assert name.endswith(made.suffix)
    assert not name.startswith(".")
    assert "/" not in name
    assert name.isprintable()
    assert len(name.encode()) < 200
    assert made.files([container_id], {}) == {name: None}


def test_places(tmp_path: Path) -> None:
    made = piloter(tmp_path)
    assert made.name == "console"
    assert made.directory == tmp_path / "config" / "inputs.d"
    assert made.prepare() == {}
    assert made.command().argv == (
        *(sys.executable, "-m", "pilot.piloters.console"),
        *("--config", str(tmp_path / "config"), "--data", str(tmp_path / "data")),
    )
    usual = create(Settings())
    assert usual.directory == Path("/etc/log-pilot/console/inputs.d")
    assert usual.command().lock == "/var/lib/log-pilot-console/lock"
    assert piloter(tmp_path, collector="mine").command().argv[0] == "mine"


def test_nothing_is_refused(tmp_path: Path) -> None:
    log = Log(
        name="a",
        key="aliyun_logs_a",
        file_sets=(file_set(),),
        treatment=Treatment(format=Format.JSON),
        target="t",
    )
    assert piloter(tmp_path).refuse(log) == []


def record(tmp_path: Path, **files: tuple[int, ...]) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    names = ("offset", "read", "framed", "seen")
    entries = {file: dict(zip(names, numbers, strict=False)) for file, numbers in files.items()}
    temporary = tmp_path / "data" / "new"
    temporary.write_text(
        json.dumps(
            {"version": 1, "files": {"set": entries, "other": {"f": {"offset": 1, "read": 1}}}}
        )
    )
    temporary.rename(tmp_path / "data" / "registry.json")


def test_progress_is_what_was_recorded(tmp_path: Path) -> None:
    made = piloter(tmp_path)
    assert made.progress(["set"]) == {}
    record(tmp_path, **{"/pins/set/a~1~1": (5, 9), "12-34": (7, 7)})
    assert made.progress(["set", "unknown"]) == {("set", "/pins/set/a~1~1"): 5, ("set", "12-34"): 7}
    record(tmp_path, **{"12-34": (8, 8)})
    assert made.progress(["set"]) == {("set", "12-34"): 8}


def test_unusable_records_count_as_nothing_read(tmp_path: Path) -> None:
    record(tmp_path, a=(1, 1))
    made = piloter(tmp_path)
    made.progress(["set"])
    (tmp_path / "data" / "registry.json").write_text("{")
    with pytest.raises(OSError, match="registry"):
        made.progress(["set"])
    with pytest.raises(OSError, match="registry"):
        made.progress(["set"])


TIME = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("framing", "content", "expected"),
    [
        (Framing.LINES, "", 0),
        (Framing.LINES, "half", 0),
        (Framing.LINES, "one\ntw", 4),
        (Framing.LINES, "x" * 200_000 + "\n" + "y" * 200_000, 200_001),
        (Framing.CRI, f"{TIME} stdout F a\n", 32),
        (Framing.CRI, f"{TIME} stdout F a\n{TIME} stdout P b\n", 32),
        (Framing.CRI, f"{TIME} stdout F a\n{TIME} stdout P b\n{TIME} stderr F c\nhalf", 32),
    ],
)
def test_where_the_collector_is_done(
    tmp_path: Path, framing: Framing, content: str, expected: int
) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text(content)
    assert piloter(tmp_path).readable_end(pin, file_set(framing)) == expected


def test_a_newline_is_not_searched_for_without_end(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    with pin.open("wb") as file:
        file.write(b"one\n")
        file.truncate(console.FARTHEST + 100)
    # What lies further back counts as unread: the safe side.
    assert piloter(tmp_path).readable_end(pin, file_set()) == 100
    with pin.open("wb") as file:
        file.write(b"one\n")
        file.truncate(console.FARTHEST)
    assert piloter(tmp_path).readable_end(pin, file_set()) == 4


def test_a_question_asked_again_sees_what_changed(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text(f"{TIME} stdout P b\n{TIME} stderr F c\n")
    made = piloter(tmp_path)
    assert made.readable_end(pin, file_set(Framing.CRI)) == 0
    wait_for(lambda: time.time_ns() - pin.stat().st_ctime_ns > SETTLED, "the file to settle")
    assert made.readable_end(pin, file_set(Framing.CRI)) == 0
    assert made.readable_end(pin, file_set(Framing.LINES)) == 64
    record(tmp_path, **{"/elsewhere/a~1~1": (32, 64)})
    assert made.readable_end(pin, file_set(Framing.CRI)) == 32
    with pin.open("a") as file:
        file.write(f"{TIME} stdout F d\n")
    assert made.readable_end(pin, file_set(Framing.LINES)) == 96


def test_a_collector_that_is_done_says_itself_where(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text(f"{TIME} stdout P b\n{TIME} stderr F c\n")
    record(tmp_path, **{"/elsewhere/a~1~1": (0, 60)})
    assert piloter(tmp_path).readable_end(pin, file_set(Framing.CRI)) == 0
    record(tmp_path, **{"/elsewhere/a~1~1": (500, 500)})  # of the file before it was cut
    assert piloter(tmp_path).readable_end(pin, file_set(Framing.CRI)) == 0


def test_each_stream_is_done_where_its_own_lines_are(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text(f"{TIME} stdout F a\n{TIME} stderr P b\n{TIME} stdout F c\n")
    made = piloter(tmp_path)
    assert made.readable_end(pin, file_set(Framing.CRI)) == 32
    assert made.readable_end(pin, file_set(Framing.CRI), Stream.STDOUT) == 96
    assert made.readable_end(pin, file_set(Framing.CRI), Stream.STDERR) == 32


def test_an_event_that_waits_is_not_done_with_yet(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text(f"{TIME} stdout F a\n{TIME} stdout P b\n{TIME} stderr F c\n")
    record(tmp_path, **{str(pin): (0, 0, 32, 96)})
    made = piloter(tmp_path)
    assert made.progress(["set"]) == {("set", str(pin)): 0}
    assert made.readable_end(pin, file_set(Framing.CRI), Stream.STDOUT) == 32


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        piloter(tmp_path).readable_end(tmp_path / "a~1~1", file_set())


PIECES = st.lists(
    st.sampled_from(
        [f"{TIME} {stream} {tag} x\n" for stream in ("stdout", "stderr") for tag in "PF"]
        + ["bad\n", "ha"]
    ),
    max_size=12,
).map("".join)


@given(PIECES, st.integers(0, 400))
def test_progress_and_end_agree(
    tmp_path_factory: pytest.TempPathFactory, content: str, seen: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("agree")
    pin = tmp_path / "a~1~1"
    pin.write_text(content)
    framer = Framer(Framing.CRI)
    framer.feed(content.encode()[:seen])
    record(tmp_path, **{str(pin): (framer.offset, framer.read)})
    framer.feed(content.encode()[seen:])
    assert piloter(tmp_path).readable_end(pin, file_set(Framing.CRI)) == framer.offset


def test_the_collector_runs_by_the_piloters_command(tmp_path: Path) -> None:
    made, setup = piloter(tmp_path), Setup(tmp_path)
    command = made.command()
    assert list(command.argv) == setup.argv()
    pins = tmp_path / "pins" / "set"
    pins.mkdir(parents=True)
    pin = pins / "app.log~1~1"
    pin.write_text('{"level": "info", "message": "one"}\nhalf')
    fragment = made.render(CONTAINER, [wanted(str(pins), index="i")])
    for name, content in made.files(["c1"], {"c1": fragment}).items():
        assert content is not None
        (made.directory / name).write_bytes(content)
    process = setup.run()
    wait_for(setup.events, "an event")
    (event,) = setup.events()
    assert (event["message"], event["level"], event["index"]) == ("one", "info", "i")
    done = {("set", str(pin)): made.readable_end(pin, file_set())}
    wait_for(lambda: made.progress(["set"]) == done, "the record")
    with Path(command.lock).open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert end(process) == (0, "")
    with Path(command.lock).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
