from __future__ import annotations

import io
import logging
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
from hypothesis import given

from pilot.model import printable
from pilot.telemetry import logging_to_stderr
from tests.declarations.making import any_text


def test_lines_of_the_level_and_above_reach_stderr_before_the_context_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logging_to_stderr("info"):
        logging.getLogger("a").debug("quiet")
        for number in range(200):
            logging.getLogger("a").info("number %d", number)
        logging.getLogger("b").error("%r", "a\nb")
    lines = capsys.readouterr().err.splitlines()
    assert [line.rsplit(" ", 1)[1] for line in lines[:-1]] == [str(n) for n in range(200)]
    assert lines[-1].endswith(r"ERROR   b: 'a\nb'")


def test_an_exception_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("warning"):
        try:
            int("why")
        except ValueError:
            logging.getLogger("a").exception("it failed")
    assert "ValueError: invalid literal" in capsys.readouterr().err


def failing(text: str) -> None:
    raise ValueError(text)


@given(any_text, any_text)
def test_a_record_is_one_line_and_its_traceback_is_set_in(text: str, other: str) -> None:
    told = io.StringIO()
    with redirect_stderr(told), logging_to_stderr("warning"):
        logging.getLogger("a").warning("%s", text)
        try:
            failing(other)
        except ValueError:
            logging.getLogger("b").exception(text.replace("%", "%%"), stack_info=True)
    first, second, *below = told.getvalue().removesuffix("\n").split("\n")
    assert first.endswith(f"WARNING a: {printable(text)}")
    assert " ERROR   b: " in second
    assert below[0] == "  Traceback (most recent call last):"
    assert any("ValueError" in line for line in below)
    for line in (first, second, *below):
        assert printable(line) == line
    assert all(line.startswith("  ") for line in below)


def test_the_handler_goes_with_the_context(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(logging.getLogger().handlers)
    with logging_to_stderr("info"):
        assert logging.getLogger().handlers != before
    assert logging.getLogger().handlers == before
    assert capsys.readouterr().err == ""


def test_a_blocked_stderr_stops_nobody_and_the_loss_is_counted() -> None:
    code = (
        "import logging, sys\n"
        "from pilot.telemetry import QUEUED, logging_to_stderr\n"
        "with logging_to_stderr('info'):\n"
        "    for number in range(QUEUED + 20_000):\n"
        "        logging.getLogger('a').info('line %d', number)\n"
        "    print('went on', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"went on\n"  # nobody has read stderr so far
        _, told = process.communicate(b"\n", timeout=60)
    lines = told.splitlines()
    (dropped,) = [line for line in lines if line.endswith(b"log lines dropped")]
    count = int(dropped.split(b": ", 1)[1].split()[0])
    assert count + len(lines) - 1 == 30_000
    assert process.returncode == 0


@pytest.mark.parametrize("lines", [1_000, 20_000])
def test_a_stderr_that_nobody_ever_reads_does_not_hold_up_the_end(lines: int) -> None:
    code = (
        "import logging, sys\n"
        "from pilot.telemetry import logging_to_stderr\n"
        "with logging_to_stderr('info'):\n"
        "    for number in range(int(sys.argv[1])):\n"
        "        logging.getLogger('a').info('line %d %s', number, 'x' * 200)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lines)], stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
