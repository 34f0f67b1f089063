"""The engines themselves: Go's regexp, and Ruby where there is one, find what Python finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pilot.declarations.multiline import PRESETS
from pilot.regexps import Regexp, RegexpError, parse
from tests.declarations.traces import TRACES
from tests.regexps.making import patterns, texts

HERE = Path(__file__).parent
ROUNDS = 20  # of PAIRS patterns with texts, each round one run of the engine
PAIRS = 300

Pair = tuple[Regexp, str]
Spans = list[list[int] | None] | None

pytestmark = pytest.mark.real

RUBY = r"""
require "json"
STDIN.each_line do |line|
  asked = JSON.parse(line)
  begin
    found = Regexp.new(asked["pattern"]).match(asked["text"])
    named = found && found.names.map { |name| found[name] && found.offset(name) }
    spans = found && [found.offset(0)] + named
    puts JSON.generate({"spans" => spans})
  rescue RegexpError => error
    puts JSON.generate({"error" => error.message})
  end
end
"""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/local/go/bin")
    if not found:
        reason = f"{name} IS NOT INSTALLED: nothing tells that patterns mean the same to it"
        if os.environ.get("CI") and name == "go":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    built = tmp_path_factory.mktemp("go") / "spans"
    environment = {**os.environ, "GOFLAGS": "", "GO111MODULE": "off"}
    command = [program("go"), "build", "-o", str(built), str(HERE / "spans.go")]
    subprocess.run(command, check=True, env=environment, timeout=240)
    return [str(built)]


@pytest.fixture(scope="module")
def ruby() -> list[str]:
    return [program("ruby"), "-W0", "-e", RUBY]


def in_python(pair: Pair) -> Spans:
    pattern, text = pair
    found = re.search(pattern.to_python(), text)
    if not found:
        return None
    groups = [list(found.span(name)) if found[name] is not None else None for name in pattern.names]
    return [list(found.span()), *groups]


def ask(command: list[str], written: list[tuple[str, str]]) -> list[dict[str, Spans | str]]:
    lines = "".join(json.dumps({"pattern": one, "text": text}) + "\n" for one, text in written)
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def _pair(pair: tuple[str, str]) -> Pair | None:
    try:
        return parse(pair[0]), pair[1]
    except RegexpError:
        return None


pairs = st.lists(st.tuples(patterns, texts).map(_pair), min_size=PAIRS, max_size=PAIRS).map(
    lambda found: [pair for pair in found if pair]
)
many = settings(
    max_examples=ROUNDS,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@many
@given(asked=pairs)
def test_go_finds_what_python_finds(go: list[str], asked: list[Pair]) -> None:
    answers = ask(go, [(pattern.to_go(), text) for pattern, text in asked])
    for pair, answer in zip(asked, answers, strict=True):
        assert answer == {"spans": in_python(pair)}, pair


@many
@given(asked=pairs)
def test_go_reads_a_pattern_as_written_as_we_do(go: list[str], asked: list[Pair]) -> None:
    plain = [pair for pair in asked if "(?i" not in pair[0].source]  # Go folds more than ASCII
    answers = ask(go, [(pattern.source, text) for pattern, text in plain])
    for pair, answer in zip(plain, answers, strict=True):
        assert answer == {"spans": in_python(pair)}, pair


def of_presets() -> list[Pair]:
    return [
        (parse(preset.pattern), line)
        for name, preset in PRESETS.items()
        for event in TRACES[name]
        for line in event.split("\n")
    ]


def test_go_finds_the_lines_of_each_multiline_preset(go: list[str]) -> None:
    asked = of_presets()
    answers = ask(go, [(pattern.to_go(), text) for pattern, text in asked])
    assert answers == [{"spans": in_python(pair)} for pair in asked]


def test_ruby_finds_the_lines_of_each_multiline_preset(ruby: list[str]) -> None:
    asked = of_presets()
    answers = ask(ruby, [(pattern.to_ruby(), text) for pattern, text in asked])
    assert answers == [{"spans": in_python(pair)} for pair in asked]


@many
@given(asked=pairs)
def test_ruby_finds_what_python_finds(ruby: list[str], asked: list[Pair]) -> None:
    answers = ask(ruby, [(pattern.to_ruby(), text) for pattern, text in asked])
    for pair, answer in zip(asked, answers, strict=True):
        assert answer == {"spans": in_python(pair)}, pair
