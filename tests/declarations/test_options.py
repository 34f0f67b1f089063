"""The table of options, and how keys are parted into a base and an option."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations import options, read
from pilot.model import Declaration, Option


def test_every_option_says_what_it_is_for() -> None:
    for about in options.ABOUT:
        assert about.summary.endswith(".")
        assert about.summary[0].isupper() or about.name == "multiline_negate"
        assert about.family in options.FAMILIES
        assert options.family(about.name) == about.family


@pytest.mark.parametrize("about", options.ABOUT, ids=lambda about: about.name)
def test_every_example_is_good(about: options.About) -> None:
    needed = {
        "format_pattern": {"format": "regexp"},
        "format_keys": {"format": "csv"},
        "format_time_key": {"format": "json"},
        "format_time_format": {"format": "json"},
        "format_target": {"format": "json"},
        "multiline_negate": {"multiline_pattern": "a"},
        "multiline_match": {"multiline_pattern": "a"},
        "multiline_max_lines": {"multiline": "java"},
        "multiline_timeout": {"multiline": "java"},
    }
    given = {**needed.get(about.name, {}), about.name: about.example}
    written = {name: Option(name, text) for name, text in given.items()}
    reading, said = read(Declaration(name="web", key="web", value="/a.log", options=written))
    assert reading is not None
    assert said == []


@pytest.mark.parametrize(
    ("rest", "separators", "expected"),
    [
        ("web_tags", "_.", [("web", "tags")]),
        ("web.format.time_key", ".", [("web", "format_time_key")]),
        (
            "web_format_time_format",
            "_.",
            [("web_format_time", "format"), ("web", "format_time_format")],
        ),
        ("web_multiline_pattern", "_.", [("web", "multiline_pattern")]),
        ("web_format_target", "_.", [("web_format", "target"), ("web", "format_target")]),
        ("web_raw_harvester_limit", "_.", [("web", "raw_harvester_limit")]),
        ("web.raw.close.on_Change", ".", [("web", "raw_close.on_Change")]),
        ("web.raw_close", ".", [("web", "raw_close")]),
        ("web_raw_tags", "_.", [("web_raw", "tags"), ("web", "raw_tags")]),
        ("web_raw_a_raw_b", "_.", [("web_raw_a", "raw_b"), ("web", "raw_a_raw_b")]),
        ("web_raw_", "_.", []),
        ("web_raw", "_.", []),
        ("_raw_a", "_.", []),
        ("_tags", "_.", []),
        ("tags", "_.", []),
        ("web_tags", ".", []),
        ("draw_a", "_.", []),
        ("web_raw_" + "a" * 65536, "_.", []),
    ],
)
def test_what_follows_a_prefix_is_parted_longest_base_first(
    rest: str, separators: str, expected: list[tuple[str, str]]
) -> None:
    assert list(options.split(rest, separators)) == expected


@given(st.text("raw_.tgsx", max_size=200))
def test_a_base_and_an_option_make_the_whole(rest: str) -> None:
    found = list(options.split(rest, "_."))
    assert [base for base, _ in found] == sorted({base for base, _ in found}, key=len, reverse=True)
    for base, option in found:
        behind = rest[len(base) + 1 :]
        assert behind.replace(".", "_") == option.replace(".", "_")


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("tagz", "tags"),
        ("fromat", "format"),
        ("include_lines", "include"),
        ("exclude_lines", "exclude"),
        ("encodings", "encoding"),
        ("time_key", "format_time_key"),
        ("negate", "multiline_negate"),
        ("pattern", "format_pattern"),
        ("index", "tags"),
        ("owner", ""),
        ("log", ""),
    ],
)
def test_a_mistyped_option(suffix: str, expected: str) -> None:
    assert options.meant(suffix) == expected


@pytest.mark.parametrize(
    ("option", "label", "env"),
    [
        ("tags", "tags", "tags"),
        ("max_bytes", "max_bytes", "max_bytes"),
        ("format_time_key", "format.time_key", "format_time_key"),
        ("multiline_max_lines", "multiline.max_lines", "multiline_max_lines"),
        ("raw_close.inactive", "raw.close.inactive", "raw_close.inactive"),
    ],
)
def test_each_dialect_spells_options_its_own_way(option: str, label: str, env: str) -> None:
    assert (options.spell(option, "."), options.spell(option, "_")) == (label, env)


@pytest.mark.parametrize("option", [*options.OPTIONS, "raw_close.inactive", "raw_x_raw_y"])
@pytest.mark.parametrize("separator", [".", "_"])
def test_what_is_spelled_is_found_again(option: str, separator: str) -> None:
    rest = f"web{separator}{options.spell(option, separator)}"
    assert ("web", option) in list(options.split(rest, separator))


@pytest.mark.parametrize(
    ("option", "expected"),
    [("raw_a", "raw"), ("fields", "tags"), ("format_keys", "format"), ("include", "include")],
)
def test_a_policy_allows_options_by_family(option: str, expected: str) -> None:
    assert options.family(option) == expected
