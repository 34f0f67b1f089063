from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.names import (
    LONGEST_PATH,
    PinName,
    escape,
    file_stem,
    matcher,
    output_set_name,
    parse_pin_name,
    pin_name,
    unescape,
    volume_set_name,
)

NAME_MAX = 255
SAFE_SET = re.compile(r"[0-9A-Za-z._-]{1,100}\Z")
# Whatever a directory listing can hold: any bytes but `/` and NUL.
FILE_NAMES = (
    st.binary(min_size=1, max_size=NAME_MAX)
    .map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))
    .map(os.fsdecode)
)
NUMBERS = st.integers(min_value=0, max_value=2**64 - 1)
TEXT = st.text(max_size=300)


@given(FILE_NAMES)
def test_escaping_is_safe_and_reversible_or_ends_in_an_ellipsis(name: str) -> None:
    safe = escape(name)
    assert re.fullmatch(r"[0-9A-Za-z._=-]+", safe)
    assert len(safe) <= LONGEST_PATH
    back = unescape(safe)
    if back.endswith("…") and back != name:
        kept = os.fsencode(back.removesuffix("…"))
        assert os.fsencode(name).startswith(kept)
        assert len(os.fsencode(name)) > len(kept)
    else:
        assert back == name


@given(st.text("aé%=~.\n ", min_size=1, max_size=60))
def test_a_short_name_comes_back_whole(name: str) -> None:
    if len(escape(name)) < LONGEST_PATH - 1:
        assert unescape(escape(name)) == name


@given(FILE_NAMES, FILE_NAMES)
def test_two_names_never_escape_to_one(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


def test_long_names_with_one_beginning_stay_two() -> None:
    assert escape("a" * 254 + "b") != escape("a" * 254 + "c")
    assert escape("é" * 120 + "b") != escape("é" * 120 + "c")


@given(st.integers(min_value=0, max_value=3), st.sampled_from(["é", "=", "\udcff", "%"]))
def test_a_cut_name_never_ends_in_half_an_escape(shift: int, part: str) -> None:
    back = unescape(escape("a" * shift + part * 120))
    assert back.endswith("…")
    assert (
        ("a" * shift + part * 120)
        .encode("utf-8", "surrogateescape")
        .startswith(back.removesuffix("…").encode("utf-8", "surrogateescape"))
    )


@given(FILE_NAMES, NUMBERS, NUMBERS)
def test_a_pin_name_fits_a_folder_and_parses_back(path: str, inode: int, serial: int) -> None:
    name = pin_name(path, inode, serial)
    assert len(name.encode()) <= NAME_MAX
    assert parse_pin_name(name) == PinName(escape(path), inode, serial)


@given(TEXT)
def test_whatever_parses_as_a_pin_name_is_one(text: str) -> None:
    parsed = parse_pin_name(text)
    if parsed:
        assert re.fullmatch(r"[0-9A-Za-z._=-]+~[0-9]+~[0-9]+", text)


def test_names_that_only_look_like_pins_are_none() -> None:
    for text in (
        "a~1",
        "~1~2",
        "a~1~2\n",
        "a~1~x",
        "a~-1~2",
        "a~\u0661~2",
        "a b~1~2",
        ".probe",
        "",
    ):
        assert parse_pin_name(text) is None, text


@given(st.lists(st.tuples(FILE_NAMES, FILE_NAMES, FILE_NAMES), min_size=2, max_size=6, unique=True))
def test_volume_set_names_are_safe_and_distinct(places: list[tuple[str, str, str]]) -> None:
    names = [volume_set_name(*place) for place in places]
    assert len(set(names)) == len(places)
    assert all(SAFE_SET.match(name) for name in names)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)  # also lone surrogates


@given(st.lists(ANY_TEXT, min_size=2, max_size=6, unique=True))
def test_names_made_of_container_ids_are_safe_and_distinct(ids: list[str]) -> None:
    stems, sets = [file_stem(each) for each in ids], [output_set_name(each) for each in ids]
    assert len(set(stems)) == len(set(sets)) == len(ids)
    assert all(SAFE_SET.match(each) for each in sets)
    assert all(re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_.~-]{0,127}", each) for each in stems)


def test_the_same_place_has_the_same_name_and_another_boundary_another() -> None:
    assert volume_set_name("/v", "a", "*.log") == volume_set_name("/v", "a", "*.log")
    assert volume_set_name("/v", "a", "b") != volume_set_name("/v", "", "ab")


def test_a_container_id_of_docker_stays_readable() -> None:
    docker = "0f" * 32
    assert output_set_name(docker) == f"stdout-{docker}"
    assert file_stem(docker) == docker
    assert file_stem("../../etc/passwd").startswith("etc-passwd-")


@pytest.mark.parametrize(
    ("pattern", "name", "plain", "rotated"),
    [
        ("app.log", "app.log", True, True),
        ("app.log", "app.log.1", False, True),
        ("app.log", "app.log-20260102", False, True),
        ("app.log", "app.log.1.gz", False, False),
        ("app.log", "app.logs", False, False),
        ("*", ".hidden", True, True),
        ("*.log", ".log", True, True),
        ("*.log", "new\nline.log", True, True),
        ("*.log", "a.log\n", False, False),
        ("*.log", "\udcff.log.2", False, True),
        ("[ab].log", "b.log", True, True),
        ("a[[]1].log", "a[1].log", True, True),
        ("**", "any", True, True),
        ("*.tmp", "a.tmp", False, False),
    ],
)
def test_a_name_belongs_to_a_pattern_as_fnmatch_says(
    pattern: str, name: str, *, plain: bool, rotated: bool
) -> None:
    assert matcher(pattern, rotated=False)(name) is plain
    assert matcher(pattern, rotated=True)(name) is rotated
