from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilot.templating import Templates, TemplatingError, our_folders

if TYPE_CHECKING:
    from pathlib import Path


def angle(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("only strings")
    return f"<{value}>"


def templates(user: Path, **files: str) -> Templates:
    (user / "any").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (user / "any" / name).write_text(content)
    return Templates("any", encode=angle, user=user)


def test_every_expression_is_encoded_and_the_rest_is_not(tmp_path: Path) -> None:
    made = templates(tmp_path, t="x: {{ a }}\n{% for b in c %}\n  - {{ b }}\n{% endfor %}\n")
    assert made.render("t", {"a": "1", "c": ["2", "3"]}) == b"x: <1>\n  - <2>\n  - <3>\n"


def test_constants_and_filtered_values_are_encoded_last(tmp_path: Path) -> None:
    made = templates(tmp_path, t='{{ "a" }}{{ a | upper ~ "/*" }}')
    assert made.render("t", {"a": "b"}) == b"<a><B/*>"


def test_the_users_folder_wins_over_ours(tmp_path: Path) -> None:
    (tmp_path / "filebeat").mkdir()
    (tmp_path / "filebeat" / "fragment.yml").write_text("mine\n")
    made = Templates("filebeat", encode=angle, user=tmp_path)
    assert made.render("fragment.yml", {}) == b"mine\n"


def test_our_templates_are_found_in_a_checkout() -> None:
    assert any((folder / "filebeat" / "fragment.yml").is_file() for folder in our_folders())


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("a\n{% for %}\n", 2, "Expected"),
        ("a\n\n{{ missing }}\n", 3, "'missing' is undefined"),
        ("a\n{{ a.missing }}\n", 2, "has no attribute 'missing'"),
        ("{{ 5 }}\n", 1, "only strings"),
        ("a\n{{ number }}\n", 2, "only strings"),
        ("a\n{{ a | nosuch }}\n", 2, "nosuch"),
        ("a\n{{ 1 // zero }}\n", 2, "by zero"),
    ],
)
def test_a_bad_template_says_file_and_line(
    tmp_path: Path, content: str, line: int, says: str
) -> None:
    made = templates(tmp_path, t=content)
    with pytest.raises(TemplatingError) as raised:
        made.render("t", {"a": "x", "number": 5, "zero": 0})
    assert str(raised.value).startswith(f"{tmp_path}/any/t:{line}: ")
    assert says in str(raised.value)


def test_a_missing_template_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TemplatingError, match=f"'t' is in none of {tmp_path}/any, "):
        templates(tmp_path).render("t", {})


def test_a_template_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    made = templates(tmp_path)
    (tmp_path / "any" / "t").write_bytes(b"\xff\n")
    with pytest.raises(TemplatingError, match=r"^t: "):
        made.render("t", {})
