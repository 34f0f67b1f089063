"""`log-pilot explain` without a daemon: files, exit codes, JSON, and what a terminal gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pilot.cli import main
from tests.status.asking import validator

if TYPE_CHECKING:
    from click.testing import Result

RECORDED = Path(__file__).parent.parent / "sources" / "recorded"


def explain(*arguments: str, stdin: str | None = None, columns: int = 100) -> Result:
    runner = CliRunner(env={"COLUMNS": str(columns)})
    return runner.invoke(main, ["explain", *arguments], input=stdin)


def inspected(env: list[str], **changes: Any) -> str:
    data = {
        "Id": "a" * 64,
        "Name": "/web",
        "State": {"Status": "running"},
        "Config": {"Env": env, "Labels": None, "Image": "nginx"},
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
        "LogPath": f"/var/lib/docker/containers/{'a' * 64}/{'a' * 64}-json.log",
        "Mounts": [],
        **changes,
    }
    return json.dumps([data])


def bind(source: Path | str, at: str = "/logs") -> list[dict[str, str]]:
    return [{"Type": "bind", "Source": str(source), "Destination": at}]


def answer(*arguments: str, stdin: str) -> dict[str, Any]:
    """The answer as JSON, checked against its schema."""
    result = explain("--json", *arguments, "-", stdin=stdin)
    found: dict[str, Any] = json.loads(result.stdout)
    validator.validate(found)
    return found


def test_all_collected_is_exit_code_0(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("hello\n")
    given = inspected(["aliyun_logs_app=/logs/*.log"], Mounts=bind(tmp_path))
    result = explain("-", stdin=given)
    assert result.exit_code == 0, result.output
    assert "log app: collected" in result.stdout
    assert "/logs/app.log: 6 bytes" in result.stdout
    assert result.stderr == ""


def test_something_rejected_is_exit_code_1_with_code_sentence_and_link() -> None:
    result = explain("-", stdin=inspected(["aliyun_logs_app=/nowhere/x.log"]), columns=10_000)
    assert result.exit_code == 1
    assert "log app: REJECTED" in result.stdout
    assert "path-not-mounted: 'aliyun_logs_app' = '/nowhere/x.log'" in result.stdout
    assert "See docs/rejections.md#path-not-mounted" in result.stdout


def test_nothing_declared_is_exit_code_1_with_what_is_nearly_right() -> None:
    result = explain("-", stdin=inspected(["alyun_logs_app=stdout", "PASSWORD=hunter2"]))
    assert result.exit_code == 1
    assert "'alyun_logs_app' (environment variable) looks nearly right" in result.stdout
    assert "aliyun_logs_app=stdout" in result.stdout
    assert "hunter2" not in result.output


@pytest.mark.parametrize("text", ["[", "[1]", "{}", "", "\x00", "- - -", "[" * 5000])
def test_an_unusable_file_is_a_sentence_and_exit_code_2(text: str) -> None:
    result = explain("-", stdin=text)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("log-pilot: ")
    assert "Traceback" not in result.output


def test_a_missing_file_is_a_sentence_and_exit_code_2() -> None:
    result = explain("/nowhere/pod.yaml")
    assert result.exit_code == 2
    assert "there is no file /nowhere/pod.yaml" in result.stderr


def test_no_daemon_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    result = explain("web", "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "no daemon" in result.stderr


def test_one_log_can_be_asked_for() -> None:
    given = inspected(["aliyun_logs_app=stdout", "aliyun_logs_bad=/nowhere/x.log"])
    assert explain("--log", "bad", "-", stdin=given).exit_code == 1
    result = explain("--log", "app", "-", stdin=given)
    assert result.exit_code == 0
    assert "log bad" not in result.stdout


def test_a_log_that_is_not_there_is_exit_code_2_with_near_names() -> None:
    result = explain("--log", "apq", "-", stdin=inspected(["aliyun_logs_app=stdout"]))
    assert result.exit_code == 2
    assert "near by name: app" in result.stderr


def test_folders_that_are_not_on_this_machine_are_said_and_no_fault() -> None:
    given = inspected(["aliyun_logs_app=/logs/*.log"], Mounts=bind("/srv/nowhere"))
    result = explain("-", stdin=given, columns=10_000)
    assert result.exit_code == 0
    assert "this user sees no folder /srv/nowhere on this machine" in result.stdout


def test_a_refused_link_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "app.log").symlink_to("/etc/passwd")
    given = inspected(["aliyun_logs_app=/logs/*.log"], Mounts=bind(tmp_path))
    found = answer(stdin=given)
    (one,) = found["containers"][0]["logs"][0]["sets"]
    assert list(one["refused"]) == ["app.log"]
    assert one["files"] == []


def test_a_file_behind_a_link_is_told_with_its_real_place(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "today").write_text("one\n")
    (tmp_path / "app.log").symlink_to("data/today")
    found = answer(stdin=inspected(["aliyun_logs_app=/logs/*.log"], Mounts=bind(tmp_path)))
    (file,) = found["containers"][0]["logs"][0]["sets"][0]["files"]
    assert (file["path"], file["really"]) == ("/logs/app.log", f"{tmp_path}/data/today")


def test_an_annotation_for_another_container_of_the_pod_is_no_fault() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  name: shop
  annotations: {aliyun.logs/app: /logs/app.log}
spec:
  containers:
  - {name: web, image: nginx, volumeMounts: [{name: logs, mountPath: /logs}]}
  - {name: side, image: envoy}
  volumes: [{name: logs, emptyDir: {}}]
"""
    found = answer(stdin=text)
    assert [each["outcome"] for each in found["containers"]] == ["collected", "elsewhere"]
    assert found["complete"]


def test_a_claim_of_a_manifest_has_some_folder_on_its_node() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  name: shop
  annotations: {aliyun.logs/app: /logs/app.log}
spec:
  containers: [{name: web, image: nginx, volumeMounts: [{name: logs, mountPath: /logs}]}]
  volumes: [{name: logs, persistentVolumeClaim: {claimName: one}}]
"""
    assert answer(stdin=text)["complete"]


def test_a_file_without_containers_is_exit_code_2_with_what_is_known_of_it() -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {aliyun_logs_x: stdout}}"
    result = explain("-", stdin=text)
    assert result.exit_code == 2
    assert "there is no container in standard input" in result.stderr
    assert "ConfigMap" in result.stderr


def test_a_mounted_file_is_told_under_its_name_in_the_container(tmp_path: Path) -> None:
    (tmp_path / "outside.log").write_text("hello\n")
    mounts = bind(tmp_path / "outside.log", "/logs/app.log")
    found = answer(stdin=inspected(["aliyun_logs_app=/logs/app.log"], Mounts=mounts))
    (one,) = found["containers"][0]["logs"][0]["sets"]
    assert one["mount"]["destination"] == "/logs/app.log"
    assert [each["path"] for each in one["files"]] == ["/logs/app.log"]


def test_options_and_treatment_are_told_by_name() -> None:
    env = ["aliyun_logs_app=stdout", "aliyun_logs_app_format=json", "aliyun_logs_app_target=shop"]
    (log,) = answer(stdin=inspected(env))["containers"][0]["logs"]
    assert [each["option"] for each in log["options"]] == ["format", "target"]
    assert log["treatment"]["format"] == "json"
    assert (log["target"], log["index"]) == ("shop", "shop")


def test_the_loser_of_a_shared_file_is_told_the_winner() -> None:
    env = ["aliyun_logs_app=/logs/app.log"]
    first = json.loads(inspected(env, Mounts=bind("/srv/v"), Created="2026-01-01T00:00:00Z"))
    second = json.loads(
        inspected(
            env, Mounts=bind("/srv/v"), Id="b" * 64, Name="/late", Created="2026-01-02T00:00:00Z"
        )
    )
    found = answer(stdin=json.dumps([*second, *first]))
    outcomes = {each["name"]: each["outcome"] for each in found["containers"]}
    assert outcomes == {"web": "collected", "late": "rejected"}


@pytest.mark.parametrize("engine", ["20.10", "29"])
def test_what_a_real_engine_printed_is_explained(engine: str) -> None:
    text = (RECORDED / f"inspect-{engine}.json").read_text()
    found = answer(stdin=text)
    assert found["containers"]


def test_a_manifest_is_explained_by_its_annotations() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  name: shop
  annotations: {aliyun.logs/app: stdout}
spec:
  containers: [{name: web, image: nginx}]
"""
    found = answer(stdin=text)
    (log,) = found["containers"][0]["logs"]
    assert log["declared"]["origin"] == "annotation"
    assert found["containers"][0]["pod"] == "default/shop"


def test_a_running_daemon_tells_how_far_its_collector_is(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log").write_text("hello\n")
    containers = tmp_path / "containers"
    containers.mkdir()
    web = {
        "id": "web1234",
        "name": "web",
        "state": "running",
        "env": {"aliyun_logs_app": "/logs/*.log"},
        "mounts": [{"destination": "/logs", "source": str(tmp_path / "logs"), "kind": "bind"}],
    }
    plain = {"id": "plain", "name": "plain", "state": "running", "env": {"PASSWORD": "hunter2"}}
    (containers / "all.yaml").write_text(json.dumps([web, plain]))
    state = ("--state-dir", str(tmp_path / "state"))
    command = [
        *(sys.executable, "-m", "pilot", "run", "--type", "console", "--source", "static"),
        *("--static-path", str(containers), "--config-dir", str(tmp_path / "config")),
        *("--data-dir", str(tmp_path / "data"), "--pin-root", str(tmp_path / "pins"), *state),
    ]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while "has read 6 of 6 bytes; nothing is unread" not in explain("web1", *state).stdout:
            assert time.monotonic() < end
            time.sleep(0.05)
        result = explain("web", *state, columns=10_000)
        assert result.exit_code == 0
        assert f"fragment   {tmp_path}/config/inputs.d/web1234.yml" in result.stdout
        assert "/logs/app.log: 6 bytes; linked" in result.stdout
        result = explain("plain", *state)
        assert result.exit_code == 1
        assert "declared   nothing" in result.stdout
        assert "hunter2" not in result.output
        result = explain("wep", *state)
        assert result.exit_code == 2
        assert "near by name: web" in result.stderr
        found = json.loads(explain("web", "--json", *state).stdout)
        validator.validate(found)
        assert found["live"]
    finally:
        daemon.terminate()
        daemon.wait(60)


def test_hostile_text_stays_on_its_line_and_reaches_no_terminal() -> None:
    given = inspected(["aliyun_logs_bad=rel\x1b[2J\nforged"], Name="/w\n\x1b\u2028")
    result = explain("-", stdin=given, columns=10_000)
    assert "\x1b" not in result.output
    assert not any(line.startswith("forged") for line in result.output.splitlines())


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_lines_fit_the_terminal_but_for_words_that_are_longer(columns: int) -> None:
    given = inspected(["aliyun_logs_app=/logs/*.log", "aliyun_logs_bad=x"], Mounts=bind("/srv/v"))
    for line in explain("-", stdin=given, columns=columns).stdout.splitlines():
        assert len(line) <= columns or len(line.split()) <= 2


def test_a_folder_is_called_one_and_a_name_too_long_for_a_path_is_a_name(tmp_path: Path) -> None:
    folder = explain(str(tmp_path))
    assert (folder.exit_code, folder.stderr) == (2, f"log-pilot: {tmp_path} is a folder\n")
    name = explain("--state-dir", str(tmp_path), "a" * 5000)
    assert name.exit_code == 2
    assert name.stderr.startswith("log-pilot: no daemon here")


def test_a_pipe_is_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = inspected(["aliyun_logs_web=stdout"])
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    result = explain(str(pipe))
    writer.join()
    assert result.stdout.startswith("container web (aaaaaaaaaaaa)")


def test_a_label_of_the_pod_does_not_hide_a_key_that_is_nearly_right() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {aliyun.logs/web: stdout}
  annotations: {aliyun_logs_web: stdout}
spec: {containers: [{name: app, image: shop}]}
"""
    result = explain("-", stdin=text)
    assert result.exit_code == 1
    assert "looks nearly right; write 'aliyun.logs/web'" in " ".join(result.stdout.split())
    assert "annotation-elsewhere" in result.stdout


def test_a_format_that_the_collector_lacks_is_not_said_to_be_done() -> None:
    variables = ["aliyun_logs_web=stdout", "aliyun_logs_web_format=nginx"]
    filebeat = explain("-", stdin=inspected(variables)).stdout
    console = explain("--type", "console", "-", stdin=inspected(variables)).stdout
    assert "becomes    each event is shipped as text" in filebeat
    assert "becomes    each event is taken apart as nginx" in console


def test_a_line_of_custom_config_is_shown_with_its_option() -> None:
    variables = [
        "aliyun_logs_web=stdout",
        r"aliyun_logs_custom_config=web.multiline.pattern=^\[",
    ]
    result = explain("-", stdin=inspected(variables))
    assert "(line of a custom config: multiline_pattern)" in result.stdout
