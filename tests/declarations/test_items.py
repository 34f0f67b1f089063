"""The value of a declaration."""

from __future__ import annotations

import pytest
from hypothesis import given

from pilot.declarations.items import MAX_ITEMS, is_log_value, parse_items
from pilot.model import Code
from tests.declarations.making import any_text, values


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("stdout", ("stdout",)),
        ("stderr", ("stderr",)),
        (" stdout , stderr\n", ("stdout", "stderr")),
        ("/a.log,/b/*.log", ("/a.log", "/b/*.log")),
        ("stdout,/a.log,,", ("stdout", "/a.log")),
        ("stderr,stderr", ("stderr",)),
    ],
)
def test_streams_and_paths(value: str, items: tuple[str, ...]) -> None:
    assert parse_items("web", "key", value) == (items, [])
    assert is_log_value(value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("STDOUT", "stdout"),
        ("stdot", "stdout"),
        ("Stderr", "stderr"),
        ("std_err", "stderr"),
        ("stder", "stderr"),
        ("console", ""),
        ("logs/a.log", ""),
        ("./a.log", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_bad_item_rejects_itself_only_and_names_the_nearest(text: str, hint: str) -> None:
    items, rejections = parse_items("web", "key", f"/a.log,{text}")
    assert items == ("/a.log",)
    assert [(each.code, each.hint) for each in rejections] == [(Code.VALUE_INVALID, hint)]
    assert not is_log_value(text)


def test_more_items_than_a_log_may_name_are_left_out() -> None:
    items, rejections = parse_items("web", "key", ",".join(f"/{n}" for n in range(MAX_ITEMS + 5)))
    assert len(items) == MAX_ITEMS
    assert [each.code for each in rejections] == [Code.VALUE_TOO_LONG]


@given(values | any_text)
def test_every_item_is_taken_or_refused(value: str) -> None:
    items, rejections = parse_items("web", "key", value)
    texts = {text.strip(" \t\r\n") for text in value.split(",")} - {""}
    assert len(items) + len(rejections) == len(texts)
