"""The same strings through Fluentd's encoder and a parser of its syntax that is not ours."""

from __future__ import annotations

import json
import random
import re
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from pilot.piloters.fluentd import encode
from pilot.regexps import RegexpError, parse
from tests.hostile.judging import Judge
from tests.hostile.strings import hostile, hostile_regexp
from tests.piloters.fluentd import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

EACH = 100  # strings in one configuration
SOME, ALL = 10_000, 1_000_000
OURS = re.compile(r'\$\{\["([0-9a-f]*)"\]\.pack\("H\*"\)\.force_encoding\("UTF-8"\)\}')
# What is not itself where record_transformer runs `%Q[value]`, or is a placeholder.
STRIPPED = " \t\n\v\f\r\0"
PLACEHOLDER = re.compile(r"[\\#\[\]]|\$\{|__[A-Z_]+__|\A\{")
DIRECTIVE = re.compile("(?<!%)(?:%%)*%(?!%)")


def written(chosen: random.Random, fragment: str) -> Iterator[tuple[str, str, str]]:
    """How a value is meant, the text, and the value as it is written."""
    while True:
        text = hostile(chosen, fragment)
        yield "quoted", text, encode.quoted(text)
        text = hostile(chosen, fragment)
        yield "static", text, encode.static(text)
        text = f"/{hostile(chosen, fragment)}"
        try:
            yield "path", text, encode.path(text)
        except ValueError:
            assert set(text) & set("*|\t\n") or text[-1] in STRIPPED, text
        text = hostile_regexp(chosen, fragment)
        try:
            ruby = parse(text).to_ruby()
        except RegexpError:
            continue
        yield "regexp", ruby, encode.regexp(ruby)


def judge(how: str, text: str, read: str) -> None:
    """Raises AssertionError unless Fluentd makes of a value what it was written for."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    if how == "regexp":
        assert read == f"/{text}/"
    elif how == "path":
        assert not DIRECTIVE.search(read), read
        assert read.replace("%%", "%") == text
        assert read[-1] not in STRIPPED, read
    elif how == "static" and (ours := OURS.fullmatch(read)):
        assert bytes.fromhex(ours[1]).decode() == text
    else:
        assert read == text
        assert how != "static" or not PLACEHOLDER.search(read), read


@pytest.mark.parametrize("strings", [SOME, pytest.param(ALL, marks=pytest.mark.proof)])
@pytest.mark.timeout(1800)
def test_hostile_strings_are_read_back_by_fluentd_s_syntax(strings: int) -> None:
    values = written(random.Random("fluentd"), Judge().sample)
    for _ in range(strings // EACH):
        batch = list(islice(values, EACH))
        lines = "".join(f"  v{at} {value}\n" for at, (_, _, value) in enumerate(batch))
        root = syntax.parse(
            f"<source>\n  @type tail\n{lines}  last 1\n</source>\n<match>\n</match>\n"
        )
        source, match = root.elements
        assert (source.name, match.name, source.elements, root.parameters) == (
            "source",
            "match",
            [],
            {},
        )
        found = source.parameters
        assert [*found] == ["@type", *(f"v{at}" for at in range(EACH)), "last"]
        assert (found["@type"], found["last"]) == ("tail", "1")
        for at, (how, text, _) in enumerate(batch):
            try:
                judge(how, text, found[f"v{at}"])
            except AssertionError as error:
                error.add_note(f"{how}: {json.dumps(text)}")
                raise


def test_a_hostile_key_is_a_plain_name_or_is_refused() -> None:
    chosen, kept = random.Random("keys"), 0
    for _ in range(SOME):
        text = hostile(chosen, "")
        try:
            assert encode.key(text) == text
        except ValueError:
            assert not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text), text
        else:
            assert re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text), text
            kept += 1
    assert kept
