"""The policy file: YAML text to a policy, or a sentence on what is wrong.

`policy.schema.json` beside this module documents the same; this checks by hand, because a person
who made a slip needs the file, the key, the value and what would be right.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pilot.policy.document import DocumentError, Table, load
from pilot.policy.folders import fold
from pilot.policy.rules import FAMILIES, NAMESPACE, Chosen, Policy, Rules

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1 << 20  # bytes of a file
KEYS = ("collect", "collect_target", "namespaces", "labels", "rules", "by_namespace")
FLAGS = ("recursive", "rootfs", "image_declarations")
NUMBERS = {"max_logs": 10_000, "max_logs_per_pod": 100_000, "events_per_second": 1_000_000_000}
RULES = ("options", "raw", "host_paths", *FLAGS, *NUMBERS, "targets")
_RAW = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}", re.ASCII)
# Kubernetes' rule for namespaces (RFC 1123 labels); "" is what has no namespace.
_NAMESPACE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?", re.ASCII)


class PolicyError(ValueError):
    """A policy file cannot be used. Said to a person: file, key, value, what would be right."""


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """Where the policy is written, and what of it no file says."""

    base: Policy
    file: Path | None = None
    topics: Path | None = None  # log-pilot's list, which need not exist

    def read(self) -> tuple[bytes | None, bytes | None]:
        """Both files; None for one that is not meant, and for a list that is not there.

        Raises PolicyError.
        """
        policy = _content(self.file) if self.file else None
        try:
            topics = _content(self.topics) if self.topics else None
        except PolicyError as error:
            if not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                raise
            topics = None
        return policy, topics

    def parse(self, policy: bytes | None, topics: bytes | None) -> Policy:
        """What the contents of both files say together. Raises PolicyError."""
        made = (
            parse_policy(_text(policy, self.file), str(self.file)) if policy is not None else None
        )
        listed = parse_topics(_text(topics, self.topics)) if topics is not None else None
        return replace(made or self.base, roots=self.base.roots, own=self.base.own, topics=listed)

    def load(self) -> Policy:
        """The policy as it is written now. Raises PolicyError."""
        return self.parse(*self.read())


def parse_topics(text: str) -> frozenset[str]:
    """The topics of log-pilot's list, between commas or line ends; blanks do not count."""
    return frozenset(each.strip() for each in re.split(r"[,\n]", text)) - {""}


def parse_policy(text: str, origin: str) -> Policy:
    """What a policy file says. It is taken as a whole or not at all. Raises PolicyError."""
    try:
        top = Table("", load(text))
        top.only(KEYS)
        rules = _rules(top.table("rules"), Rules())
        namespaces, labels = top.table("namespaces"), top.table("labels")
        namespaces.only(("include", "exclude"))
        labels.only(("include", "exclude"))
        return Policy(
            collect=top.word("collect", ("declared", "stdout")),
            collect_target=_collect_target(top),
            namespaces=Chosen(namespaces.texts("include", ("*",)), namespaces.texts("exclude", ())),
            with_labels=labels.table("include").all_texts(),
            without_labels=labels.table("exclude").all_texts(),
            rules=rules,
            by_namespace=_by_namespace(top.table("by_namespace"), rules),
        )
    except DocumentError as error:
        raise PolicyError(f"{origin}: {error}") from None


def _by_namespace(table: Table, rules: Rules) -> dict[str, Rules]:
    for name in table.names():
        if not _NAMESPACE.fullmatch(name):
            raise table.unknown(name, "it must be the whole name of a namespace, no pattern")
    return {name: _rules(table.table(name), rules) for name in table.names()}


def _rules(table: Table, base: Rules) -> Rules:
    """The rules of one table; what it does not give is as in `base`."""
    table.only(RULES)
    given: dict[str, Any] = {}
    for key in table.names():
        if key in FLAGS:
            given[key] = table.flag(key)
        elif key in NUMBERS:
            given[key] = table.number(key, NUMBERS[key])
        elif key == "options":
            given[key] = frozenset(table.words(key, FAMILIES))
        elif key == "raw":
            right = "a key of the collector's own, of letters, digits, '_', '.' and '-'"
            given[key] = frozenset(table.texts(key, right=right, check=_is_raw))
        elif key == "host_paths":
            right = "an absolute path without '..'"
            paths = table.texts(key, right=right, check=_is_path)
            given[key] = tuple(fold(each) for each in paths)
        else:
            given[key] = _targets(table, key)
    return replace(base, **given)


def _targets(table: Table, key: str) -> tuple[str, ...]:
    right = "a pattern of a target's characters, *, ?, [ ] and {namespace}"
    globs = table.texts(key, right=right, check=_is_target_glob)
    if not globs:
        raise table.wrong(key, [], "a list of at least one pattern: [] would refuse every log")
    return globs


def _collect_target(top: Table) -> str:
    text = top.text("collect_target")
    if text and not _TARGET.fullmatch(text.replace(NAMESPACE, "x")):
        right = "1 to 200 letters, digits, '_', '.' and '-', and {namespace} where it belongs"
        raise top.wrong("collect_target", text, right)
    return text


def _is_raw(text: str) -> bool:
    return bool(_RAW.fullmatch(text))


def _is_path(text: str) -> bool:
    return text.startswith("/") and ".." not in text.split("/") and "\0" not in text


def _is_target_glob(text: str) -> bool:
    return bool(re.fullmatch(r"[][A-Za-z0-9_.*?!-]+", text.replace(NAMESPACE, "x"), re.ASCII))


def _content(path: Path) -> bytes:
    """What a file holds. Raises PolicyError for what is no file of a sensible size."""
    try:
        # What was a file a moment ago may be a pipe, which must not make anybody wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PolicyError(f"{path}: this is no file; it must be a YAML file")
            if status.st_size > LARGEST:
                raise PolicyError(f"{path}: larger than {LARGEST >> 20} MiB")
            return file.read(LARGEST)
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}; it must be a file to read") from error


def _text(content: bytes, path: Path | None) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{path}: line {line}: not UTF-8") from error
