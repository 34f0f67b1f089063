"""The documents agree with the code: modules, commands, flags, links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from pilot.cli.run import run
from pilot.drain import Phase

ROOT = Path(__file__).parents[1]
PILOT = ROOT / "pilot"
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs/settings.md").read_text()
PAGES = sorted(
    page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def modules() -> set[str]:
    """Every module below pilot/ that does something itself, as a path."""
    paths = (path.relative_to(PILOT) for path in PILOT.rglob("*.py"))
    return {
        path.as_posix()
        for path in paths
        if path.name != "__init__.py" and path.parts[0] not in ("proto", "templates")
    }


def options() -> dict[str, str]:
    """Each long flag of `log-pilot run` with its env variable."""
    flags = [each for each in run.params if isinstance(each, click.Option)]
    return {each.opts[0]: str(each.envvar) for each in flags}


def sections() -> dict[str, str]:
    """README's sections by title."""
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def anchors(page: str) -> set[str]:
    """The places in a page that a link can name, as GitHub makes them of headings."""
    text = FENCED.sub("", (ROOT / page).read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


def test_architecture_has_a_paragraph_for_each_module_and_names_no_other() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    named = re.findall(r"^- `([a-z_/]+\.py)`: ", text, re.MULTILINE)
    assert sorted(named) == sorted(modules())


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"`pilot/([a-z_/]+\.py)`", (ROOT / page).read_text())
    assert [name for name in named if not (PILOT / name).is_file()] == []


def test_the_picture_in_the_readme_is_the_list_of_modules() -> None:
    picture = FENCED.findall(sections()["How it works"])[0]
    parts = {module.split("/")[0].removesuffix(".py") for module in modules()} - {"__main__"}
    assert parts - set(re.findall(r"[a-z_]+", picture)) == set()


def test_the_boxes_in_the_readme_are_modules() -> None:
    picture = FENCED.findall(sections()["How it works"])[0]
    boxes = re.findall(r"┌─ (\w+) ─", picture)
    known = {path.stem for path in PILOT.iterdir()}
    assert boxes
    assert set(boxes) - known == set()


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_exists(page: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / page).read_text()
    code = "\n".join([*FENCED.findall(text), *re.findall(r"`(make [^`]+)`", text)])
    words = [
        word for line in re.findall(r"^make ([a-z ]+)", code, re.MULTILINE) for word in line.split()
    ]
    assert set(words) - set(targets) == set()


def test_the_readme_tells_the_two_commands() -> None:
    assert {"make run", "make test"} <= set(re.findall(r"^make \w+", README, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_log_pilot_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    known = {path.stem for path in (PILOT / "cli").glob("*.py")} - {"__init__", "options"}
    code = "\n".join([*FENCED.findall(text), *re.findall(r"`(log-pilot [^`]+)`", text)])
    named = set(re.findall(r"(?<![\w/.-])log-pilot ([a-z]+)\b", code))
    assert named - known == set()


def test_settings_name_every_flag_of_run_with_its_variable_and_no_other() -> None:
    rows = re.findall(r"^\| `(--[a-z-]+)` \| `(\w+)` \|", SETTINGS, re.MULTILINE)
    assert dict(rows) == options()


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_of_the_pilot_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"\bPILOT_[A-Z_]+[A-Z]\b", (ROOT / page).read_text()))
    assert named - set(options().values()) == set()


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    text = FENCED.sub("", (ROOT / page).read_text())
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(link)
            continue
        if anchor and anchor not in anchors(target.relative_to(ROOT).as_posix()):
            broken.append(link)
    assert broken == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in LINK.findall(README)}
    pages = {page for page in PAGES if not page.startswith("docs/decisions/")}
    assert pages - linked - {"README.md"} == set()


def test_the_vocabulary_has_every_phase() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    row = re.search(r"^\| phase \|.*: (.+) \|$", text, re.MULTILINE)
    assert row
    assert row[1].split(", ") == list(Phase)


def test_decisions_are_numbered_without_a_gap_and_short() -> None:
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        lines = path.read_text().splitlines()
        assert lines[0].startswith(f"# {int(path.name[:4])}. ")
        assert [line for line in lines if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]
        assert len(lines) <= 40


def test_the_versions_of_python_are_those_that_the_project_claims() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    claimed = [one.rsplit(" ", 1)[1] for one in project["classifiers"] if ":: 3." in one]
    assert f"Python {claimed[0]} to {claimed[-1]}" in README
