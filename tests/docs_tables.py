"""Tables and examples in docs/ that are made from the code.

`python -m tests.docs_tables --write` renews them.

They stand between `<!-- made: NAME -->` and `<!-- end -->`. `tests/test_declarations_doc.py` fails
where a page says something else than the code. Without `--write` the stale pages are named.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pilot.declarations import find, options, print_declarations
from pilot.declarations.filters import ENCODINGS, LEAST_BYTES, MOST_BYTES
from pilot.declarations.formats import MAX_KEYS
from pilot.declarations.items import MAX_ITEMS, MAX_NAME, MAX_VALUE
from pilot.declarations.multiline import LEAST_TIMEOUT, MOST_LINES, MOST_TIMEOUT, PRESETS
from pilot.declarations.raw import MAX_RAW, MAX_RAW_VALUE
from pilot.declarations.tags import MAX_TAG_VALUE, MAX_TAGS, parse_tags
from pilot.declarations.times import DIRECTIVES, MAX_TIME_FORMAT
from pilot.model import Container, Declaration, Option, Origin, State
from pilot.piloters.console.piloter import ConsolePiloter
from pilot.piloters.console.times import TimeFormat, TimeFormatError
from pilot.piloters.filebeat.layouts import LayoutError, layouts
from pilot.piloters.filebeat.piloter import FilebeatPiloter
from pilot.regexps import MAX_LENGTH, RegexpError, parse
from pilot.settings import DEFAULT_PREFIXES
from pilot.treatment import MAX_LINES, TIMEOUT, Feature
from tests.docs_samples import CUSTOM, EXAMPLES, REFUSED, SUFFIXES, TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("declarations.md", "moving-from-log-pilot.md")
BLOCK = re.compile(r"<!-- made: ([a-z ]+) -->\n(.*?)<!-- end -->", re.DOTALL)
COLLECTORS = {"Filebeat": FilebeatPiloter.cannot, "console": ConsolePiloter.cannot}


def code(text: str) -> str:
    """Text for a cell of a table."""
    return f"`{text}`".replace("|", r"\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def about_options() -> str:
    rows = (
        (code(each.name), code(each.family), each.summary, code(each.example))
        for each in options.ABOUT
    )
    return table(("Option", "Policy's word", "What it is", "Example"), rows)


def presets() -> str:
    rows = ((code(name), each.summary) for name, each in PRESETS.items())
    return table(("Preset", "Which lines it joins"), rows)


def limits() -> str:
    rows = (
        ("a name", f"{MAX_NAME} characters"),
        ("a value, of a log or an option", f"{MAX_VALUE} characters"),
        ("items of one value", str(MAX_ITEMS)),
        ("`tags`", f"{MAX_TAGS}, each value {MAX_TAG_VALUE} characters"),
        ("a regular expression", f"{MAX_LENGTH} characters"),
        ("`format_keys`, columns", str(MAX_KEYS)),
        ("`format_time_format`", f"{MAX_TIME_FORMAT} characters"),
        ("`multiline_max_lines`", f"1 to {MOST_LINES}, {MAX_LINES} unless given"),
        (
            "`multiline_timeout`",
            f"{LEAST_TIMEOUT:g} to {MOST_TIMEOUT:g} s, {TIMEOUT:g} s unless given",
        ),
        ("`max_bytes`", f"{LEAST_BYTES >> 10} KiB to {MOST_BYTES >> 20} MiB"),
        ("raw options", f"{MAX_RAW}, each value {MAX_RAW_VALUE} characters"),
    )
    return table(("Of what", "Limit"), rows)


def times() -> str:
    rows = (
        (code(each), DIRECTIVES[each], _reads(each, layouts), _reads(each, TimeFormat))
        for each in DIRECTIVES
    )
    return table(("Directive", "Means", *COLLECTORS), rows)


def _reads(directive: str, reader: Callable[[str], object]) -> str:
    """Whether a collector can be told it: alone, behind others, or behind the seconds' point."""
    for time_format in (directive, f"%Y {directive}", f"%H:%M:%S.{directive}"):
        try:
            reader(time_format)
        except (LayoutError, TimeFormatError):
            continue
        return "yes"
    return "no"


def encodings() -> str:
    return ", ".join(code(name) for name in ("utf-8", *ENCODINGS)) + "."


def collectors() -> str:
    rows = (
        (code(feature.value), *(cannot.get(feature, "yes") for cannot in COLLECTORS.values()))
        for feature in Feature
    )
    return table(("Asked for", *COLLECTORS), rows)


def suffixes() -> str:
    return table(("Environment", "Declares"), (_suffix(env) for env in SUFFIXES))


def _suffix(env: Mapping[str, str]) -> tuple[str, str]:
    written = "<br>".join(code(f"{key}={value}") for key, value in env.items())
    return written, "<br>".join(_declared(each) for each in _found(env))


def _found(env: Mapping[str, str]) -> tuple[Declaration, ...]:
    container = Container(id="c" * 64, name="web", state=State.RUNNING, env=env)
    found = find(container, prefixes=DEFAULT_PREFIXES, max_logs=100)
    assert not found.rejections, found.rejections
    return found.declarations


def _declared(each: Declaration) -> str:
    said = f"a log {code(each.name)}"
    if each.options:
        said += " with " + ", ".join(code(name) for name in sorted(each.options))
    return said


def tags() -> str:
    return table(("Tags as written", "What comes of it"), (_tags(text) for text in TAGS))


def _tags(text: str) -> tuple[str, str]:
    found, said = parse_tags("web", "aliyun_logs_web_tags", text)
    parts = [f"{code(tag)} is {code(value)}" for tag, value in found.items()]
    parts += [f"{code(each.value)} is refused: {each.reason}" for each in said]
    return code(text), "<br>".join(parts)


def refused() -> str:
    return table(("Refused", "Why"), ((code(pattern), _why(pattern)) for pattern in REFUSED))


def _why(pattern: str) -> str:
    try:
        parse(pattern)
    except RegexpError as error:
        return str(error).replace("|", r"\|")
    raise AssertionError(f"{pattern} is not refused")


def custom() -> str:
    return table(("A line of custom config", "Means here"), (_custom(line) for line in CUSTOM))


def _custom(line: str) -> tuple[str, str]:
    (declaration,) = _found({"aliyun_logs_web": "stdout", "aliyun_logs_custom_config": line})
    ((name, option),) = declaration.options.items()
    name = options.TAGS if name == options.FIELDS else name
    return code(line), code(f"aliyun_logs_web_{name}={option.value}")


def example(name: str) -> str:
    """One log in three forms. Of annotations YAML's own quotes are shown."""
    value, chosen = EXAMPLES[name]
    written = {option: Option(option, text) for option, text in chosen.items()}
    log = Declaration(name="web", key="web", value=value, options=written)
    parts = (
        ("env", _assigned(print_declarations([log], origin=Origin.ENV))),
        ("label", _assigned(print_declarations([log], origin=Origin.LABEL))),
        ("annotation", _mapped(print_declarations([log], origin=Origin.ANNOTATION))),
    )
    lines = [
        f"{form if first else '':<12}{line}"
        for form, part in parts
        for first, line in zip([True, *[False] * len(part)], part, strict=False)
    ]
    return "\n".join(["```text", *lines, "```"])


def _assigned(printed: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in printed.items()]


def _mapped(printed: Mapping[str, str]) -> list[str]:
    return [
        yaml.safe_dump({key: value}, width=1000, allow_unicode=True).rstrip()
        for key, value in printed.items()
    ]


TABLES: Mapping[str, Callable[[], str]] = {
    "options": about_options,
    "presets": presets,
    "limits": limits,
    "times": times,
    "encodings": encodings,
    "collectors": collectors,
    "suffixes": suffixes,
    "tags": tags,
    "refused": refused,
    "custom": custom,
}


def made(name: str) -> str:
    """What a block has to hold."""
    if name.startswith("example "):
        return example(name.removeprefix("example "))
    return TABLES[name]()


def renewed(text: str) -> str:
    """A page with what the code says now."""

    def block(found: re.Match[str]) -> str:
        return f"<!-- made: {found[1]} -->\n{made(found[1])}\n<!-- end -->"

    return BLOCK.sub(block, text)


def main(arguments: Sequence[str]) -> int:
    stale = 0
    for page in PAGES:
        path = DOCS / page
        text = path.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            stale += 1
            print(page)
            if "--write" in arguments:
                path.write_text(new, encoding="utf-8")
    return 0 if "--write" in arguments else stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
