"""Fluentd's v1 configuration syntax, read by rules of its own: an oracle for the encoder.

Written from the grammar of the documentation (values: quoted with double or single quotes, JSON, or
bare to the end of the line), not from the encoder. Whatever would run as Ruby is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class EvaluationError(AssertionError):
    """A value would be run as Ruby."""


@dataclass
class Element:
    """A section: its name, argument, parameters and sections."""

    name: str
    argument: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)


ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b", "0": "\0"}


def parse(text: str) -> Element:
    """The sections of a configuration. Raises ValueError for what is none."""
    reader = _Reader(text)
    root = Element("ROOT")
    reader.body(root, closing="")
    return root


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def body(self, into: Element, closing: str) -> None:
        while True:
            self.blank()
            if self.at >= len(self.text):
                if closing:
                    raise ValueError(f"<{closing}> is not closed")
                return
            if self.text.startswith("</", self.at):
                end = self.text.index(">", self.at)
                if self.text[self.at + 2 : end].strip() != closing:
                    raise ValueError(f"closes {self.text[self.at : end]!r}, open is {closing!r}")
                self.at = end + 1
                return
            if self.text[self.at] == "<":
                self.section(into)
            else:
                self.parameter(into)

    def section(self, into: Element) -> None:
        end = self.text.index(">", self.at)
        name, _, argument = self.text[self.at + 1 : end].partition(" ")
        self.at = end + 1
        made = Element(name, argument.strip())
        into.elements.append(made)
        self.body(made, closing=name)

    def parameter(self, into: Element) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in " \t\r\n":
            self.at += 1
        name = self.text[start : self.at]
        if name.startswith("@include"):
            raise ValueError("an @include")
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1
        into.parameters[name] = self.value()

    def value(self) -> str:
        first = self.text[self.at : self.at + 1]
        if first == '"':
            found = self.double()
        elif first == "'":
            found = self.single()
        elif first in ("[", "{"):
            raise ValueError("a JSON value")
        else:
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            found = self.text[self.at : end].split(" #")[0].strip()
            self.at = end
            return found
        rest = self.text[self.at :].split("\n", 1)[0]
        if rest.strip() and not rest.lstrip().startswith("#"):
            raise ValueError(f"behind a quoted value: {rest!r}")
        self.at += len(rest)
        return found

    def double(self) -> str:
        self.at += 1
        made: list[str] = []
        while True:
            character = self.text[self.at]  # IndexError: it is not closed
            self.at += 1
            if character == '"':
                return "".join(made)
            if character == "#" and self.text[self.at : self.at + 1] == "{":
                raise EvaluationError(self.text[self.at - 1 : self.at + 40])
            if character == "\\":
                escaped = self.text[self.at]
                self.at += 1
                if escaped in "ux":
                    raise ValueError("an escape that versions read differently")
                character = ESCAPED.get(escaped, escaped)
            made.append(character)

    def single(self) -> str:
        self.at += 1
        made: list[str] = []
        while True:
            character = self.text[self.at]
            self.at += 1
            if character == "'":
                return "".join(made)
            if character in "\r\n":
                raise ValueError("a line end in single quotes")
            if character == "\\" and self.text[self.at] in "\\'":
                character = self.text[self.at]
                self.at += 1
            made.append(character)

    def blank(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r\n":
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return
