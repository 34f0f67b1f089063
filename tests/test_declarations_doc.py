"""What docs/ says of declarations is what the code does: tables, examples, samples."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from pilot.accept import accept
from pilot.declarations import find, options
from pilot.declarations.multiline import PRESETS
from pilot.policy import Policy, Rules
from pilot.regexps import parse
from pilot.settings import Settings
from pilot.treatment import Multiline
from tests import docs_samples, docs_tables
from tests.declarations.making import PREFIXES, bind, container, pod
from tests.declarations.test_multiline import join

if TYPE_CHECKING:
    from pilot.model import Container

SETTINGS = Settings(environment={})
POLICY = Policy(rules=Rules(raw=frozenset({"harvester_limit"})))
BLOCKS = [
    pytest.param(page, *found, id=f"{page} {found[0]}")
    for page in docs_tables.PAGES
    for found in docs_tables.BLOCK.findall((docs_tables.DOCS / page).read_text())
]
PAGE = (docs_tables.DOCS / "declarations.md").read_text()
EXAMPLES = re.findall(r"^```text\n(env  .*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SAMPLES = re.findall(r"^`(\w+)`:\n\n```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FORMS = ("env", "label", "annotation")


def forms(block: str) -> dict[str, dict[str, str]]:
    """Keys and values of an example, by the form in which they are written."""
    found: dict[str, dict[str, str]] = {}
    form = ""
    for line in block.splitlines():
        form = line[:12].strip() or form
        if form == "annotation":
            written = yaml.safe_load(line[12:])
        else:
            key, _, value = line[12:].partition("=")
            written = {key: value}
        found.setdefault(form, {}).update(written)
    return found


def declaring(form: str, written: dict[str, str]) -> Container:
    return container(
        written if form == "env" else {},
        written if form == "label" else {},
        mounts=(bind("/logs", "/srv/logs"),),
        pod=pod(written if form == "annotation" else {}, name="web"),
    )


@pytest.mark.parametrize(("page", "name", "content"), BLOCKS)
def test_a_page_says_what_the_code_says(page: str, name: str, content: str) -> None:
    assert content == f"{docs_tables.made(name)}\n", (
        f"docs/{page} is stale; python -m tests.docs_tables --write renews it"
    )


def test_every_table_and_every_example_is_shown() -> None:
    shown = {param.values[1] for param in BLOCKS}
    assert shown == {*docs_tables.TABLES, *(f"example {name}" for name in docs_samples.EXAMPLES)}


@pytest.mark.parametrize("block", EXAMPLES)
def test_the_three_forms_of_an_example_mean_the_same_and_are_accepted(block: str) -> None:
    written = forms(block)
    assert tuple(written) == FORMS
    meant = []
    for form in FORMS:
        where = declaring(form, written[form])
        found = find(where, prefixes=PREFIXES, max_logs=100)
        accepted = accept(where, settings=SETTINGS, policy=POLICY)
        assert accepted.rejections == ()
        assert len(accepted.logs) == len(found.declarations)
        assert found.opted_out == (accepted.logs == ())
        meant.append([replace(log, key="") for log in accepted.logs])
    assert meant[0] == meant[1] == meant[2]


def test_every_option_is_in_an_example() -> None:
    used = {
        option
        for block in EXAMPLES
        for each in find(
            declaring("env", forms(block)["env"]), prefixes=PREFIXES, max_logs=100
        ).declarations
        for option in each.options
    }
    assert used - {"raw_harvester_limit"} == set(options.OPTIONS)


def test_every_preset_has_a_sample() -> None:
    assert [name for name, _ in SAMPLES] == list(PRESETS)


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_a_sample_is_joined_as_the_page_says(name: str, sample: str) -> None:
    lines = re.findall(r"^(\d) \| ?(.*)$", sample, re.MULTILINE)
    assert len(lines) == len(sample.splitlines())
    preset = PRESETS[name]
    expected = ["\n".join(text for at, text in lines if at == event) for event in "123"]
    asked = Multiline(pattern=preset.pattern, negate=preset.negate)
    assert join(asked, [text for _, text in lines]) == [each for each in expected if each]


def test_what_the_page_allows_in_patterns_is_allowed() -> None:
    section = PAGE.split("## Regular expressions\n")[1].split("What is refused")[0]
    shown = [text for line in re.findall(r"`([^`]+)`", section) for text in line.split(" ")]
    fragments = {"*", "+", "?", "{2}", "{2,}", "{2,5}", "*?"}
    for text in shown:
        if text == "\\":
            continue
        whole = text.replace("…", "a").replace("HHHH", "0041").replace("HH", "41")
        parse(f"a{whole}" if text in fragments else whole)
