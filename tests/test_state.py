from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilot.files import TEMPORARY
from pilot.model import Container, FileSet, Framing, Mount, Pod, State
from pilot.state import SavedContainer, SavedPin, SavedSet, StateError, StateStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Text as a runtime's JSON or a folder's listing may bring it: surrogate escapes, NUL, newlines.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.integers(0xDC80, 0xDCFF).map(chr),
    ),
    max_size=20,
)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=4)
CONTAINERS = st.builds(
    Container,
    id=TEXT,
    name=TEXT,
    state=st.sampled_from(State),
    created=TEXT,
    image=TEXT,
    env=PAIRS,
    labels=PAIRS,
    image_env=PAIRS,
    image_labels=PAIRS,
    mounts=st.lists(st.builds(Mount, TEXT, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    log_path=TEXT,
    log_framing=st.sampled_from(Framing),
    log_driver=TEXT,
    rootfs=TEXT,
    pod=st.none() | st.builds(Pod, TEXT, TEXT, TEXT, TEXT, annotations=PAIRS, labels=PAIRS),
)
SAVED = st.builds(SavedContainer, CONTAINERS, st.booleans())
NAMES = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}", fullmatch=True)
SETS = st.builds(
    SavedSet,
    st.builds(
        FileSet,
        name=NAMES,
        root=TEXT,
        folder=TEXT,
        pattern=TEXT,
        framing=st.sampled_from(Framing),
        inside=TEXT,
        rotated=st.booleans(),
    ),
    TEXT,
    st.lists(st.builds(SavedPin, TEXT, st.integers(0, 2**64), st.booleans()), max_size=4).map(
        tuple
    ),
)


@contextmanager
def opened(folder: Path) -> Iterator[StateStore]:
    store = StateStore(folder)
    try:
        yield store
    finally:
        store.close()


def container(name: str = "web") -> SavedContainer:
    return SavedContainer(Container(id=name, name=name, state=State.RUNNING))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@given(saved=SAVED)
def test_any_container_comes_back_as_it_was(folder: Path, saved: SavedContainer) -> None:
    with opened(folder) as store:
        store.save_container(saved)
    with opened(folder) as store:
        assert list(store.containers()) == [saved]
        store.forget_container(saved.container.id)
        assert list(store.containers()) == []


@given(saved=SETS)
def test_any_file_set_comes_back_as_it_was(folder: Path, saved: SavedSet) -> None:
    with opened(folder) as store:
        store.save_set(saved)
        assert list(store.sets()) == [saved]
        store.forget_set(saved.file_set.name)
        assert list(store.sets()) == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(saved=st.lists(SAVED, max_size=5, unique_by=lambda each: each.container.id))
def test_containers_do_not_overwrite_each_other(folder: Path, saved: list[SavedContainer]) -> None:
    with opened(folder) as store:
        for each in saved:
            store.save_container(each)
        found = {each.container.id: each for each in store.containers()}
        assert found == {each.container.id: each for each in saved}
        for each in saved:
            store.forget_container(each.container.id)


def test_fields_from_a_later_version_are_ignored_and_missing_ones_have_defaults(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        store.save_container(container())
    (file,) = (tmp_path / "containers").glob("*.json")
    data = json.loads(file.read_bytes())
    assert data["version"] == 1
    data |= {"version": 2, "mood": {"deep": [1]}}
    data["container"] |= {"flavour": "x"}
    for name in ("created", "image", "env", "labels", "log_path", "rootfs", "pod", "log_driver"):
        del data["container"][name]
    del data["gone"]
    file.write_text(json.dumps(data))
    with opened(tmp_path) as store:
        assert list(store.containers()) == [container()]


def test_what_the_version_before_wrote_is_read(tmp_path: Path) -> None:
    pod, mount = Pod("shop", "web-0"), Mount("/logs", "/srv/logs", "bind")
    now = Container(id="web", name="web", state=State.RUNNING, pod=pod, mounts=(mount,))
    with opened(tmp_path) as store:
        store.save_container(SavedContainer(now))
    (file,) = (tmp_path / "containers").glob("*.json")
    data = json.loads(file.read_bytes())
    for key in ("image_env", "image_labels"):
        del data["container"][key]
    for key in ("annotations", "labels"):
        del data["container"]["pod"][key]
    del data["container"]["mounts"][0]["name"]
    file.write_text(json.dumps(data))
    with opened(tmp_path) as store:
        assert list(store.containers()) == [SavedContainer(now)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 4096,
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b'{"container": null}',
        b'{"container": {"id": "x"}}',
        b'{"container": {"id": "x", "name": "x", "state": "asleep", "mounts": []}}',
        b'{"container": {"id": "x", "name": "x", "state": "running", "mounts": "abc"}}',
        b'{"container": {"id":"x","name":"x","state":"running","mounts":[],"env":["a"]}}',
        b'{"container": {"id":"x","name":"x","state":"running","mounts":[],"pod":["a"]}}',
        b"[" * 200_000,
        b"\xff\xfe{}",
    ],
)
def test_garbage_is_set_aside_and_the_rest_loads(tmp_path: Path, garbage: bytes) -> None:
    with opened(tmp_path) as store:
        store.save_container(container("a"))
        store.save_container(container("z"))
    bad = tmp_path / "containers" / "m.json"
    bad.write_bytes(garbage)
    with opened(tmp_path) as store:
        assert list(store.containers()) == [container("a"), container("z")]
    assert bad.with_suffix(".unreadable").read_bytes() == garbage
    assert not bad.exists()
    with opened(tmp_path) as store:
        assert list(store.containers()) == [container("a"), container("z")]


@given(
    seconds=st.dictionaries(
        TEXT, st.floats(min_value=0, max_value=1e9, allow_nan=False), max_size=5
    )
)
def test_what_is_left_of_deadlines_comes_back_as_it_was(
    folder: Path, seconds: dict[str, float]
) -> None:
    with opened(folder) as store:
        assert store.save_drains(seconds)
    with opened(folder) as store:
        assert store.drains() == seconds


def test_deadlines_are_written_as_a_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.drains() == {}, "there are none at first"
        store.save_drains({"a": 1.5, "b": 2.0})
        store.save_drains({"b": 1.0})
        assert store.drains() == {"b": 1.0}, "a came back, or is retired"
        assert list(store.containers()) == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"{}",
        b'{"seconds": null}',
        b'{"seconds": ["a"]}',
        b'{"seconds": {"a": "soon"}}',
        b'{"seconds": {"a": null}}',
        b"[" * 200_000,
        b"\xff\xfe{}",
    ],
)
def test_deadlines_that_cannot_be_read_start_anew(
    tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "drains.json").write_bytes(garbage)
    with opened(tmp_path) as store:
        assert store.drains() == {}
        assert "deadlines start anew" in caplog.text
        store.save_drains({"a": 1.0})
        assert store.drains() == {"a": 1.0}


def test_what_cannot_be_saved_is_told_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with opened(tmp_path) as store:
        (tmp_path / "containers").rename(tmp_path / "away")  # as a read-only or full disk
        for _ in range(5):
            assert not store.save_container(container())
        assert "cannot save in" in store.problem
        assert len([line for line in caplog.messages if "cannot save" in line]) == 1
        (tmp_path / "away").rename(tmp_path / "containers")
        assert store.save_container(container())
        assert store.save_container(container())
        assert store.problem == ""
        assert len([line for line in caplog.messages if "works again" in line]) == 1


def test_a_second_pilot_is_refused_and_the_first_one_s_writing_is_not_disturbed(
    tmp_path: Path,
) -> None:
    with opened(tmp_path):
        writing = tmp_path / "containers" / f"{TEMPORARY}web.json~"
        writing.write_bytes(b"{")
        with pytest.raises(StateError, match="another log-pilot"):
            StateStore(tmp_path)
        assert writing.exists()
    with opened(tmp_path):
        assert not writing.exists()


def test_a_pilot_that_was_killed_leaves_the_folder_free(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from pilot.state import StateStore\n"
        "store = StateStore(pathlib.Path(sys.argv[1]))\n"
        "print(*(store.next_serial() for _ in range(5)), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    given_out: list[int] = []
    for _ in range(3):
        killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
        assert killed.returncode == -9
        given_out += map(int, killed.stdout.split())
    with opened(tmp_path) as store:
        given_out += [store.next_serial() for _ in range(5)]
    assert given_out == sorted(set(given_out))
    assert len(given_out) == 20


def test_an_unusable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match="cannot use the state folder"):
        StateStore(tmp_path / "file")


def test_serials_never_repeat_across_threads_blocks_and_restarts(tmp_path: Path) -> None:
    given_out: list[int] = []
    for _ in range(3):
        with opened(tmp_path) as store:
            takes: list[list[int]] = [[] for _ in range(4)]

            def take(to: list[int], store: StateStore = store) -> None:
                to.extend(store.next_serial() for _ in range(700))  # more than one block

            threads = [threading.Thread(target=take, args=(to,)) for to in takes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert min(map(min, takes)) > max(given_out, default=0)
            given_out += chain.from_iterable(takes)
    assert len(set(given_out)) == len(given_out) == 3 * 4 * 700


@pytest.mark.parametrize("garbage", [b"", b"x", b"\xff", b"12 34"])
def test_a_lost_counter_starts_from_the_clock_which_is_past_old_numbers(
    tmp_path: Path, garbage: bytes
) -> None:
    (tmp_path / "serial").write_bytes(garbage)
    clock = time.time_ns() // 1_000_000
    with opened(tmp_path) as store:
        assert store.next_serial() > clock


def test_a_serial_that_cannot_be_saved_is_not_given(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        (tmp_path / "serial").mkdir()
        for _ in range(2):
            with pytest.raises(OSError, match="serial"):
                store.next_serial()
        (tmp_path / "serial").rmdir()
        first = store.next_serial()
        assert int((tmp_path / "serial").read_text()) > first
