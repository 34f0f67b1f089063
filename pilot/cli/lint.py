"""`log-pilot lint`: what the pilot will say of manifests, with file and line, before they run."""

from __future__ import annotations

import gc
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pilot import piloters
from pilot.cli.findings import Judge, text_of
from pilot.cli.inputs import read_input, surrounding, surroundings_from, title
from pilot.cli.options import rendering, settings_from
from pilot.manifests import OtherFileError, UnusableError
from pilot.model import printable
from pilot.piloters import PiloterError
from pilot.wiring import policy_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilot.cli.findings import Finding

REJECTED, UNUSABLE = 1, 2  # exit codes
TEXT, GITHUB, JSON = "text", "github", "json"


@click.command()
@rendering
@surrounding
@click.option(
    "--format",
    "form",
    type=click.Choice([TEXT, GITHUB, JSON]),
    default=TEXT,
    show_default=True,
    help="Lines for people, commands for GitHub Actions, or one JSON list.",
)
@click.option("--strict", is_flag=True, help="Exit 1 for notices too.")
@click.option("--skip-others", is_flag=True, help="Pass over files that hold no containers.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def lint(
    files: tuple[str, ...], form: str, *, strict: bool, skip_others: bool, **chosen: Any
) -> None:
    """Say what is wrong with the declarations in FILE ("-": stdin): file, line, code, sentence.

    FILE is a Kubernetes manifest, a compose file, what `docker inspect` or `crictl inspect` prints,
    or a file of the static source. Nothing but the files is looked at.

    Exit code: 0 nothing is refused, 1 something is, 2 a file cannot be used.
    """
    surroundings = surroundings_from(chosen)
    settings = settings_from(chosen)
    try:
        piloter = piloters.create(settings.type, settings)
        policy = policy_for(settings, piloter)
    except (PiloterError, ValueError, OSError) as error:
        click.echo(printable(f"log-pilot: {error}"), err=True)
        sys.exit(UNUSABLE)
    judge = Judge(
        settings=settings,
        policy=policy,
        refuse=piloter.refuse,
        kubelet_root=surroundings.kubelet_root,
    )
    findings: list[Finding] = []
    unusable = False
    with _uncollected():
        for name in files:
            try:
                findings += judge.findings(read_input(name, surroundings))
            except OtherFileError as error:
                if not skip_others:
                    unusable = True
                    _unusable(error, name, form)
            except (ValueError, OSError) as error:
                unusable = True
                _unusable(error, name, form)
    _print(findings, form)
    if unusable:
        sys.exit(UNUSABLE)
    if any(strict or not each.rejection.notice for each in findings):
        sys.exit(REJECTED)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles, a third of the time; what is made here has none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _unusable(error: Exception, name: str, form: str) -> None:
    """Why a file cannot be used, on stderr; for GitHub also as a command."""
    line, reason = 1, str(error)
    if isinstance(error, UnusableError):
        line, reason = error.line, error.reason
    if form == GITHUB:
        click.echo(_command("error", title(name), line, "unusable", reason))
    where = f"{title(name)}:{line}: "
    click.echo(printable(where + reason.removeprefix(f"{title(name)}: ")), err=True)


def _print(findings: Sequence[Finding], form: str) -> None:
    if form == JSON:
        click.echo(json.dumps([_object(each) for each in findings], indent=2))
        return
    for each in findings:
        click.echo(_github(each) if form == GITHUB else text_of(each))


def _object(finding: Finding) -> dict[str, object]:
    """A finding for programs; keys are never taken away, only added."""
    rejection = finding.rejection
    return {
        "file": finding.file,
        "line": finding.line,
        "code": str(rejection.code),
        "notice": rejection.notice,
        "container": finding.container,
        "log": rejection.log,
        "key": rejection.key,
        "value": rejection.value,
        "reason": rejection.reason,
        "hint": rejection.hint,
    }


def _github(finding: Finding) -> str:
    rejection = finding.rejection
    level = "notice" if rejection.notice else "error"
    said = printable(str(rejection).removeprefix(f"{rejection.code}: "))
    return _command(level, finding.file, finding.line, str(rejection.code), said)


def _command(level: str, file: str, line: int, name: str, sentence: str) -> str:
    """A workflow command; its escapes are those of the toolkit of GitHub Actions."""
    place = f"file={_property(file)},line={line},title={_property(name)}"
    return f"::{level} {place}::{_data(sentence)}"


def _data(text: str) -> str:
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
