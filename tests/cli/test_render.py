"""`log-pilot render` on what real engines printed, on static files and on unusable input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from pilot.cli import main
from tests.manifests.making import TOMCAT

if TYPE_CHECKING:
    from click.testing import Result

RECORDED = Path(__file__).parent.parent / "sources" / "recorded"


def render(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["render", *arguments], input=stdin)


def inspected(**changes: Any) -> dict[str, Any]:
    return {
        "Id": "a" * 64,
        "Name": "/web",
        "State": {"Status": "running"},
        "Config": {"Env": ["aliyun_logs_web=stdout"], "Labels": None, "Image": "nginx"},
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
        "LogPath": f"/var/lib/docker/containers/{'a' * 64}/{'a' * 64}-json.log",
        "Mounts": [],
        **changes,
    }


def test_a_fragment_comes_after_a_comment_with_its_path() -> None:
    result = render("-", stdin=json.dumps([inspected()]))
    assert result.exit_code == 0, result.output
    first, rest = result.stdout.split("\n", 1)
    assert first == f"# /etc/filebeat/prospectors.d/{'a' * 64}.yml"
    (made,) = yaml.safe_load(rest)
    assert made["id"] == f"stdout-{'a' * 64}"
    assert made["paths"] == [f"/var/lib/docker/log-pilot/stdout-{'a' * 64}/*"]
    assert result.stderr == ""


def test_pin_off_shows_the_direct_form() -> None:
    result = render("--pin", "off", "-", stdin=json.dumps([inspected()]))
    (made,) = yaml.safe_load(result.stdout)
    assert made["paths"][0] == f"/var/lib/docker/containers/{'a' * 64}/{'a' * 64}-json.log"


def test_pin_off_makes_up_no_folder_for_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    mount = {"Type": "bind", "Source": str(tmp_path / "logs"), "Destination": "/logs"}
    env = {"Env": ["aliyun_logs_web=/logs/*/app.log"], "Labels": None, "Image": "nginx"}
    given = json.dumps([inspected(Config=env, Mounts=[mount])])
    result = render("--pin", "off", "-", stdin=given)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert f"no folder of {tmp_path}/logs/*/app.log is here now" in result.stderr
    (tmp_path / "logs" / "a").mkdir()
    (made,) = yaml.safe_load(render("--pin", "off", "-", stdin=given).stdout)
    assert made["paths"][0] == f"{tmp_path}/logs/a/app.log"


def test_paths_are_the_collectors() -> None:
    result = render("--collector-root", "/host", "-", stdin=json.dumps([inspected()]))
    (made,) = yaml.safe_load(result.stdout)
    assert made["paths"][0].startswith("/host/var/lib/docker/log-pilot/")


def test_a_rejection_is_one_line_on_stderr_with_the_key_and_exit_code_1() -> None:
    env = ["aliyun_logs_web=stdout", "aliyun_logs_bad=relative.log"]
    result = render("-", stdin=json.dumps([inspected(Config={"Env": env, "Labels": {}})]))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "aliyun_logs_bad" in line
    assert "web: rejected: value-invalid" in line
    assert yaml.safe_load(result.stdout)


def test_hostile_names_and_keys_stay_on_their_line() -> None:
    env = ["aliyun_logs_web=stdout", "aliyun_logs_bad=rel\x1b[2J\nforged"]
    config = {"Env": env, "Labels": {}}
    nothing = inspected(Id="b" * 64, Name="/n\u2028\x07", Config={"Env": [], "Labels": {}})
    result = render("-", stdin=json.dumps([inspected(Name="/w\n\x1b", Config=config), nothing]))
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith("w\\n\\x1b: rejected: value-invalid")
    assert second.startswith("n\\u2028\\x07: nothing is declared")
    assert first.isprintable()


def test_the_loser_of_a_shared_file_is_rejected_and_told_the_winner() -> None:
    mounts = [{"Type": "volume", "Source": "/srv/v", "Destination": "/logs"}]
    env = {"Config": {"Env": ["aliyun_logs_app=/logs/app.log"], "Labels": {}}, "Mounts": mounts}
    first = inspected(Id="a" * 64, Name="/first", Created="2026-01-01T00:00:00Z", **env)
    second = inspected(Id="b" * 64, Name="/second", Created="2026-01-02T00:00:00Z", **env)
    result = render("-", stdin=json.dumps([second, first]))
    assert result.exit_code == 1
    assert "second: rejected: claimed" in result.stderr
    assert "first" in result.stderr
    assert "b" * 64 not in result.stdout


@pytest.mark.parametrize("engine", ["20.10", "29"])
@pytest.mark.parametrize("kind", ["filebeat", "console"])
def test_what_a_real_engine_printed_is_rendered(engine: str, kind: str) -> None:
    result = render("--type", kind, str(RECORDED / f"inspect-{engine}.json"))
    assert result.exit_code in {0, 1}, result.output
    assert result.stdout.startswith("# /")
    assert list(yaml.safe_load_all(result.stdout.replace("# /", "---\n# /")))


def test_a_manifest_is_rendered_with_the_kubelet_s_folders() -> None:
    result = render("--pin", "off", "-", stdin=TOMCAT)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# /etc/filebeat/prospectors.d/default_tomcat_tomcat.yml\n")
    folder = "/var/lib/kubelet/pods/<uid-of-default.tomcat>/volumes/kubernetes.io~empty-dir"
    assert f"{folder}/tomcat-log/catalina.*.log" in result.stdout
    assert "/var/log/pods/default_tomcat_<uid-of-default.tomcat>/tomcat/0.log" in result.stdout


def test_kubelet_root_and_namespace_are_flags() -> None:
    result = render("--kubelet-root", "/k", "--namespace", "n", "--pin", "off", "-", stdin=TOMCAT)
    assert "/k/pods/<uid-of-n.tomcat>/volumes/" in result.stdout
    assert "k8s_pod_namespace: n" in result.stdout.replace('"', "").replace("'", "")


def test_a_compose_file_is_rendered() -> None:
    text = "services: {web: {image: x, labels: {aliyun.logs.web: stdout}}}\nname: shop\n"
    result = render("-", stdin=text)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# /etc/filebeat/prospectors.d/shop-web.yml\n")


def test_a_value_that_is_not_in_the_file_is_a_notice() -> None:
    text = "services: {web: {image: x, environment: [aliyun_logs_web]}}\n"
    result = render("-", stdin=text)
    assert result.exit_code == 0
    assert "notice: env-unknown: 'aliyun_logs_web'" in result.stderr


@pytest.mark.parametrize(
    "text",
    ["[", "[1]", '[{"no": "Id"}]', "{}", "id: 5", "", "\x00", "- - -", "[" * 5000],
)
def test_unusable_input_is_a_sentence_and_exit_code_2(text: str) -> None:
    result = render("-", stdin=text)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("log-pilot: ")
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_missing_file_is_a_sentence_and_exit_code_2() -> None:
    result = render("/nowhere/at/all.json")
    assert result.exit_code == 2
    assert "/nowhere/at/all.json" in result.stderr


def test_an_unknown_collector_is_a_sentence_and_exit_code_2() -> None:
    result = render("--type", "nonsense", "-", stdin="[]")
    assert result.exit_code == 2
    assert "nonsense" in result.stderr
    assert "filebeat" in result.stderr


def test_a_static_file_is_read_too() -> None:
    text = """
id: one
name: web
state: running
env: {aliyun_logs_web: stdout}
log: {path: /l/x.log, format: cri}
"""
    result = render("--type", "console", "-", stdin=text)
    assert result.exit_code == 0, result.output
    assert "/inputs.d/one.yml" in result.stdout


def test_a_created_container_has_no_fragment() -> None:
    result = render(
        "-", stdin=json.dumps([inspected(State={"Status": "created"}, LogPath="/x/y.log")])
    )
    assert result.stdout == ""


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_env() -> None:
    env = ["aliyun_logs_b=stdout", "aliyun_logs_a=/logs/a.log", "aliyun_logs_a_tags=x=1,y=2"]
    mounts = [{"Type": "volume", "Source": "/srv/v", "Destination": "/logs"}]
    outputs = {
        render(
            "-", stdin=json.dumps([inspected(Config={"Env": order, "Labels": {}}, Mounts=mounts)])
        ).stdout
        for order in (env, env[::-1], env[1:] + env[:1])
    }
    assert len(outputs) == 1


def test_the_pilot_s_own_folders_are_refused_as_the_daemon_refuses_them() -> None:
    mounts = [{"Type": "bind", "Source": "/var/lib/filebeat", "Destination": "/logs"}]
    env = {"Config": {"Env": ["aliyun_logs_app=/logs/app.log"], "Labels": {}}, "Mounts": mounts}
    data = json.dumps([inspected(**env)])
    result = render("--data-dir", "/var/lib/filebeat", "-", stdin=data)
    assert result.exit_code == 1
    assert "mount-forbidden" in result.stderr
