"""`log-pilot status` without a daemon, and what it makes of an answer."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from hypothesis import given

from pilot.cli import main
from pilot.cli.status import lines
from pilot.model import printable
from tests.declarations.making import any_text

if TYPE_CHECKING:
    from pathlib import Path


def test_no_daemon_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", "--state-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "no daemon" in result.stderr
    assert str(tmp_path) in result.stderr


def test_a_dead_socket_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "status.sock"))
    # A process of its own: the HTTP library does not close a socket that failed to connect.
    done = subprocess.run(
        [sys.executable, "-m", "pilot", "status", "--state-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no daemon answers on" in done.stderr
    assert "Traceback" not in done.stderr


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "type": "filebeat",
        "source": {"problem": "", "listed_ago": 1.0},
        "last_pass_ago": 0.1,
        "collector": {"supervised": False},
        "config": {"problem": ""},
        "state": {"problem": ""},
        "pins": pins(),
        "containers": [],
        **changes,
    }


def pins(**changes: Any) -> dict[str, Any]:
    return {
        "roots": [],
        "held_bytes": 0,
        "held_files": 0,
        "lost": {"files": 0, "bytes": 0},
        "output_blocked": False,
        "problem": "",
        **changes,
    }


def file(**changes: Any) -> dict[str, Any]:
    return {"kind": "linked", "phase": "running", "unread": 0, "reserved": False, **changes}


def container(**changes: Any) -> dict[str, Any]:
    return {
        "id": "c" * 64,
        "name": "web",
        "pod": None,
        "phase": "running",
        "gone": False,
        "lost": {"files": 0, "bytes": 0},
        "logs": [],
        "rejections": [],
        **changes,
    }


def test_a_rejection_is_shown_with_code_key_value_reason_and_hint() -> None:
    no = {"code": "x", "key": "k", "value": "v", "reason": "why.", "hint": "kk", "notice": False}
    shown = "\n".join(lines(answer(containers=[container(rejections=[no])])))
    assert "REJECTED x 'k' = 'v': why. Did you mean 'kk'?" in shown


def test_pins_are_counted_by_kind_with_their_unread_bytes() -> None:
    file_set = {
        "folder": "/f",
        "pattern": "*.log",
        "direct": False,
        "owner": "c" * 64,
        "problem": "",
        "files": [file(unread=5), file(kind="copied", unread=None)],
    }
    log = {"name": "web", "file_sets": [file_set]}
    shown = "\n".join(lines(answer(containers=[container(logs=[log])])))
    assert "web: /f/*.log: 1 copied, 1 linked, 5 bytes unread" in shown


def test_what_a_deadline_lost_and_a_sick_source_are_said() -> None:
    sick = answer(
        source={"problem": "refused", "listed_ago": None},
        containers=[container(lost={"files": 1, "bytes": 7})],
    )
    shown = "\n".join(lines(sick))
    assert "refused; listed never" in shown
    assert "LOST at the deadline: 7 bytes in 1 files" in shown


def test_pin_roots_losses_and_a_blocked_output_are_said() -> None:
    root = {"path": "/var/log/log-pilot", "problem": "there is no folder /var/log"}
    lost = {"files": 2, "bytes": 9}
    bad = pins(roots=[root], held_bytes=4096, held_files=1, lost=lost, output_blocked=True)
    shown = "\n".join(lines(answer(pins=bad)))
    assert "pins       /var/log/log-pilot: there is no folder /var/log" in shown
    assert "4096 bytes in 1 files" in shown
    assert "LOST       9 bytes in 2 files" in shown
    assert "BLOCKED" in shown


def test_the_phase_the_pause_and_the_loss_of_a_log_are_said() -> None:
    file_set = {
        "folder": "/f",
        "pattern": "*.log",
        "owner": "c" * 64,
        "problem": "",
        "phase": "draining",
        "paused": True,
        "lost": {"files": 2, "bytes": 9},
        "files": [file(phase="draining", unread=5, reserved=True), file(phase="drained")],
    }
    log = {"name": "web", "file_sets": [file_set]}
    shown = "\n".join(lines(answer(containers=[container(logs=[log])])))
    assert "draining; 2 linked, 1 draining, 1 kept back, 5 bytes unread, copies PAUSED" in shown
    assert "LOST 9 bytes in 2 files" in shown


def test_a_problem_without_pins_is_said() -> None:
    file_set = {"folder": "/f", "pattern": "*", "owner": "c" * 64, "problem": "no folder"}
    log = {"name": "web", "file_sets": [{**file_set, "direct": True}]}
    assert "/f/*: no folder" in lines(answer(containers=[container(logs=[log])]))[-1]


def test_a_label_forges_no_line_and_reaches_no_terminal() -> None:
    pod = "kube-system/web\x1b]0;PWNED\x07\x1b[2J\nsource     all is well"
    shown = lines(answer(containers=[container(pod=pod)]))
    named = r"kube-system/web\x1b]0;PWNED\x07\x1b[2J\nsource     all is well"
    assert shown[-1] == f"web ({'c' * 12}) pod {named}: running"


@given(any_text, any_text)
def test_no_line_holds_what_a_terminal_would_obey(text: str, other: str) -> None:
    no = {"code": "x", "key": text, "value": text, "reason": other, "hint": text, "notice": False}
    file_set = {"folder": text, "pattern": other, "direct": False, "owner": text, "problem": other}
    log = {"name": text, "file_sets": [file_set, {**file_set, "owner": "c" * 64}]}
    found = answer(
        type=text,
        source={"problem": text, "listed_ago": None},
        config={"problem": other},
        state={"problem": text},
        pins=pins(roots=[{"path": text, "problem": other}], problem=text),
        collector={"supervised": True, "state": text, "pid": 1, "starts": 1},
        containers=[container(name=text, pod=other, phase=text, logs=[log], rejections=[no])],
    )
    shown = lines(found)
    assert len(shown) in {8, 9, 10}
    for line in shown:
        assert printable(line) == line
        assert len(line.splitlines()) == 1
        line.encode()


def test_the_socket_in_a_sentence_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", "--state-dir", str(tmp_path / "a\n\x1bb")])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "a\\n\\x1bb" in line
