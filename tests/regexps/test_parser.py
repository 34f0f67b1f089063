"""What is a pattern, what is refused and in which words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import printable
from pilot.regexps import MAX_LENGTH, RegexpError, parse
from tests.regexps.making import patterns


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(?=a)", "look-ahead"),
        ("(?!a)", "look-ahead"),
        ("(?<=a)", "look-behind"),
        ("(?<!a)", "look-behind"),
        (r"(a)\1", "refer back"),
        (r"(?<a>x)\k<a>", "refer back"),
        ("(?P<a>x)(?P=a)", "reference back"),
        ("(?>a)", "atomic"),
        ("a++", "second is not known"),
        ("a*+", "second is not known"),
        ("a**", "second is not known"),
        ("a{2}{3}", "second is not known"),
        ("(a)(?(1)b|c)", "condition"),
        ("(?#x)", "comment"),
        ("(?x)a", "flags"),
        ("(?U)a", "flags"),
        ("(?-)", "flags"),
        ("a(?i)b", "very beginning"),
        (r"\pL", "Unicode"),
        (r"\p{Greek}", "Unicode"),
        (r"\Z", r"\z"),
        (r"\Qa\E", r"\Q"),
        (r"\y", "no escape"),
        ("\\\xe9", "no escape"),
        ("\\", "escapes nothing"),
        (r"\xg1", "hexadecimal"),
        (r"\x{110000}", "no character"),
        (r"\x{d800}", "no character"),
        (r"\udfff", "no character"),
        ("a{1001}", "1000"),
        ("a{1001,}", "1000"),
        ("(?:a{100}){11}", "1000"),
        ("[ab]{1000}" * 3, "5000"),
        ("[acegikmoqsuwy]{999}", "5000"),  # each copy holds all of its thirteen ranges
        ("(?:abc){999}c{999}d{999}", "5000"),
        ("a{2,1}", "below"),
        ("a{0}", "nothing"),
        ("a{,3}", "{0,n}"),
        ("*a", "nothing before"),
        ("a|*", "nothing before"),
        ("(+)", "nothing before"),
        ("{3}", "nothing before"),
        ("(a*)*", "nothing at all"),
        ("(a|)+", "nothing at all"),
        ("^*", "nothing at all"),
        (r"(?:\b)+", "nothing at all"),
        ("(?P<a>x)+", "several texts"),
        ("(?P<a>x)(?P<a>y)", "two groups"),
        ("(?P<1a>x)", "group's name"),
        ("(?P<>x)", "group's name"),
        ("(?<a-b>x)", "group's name"),
        ("(a", "not closed"),
        ("a)", "closes no group"),
        ("[a", "not closed"),
        ("[]", "not closed"),
        ("[z-a]", "upwards"),
        (r"[a-\d]", "upwards"),
        ("[[:foo:]]", "by name"),
        ("[[=a=]]", "by name"),
        ("[a&&b]", "&&"),
        (r"[\b]", "within"),
        (r"[^\s\S]", "no character"),
        ("a\nb", "U+000A"),
        ("a\x00", "U+0000"),
        ("\u202e", "U+202E"),
        ("\ud800", "U+D800"),
        ("(" * 51 + ")" * 51, "deep"),
        ("a" * 1001, "1000"),
    ],
)
def test_what_not_every_engine_understands_alike_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(RegexpError) as refused:
        parse(pattern)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("pattern", "text", "span"),
    [
        ("", "a", (0, 0)),
        ("a|b|", "c", (0, 0)),
        ("{a}", "x{a}", (1, 4)),
        ("a{", "a{", (0, 2)),
        ("]", "]", (0, 1)),
        (r"a\.b", "axb a.b", (4, 7)),
        (r"[\w-]+", " a-b ", (1, 4)),
        ("[]a]+", "x]a", (1, 3)),
        (r"[\]\\]+", "x\\]", (1, 3)),
        (r"\x41\x{1F600}\u00e9", "A\U0001f600\xe9", (0, 3)),
        (r"\/\#\ \-", "/# -", (0, 4)),
        ("a\tb", "a\tb", (0, 3)),
        ("x$", "x\n", None),
        ("(?m)x$", "x\n", (0, 1)),
        ("^b", "a\nb", None),
        ("(?m)^b", "a\nb", (2, 3)),
        (r"(?m)\Ab", "a\nb", None),
        ("a.b", "a\nb", None),
        ("(?s)a.b", "a\nb", (0, 3)),
        ("(?s-s)a.b", "a\nb", None),
        ("(?is:A.)b", "a\nb", (0, 3)),
        ("(?i)straSSE", "STRAsse", (0, 7)),
        ("(?i)k", "\u212a", None),
        ("(?i)[^k]", "Kk\u212a", (2, 3)),
        ("(?i)(?-i:a)B", "Ab ab", (3, 5)),
        (r"\d", "\u0665", None),
        (r"\w", "\xe9", None),
        (r"\s", "\v", None),
        (r"[[:space:]]", "\v", (0, 1)),
        (r"\b", "\xe9", None),
        (r"\B", "", (0, 0)),
        ("a{2,3}?", "aaa", (0, 2)),
    ],
)
def test_patterns_mean_what_re2_means(
    pattern: str, text: str, span: tuple[int, int] | None
) -> None:
    found = re.search(parse(pattern).to_python(), text)
    assert (found.span() if found else None) == span


def test_names_come_in_order_and_in_each_engines_spelling() -> None:
    parsed = parse(r"(?<b>x(?P<a>y)?)(z)")
    assert parsed.names == ("b", "a")
    assert parsed.to_go() == parsed.to_python() == "(?P<b>x(?P<a>y)?)z"
    assert parsed.to_ruby() == "(?<b>x(?<a>y)?)z"


def test_what_ruby_would_run_is_never_written() -> None:
    assert "#" not in parse("#{x} [#-&] #").to_ruby()


@given(patterns)
def test_every_pattern_is_one_for_python_and_plain_ascii(pattern: str) -> None:
    try:
        parsed = parse(pattern)
    except RegexpError:
        return
    compiled = re.compile(parsed.to_python())
    assert tuple(compiled.groupindex) == parsed.names
    assert compiled.groups == len(parsed.names)
    for written in (parsed.to_go(), parsed.to_python(), parsed.to_ruby()):
        assert written.isascii()
        assert written.isprintable()


@given(patterns)
def test_what_is_written_for_go_is_read_as_the_same(pattern: str) -> None:
    try:
        parsed = parse(pattern)
    except RegexpError:
        return
    written = parsed.to_go()
    if len(written) <= MAX_LENGTH:
        assert parse(written).to_ruby() == parsed.to_ruby()


syntax = st.text("()[]{}|?*+\\^$-:<>PimsabAZ019,&#", max_size=40)


@given(st.one_of(st.text(st.characters(codec=None)), syntax))
def test_any_text_is_a_pattern_or_refused_in_one_sentence(text: str) -> None:
    try:
        parsed = parse(text)
    except RegexpError as error:
        said = str(error)
    else:
        assert re.compile(parsed.to_python())
        said = parsed.slow or "."
    assert said.endswith(".")
    assert said.isprintable()


def test_what_a_message_would_not_show_has_to_be_written_as_an_escape() -> None:
    every = (chr(code) for code in range(0x3000))
    hidden = {char for char in every if printable(char) != char}
    assert {char for char in hidden if _taken(char)} == {"\t"}


def _taken(pattern: str) -> bool:
    try:
        parse(pattern)
    except RegexpError:
        return False
    return True


@pytest.mark.parametrize("text", ["", "(?i)", "(?:)", "()", "(?m)", "a|"])
def test_a_pattern_that_finds_anything_is_no_empty_text(text: str) -> None:
    """An empty text would pass for no pattern at all: `exclude` would let everything through."""
    try:
        pattern = parse(text)
    except RegexpError:
        return
    for written in (pattern.to_go(), pattern.to_python(), pattern.to_ruby()):
        assert written
    assert re.search(pattern.to_python(), "anything")
