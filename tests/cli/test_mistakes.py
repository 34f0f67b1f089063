"""docs/mistakes.md shows what the commands really print, and fixes that really fix.

`python -m tests.cli.test_mistakes` writes what they print today into the page; read the difference.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from click.testing import CliRunner

from pilot.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs/mistakes.md"
PAGE = PATH.read_text(encoding="utf-8")
FIXTURES = Path(__file__).parent / "mistakes"
SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Mistake(NamedTuple):
    """One section of the page: the file, what is printed of it, and the lines that mend it."""

    title: str
    file: str
    text: str
    transcripts: tuple[str, ...]
    diff: str


def mistakes() -> Iterator[Mistake]:
    for title, body in SECTION.findall(PAGE):
        blocks = BLOCK.findall(body)
        (text,) = (text for kind, text in blocks if kind == "yaml")
        (diff,) = (text for kind, text in blocks if kind == "diff")
        file = text.split("\n", 1)[0].removeprefix("# ")
        shown = tuple(text for kind, text in blocks if kind == "console")
        yield Mistake(title, file, text, shown, diff)


ALL = list(mistakes())
BY_FILE = pytest.mark.parametrize("mistake", ALL, ids=[each.file for each in ALL])


def run(*words: str) -> tuple[str, int]:
    """What a command prints on a terminal of 96 columns, and its exit code."""
    result = CliRunner(env={"COLUMNS": "96"}).invoke(main, list(words))
    return result.output, result.exit_code


def today(transcript: str) -> str:
    """The same command with what it prints now; to be called in the folder of the files."""
    command = transcript.split("\n", 1)[0]
    printed, code = run(*shlex.split(command.removeprefix("$ log-pilot ")))
    return f"{command}\n{printed}[exit code {code}]\n"


def test_there_are_ten_mistakes_or_more_and_each_fixture_is_shown() -> None:
    assert len(ALL) >= 10
    assert sorted(each.file for each in ALL) == sorted(each.name for each in FIXTURES.iterdir())


@BY_FILE
def test_the_file_is_shown_as_it_is(mistake: Mistake) -> None:
    assert (FIXTURES / mistake.file).read_text(encoding="utf-8") == mistake.text


@BY_FILE
def test_each_transcript_is_what_is_printed(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FIXTURES)
    assert mistake.transcripts
    for transcript in mistake.transcripts:
        assert today(transcript) == transcript


@BY_FILE
def test_the_fix_leaves_nothing_to_refuse(mistake: Mistake, tmp_path: Path) -> None:
    text = mistake.text
    removed = [line[1:] for line in mistake.diff.splitlines() if line.startswith("-")]
    added = [line[1:] for line in mistake.diff.splitlines() if line.startswith("+")]
    old = "".join(f"{line}\n" for line in removed)
    assert text.count(old) == 1
    mended = tmp_path / mistake.file
    mended.write_text(text.replace(old, "".join(f"{line}\n" for line in added)), encoding="utf-8")
    printed, code = run("lint", "--strict", str(mended))
    assert (printed, code) == ("", 0)
    assert run("explain", str(mended))[1] == 0


if __name__ == "__main__":
    os.chdir(FIXTURES)
    CONSOLE = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
    PATH.write_text(CONSOLE.sub(lambda found: today(found[1]), PAGE), encoding="utf-8")
