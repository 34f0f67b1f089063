"""docs/rejections.md explains every code, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from pilot.model import Code

DOC = Path(__file__).parent.parent / "docs" / "rejections.md"


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_code_has_a_section_and_no_section_is_without_a_code() -> None:
    assert list(sections()) == sorted(f"`{code.value}`" for code in Code)


def test_every_section_gives_an_example_and_what_to_do() -> None:
    for code, text in sections().items():
        assert "**Example.**" in text, code
        assert "**What to do.**" in text, code
