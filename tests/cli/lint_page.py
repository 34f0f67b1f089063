"""docs/lint.md shows what `lint` prints; `python -m tests.cli.lint_page` writes it there anew."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from pilot.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"
FILE = "shop.yaml"
_SHOWN = re.compile(
    r"```yaml\n(?P<manifest>[^`]*)```\n\n```text\n(?P<printed>[^`]*)```\n", re.MULTILINE
)


def examples(page: str) -> list[tuple[str, str]]:
    """Each manifest of the page with what it says that `lint` prints."""
    return [(found["manifest"], found["printed"]) for found in _SHOWN.finditer(page)]


def printed(manifest: str) -> str:
    """What `lint` prints of a manifest in the file FILE."""
    with TemporaryDirectory() as folder, chdir(folder):
        Path(FILE).write_text(manifest, encoding="utf-8")
        return str(CliRunner().invoke(main, ["lint", FILE]).output)


def rewritten(page: str) -> str:
    """The page with what `lint` prints now."""
    return _SHOWN.sub(
        lambda found: f"```yaml\n{found[1]}```\n\n```text\n{printed(found[1])}```\n", page
    )


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
