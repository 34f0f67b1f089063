"""`log-pilot run` as a process: its help, what it refuses, its signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pilot.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(folder: Path, *arguments: str, **env: str) -> list[str]:
    (folder / "containers").mkdir(exist_ok=True)
    return [
        *(sys.executable, "-m", "pilot", "run", "--type", "console", "--source", "static"),
        *("--static-path", str(folder / "containers"), "--state-dir", str(folder / "state")),
        *("--config-dir", str(folder / "config"), "--data-dir", str(folder / "data")),
        *("--pin-root", str(folder / "pins"), *arguments),
    ]


def test_help_names_every_flag_with_its_env_variable() -> None:
    result = CliRunner().invoke(main, ["run", "--help"], terminal_width=200)
    assert result.exit_code == 0
    (command,) = (main.get_command(None, "run") for _ in range(1))  # type: ignore[arg-type]
    assert command
    for option in command.params:
        flag = option.opts[0]
        assert f"PILOT_{flag.lstrip('-').replace('-', '_').upper()}" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--type", "nonsense"], "nonsense"),
        (["--source", "nonsense"], "nonsense"),
        (["--pin", "perhaps"], "perhaps"),
        (["--pin-root", "relative"], "relative"),
        (["--relist", "soon"], "soon"),
        (["--log-prefix", ","], "log-prefix"),
        (["--policy-file", "/nowhere/policy.yaml"], "/nowhere/policy.yaml: No such file"),
    ],
)
def test_a_bad_flag_is_a_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = subprocess.run(
        run(tmp_path, *arguments), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_env_variable_is_as_good_as_a_flag(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pilot", "render", "/dev/null"],
        env={**os.environ, "PILOT_TYPE": "nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_no_usable_pin_root_is_a_sentence_that_names_the_way_out(tmp_path: Path) -> None:
    done = subprocess.run(
        run(tmp_path)[:-1] + [str(tmp_path / "no/such/parent")],  # noqa: RUF005 -- the last flag's value
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "--pin-root" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_agent_and_its_collector(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(run(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until(lambda: any((tmp_path / "data").glob("*")))
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, told.decode()
    assert "Traceback" not in told.decode()
    assert not (tmp_path / "state/status.sock").exists()


def test_a_second_agent_on_the_same_state_folder_is_refused(tmp_path: Path) -> None:
    first = subprocess.Popen(run(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until((tmp_path / "state/status.sock").exists)
        second = subprocess.run(
            run(tmp_path), capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 2
        assert "another log-pilot" in second.stderr
    finally:
        first.terminate()
        first.wait(60)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
