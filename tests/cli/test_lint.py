"""`log-pilot lint`: what it says of manifests, with file and line, in three formats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pilot.cli import main
from tests.cli.lint_page import PAGE, examples, printed
from tests.manifests.making import TOMCAT, pod

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).parents[2]


def lint(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["lint", *arguments], input=stdin)


def found(text: str, *arguments: str) -> list[dict[str, Any]]:
    result = lint("--format", "json", *arguments, "-", stdin=dedent(text))
    assert result.exit_code in {0, 1}, result.output
    made: list[dict[str, Any]] = json.loads(result.stdout)
    return made


def codes(text: str, *arguments: str) -> list[tuple[str, int]]:
    return [(each["code"], each["line"]) for each in found(text, *arguments)]


def env(**variables: str) -> str:
    """A pod with these variables; the first stands on line 10."""
    lines = ["containers:", "- name: app", "  env:"]
    for key, value in variables.items():
        lines += [f"  - name: {key}", f"    value: {json.dumps(value)}"]
    lines += ["  volumeMounts:", "  - {name: logs, mountPath: /logs}", "volumes:", "- name: logs"]
    return pod("\n".join(lines))


def test_a_clean_manifest_says_nothing_and_exits_0() -> None:
    result = lint("-", stdin=TOMCAT)
    assert (result.output, result.exit_code) == ("", 0)


def test_a_rejection_has_file_line_code_and_sentence_and_exits_1(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(env(aliyun_logs_web="/logs/*.log", aliyun_logs_bad="relative.log"))
    result = lint(str(file))
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{file}:12: value-invalid: 'aliyun_logs_bad' = 'relative.log': ")


def test_a_typo_is_told_with_the_right_key() -> None:
    text = env(aliyun_logs_web="stdout", aliyun_logs_web_tagz="a=1")
    (one,) = found(text)
    assert (one["code"], one["line"]) == ("option-unknown", 12)
    assert one["hint"] == "aliyun_logs_web_tags"
    assert "Did you mean 'aliyun_logs_web_tags'?" in lint("-", stdin=text).stdout


def test_a_notice_exits_0_and_with_strict_1() -> None:
    text = env(aliyun_log_web="stdout")
    result = lint("-", stdin=text)
    assert result.exit_code == 0
    assert "standard input:10: option-unknown: notice: 'aliyun_log_web'" in result.stdout
    assert "Did you mean 'aliyun_logs_web'?" in result.stdout
    assert lint("--strict", "-", stdin=text).exit_code == 1


def test_a_path_without_a_volume_and_one_that_is_forbidden_are_refused() -> None:
    text = pod(
        """
        containers:
        - name: app
          env:
          - {name: aliyun_logs_a, value: /nowhere/a.log}
          - {name: aliyun_logs_b, value: /etc2/b.log}
          - {name: aliyun_logs_c, value: /secret/c.log}
          volumeMounts:
          - {name: etc, mountPath: /etc2}
          - {name: secret, mountPath: /secret}
        volumes:
        - {name: etc, hostPath: {path: /etc}}
        - {name: secret, secret: {secretName: s}}
        """
    )
    assert codes(text) == [
        ("path-not-mounted", 10),
        ("mount-forbidden", 11),
        ("mount-unsupported", 12),
    ]


def test_a_host_path_is_judged_through_its_sub_path_too() -> None:
    text = pod(
        """
        containers:
        - name: app
          env: [{name: aliyun_logs_a, value: /l/a.log}]
          volumeMounts: [{name: v, mountPath: /l, subPath: kubernetes}]
        volumes: [{name: v, hostPath: {path: /etc}}]
        """
    )
    assert codes(text) == [("mount-forbidden", 9)]


def test_a_claim_s_folder_is_known_on_the_node_and_nothing_is_said() -> None:
    text = env(aliyun_logs_a="/logs/a.log")
    claimed = text.replace("- name: logs", "- {name: logs, persistentVolumeClaim: {claimName: c}}")
    assert "claimName" in claimed
    assert codes(claimed) == []
    assert codes(claimed.replace("/logs/a.log", "/logs/")) == [("path-folder", 10)]


def test_values_that_only_the_cluster_knows_are_notices() -> None:
    text = pod(
        """
        containers:
        - name: app
          env:
          - name: aliyun_logs_web
            valueFrom: {configMapKeyRef: {name: logs, key: web}}
          - {name: aliyun_logs_web_tags, value: stage=prod}
          - {name: OTHER, valueFrom: {secretKeyRef: {name: s, key: k}}}
        """
    )
    (one,) = found(text)
    assert (one["code"], one["line"], one["notice"]) == ("env-unknown", 10, True)
    assert "the ConfigMap logs" in one["reason"]


def test_an_option_of_a_log_that_is_not_known_is_judged_all_the_same() -> None:
    text = pod(
        """
        containers:
        - name: app
          env:
          - name: aliyun_logs_web
            valueFrom: {configMapKeyRef: {name: logs, key: web}}
          - {name: aliyun_logs_web_target, value: "*"}
        """
    )
    assert codes(text) == [("env-unknown", 10), ("target-invalid", 12)]


def test_variables_are_expanded_as_the_kubelet_does() -> None:
    text = env(DIR="/logs", aliyun_logs_web="$(DIR)/*.log")
    assert codes(text) == []
    assert codes(env(DIR="/nowhere", aliyun_logs_web="$(DIR)/*.log")) == [("path-not-mounted", 12)]


def test_what_is_no_text_is_told_as_the_api_would() -> None:
    text = env(aliyun_logs_web="stdout", aliyun_logs_web_tags="x").replace('"x"', "5")
    (one,) = found(text)
    assert (one["code"], one["line"], one["notice"]) == ("value-invalid", 12, False)
    assert "quotes" in one["reason"]


def test_annotations_of_the_workload_are_told_the_right_place() -> None:
    text = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: shop
      annotations:
        aliyun.logs/web: stdout
    spec:
      template:
        metadata:
          labels: {aliyun.logs.x: stdout}
        spec:
          containers: [{name: app}]
    """
    first, second = found(text)
    assert (first["line"], first["notice"]) == (6, True)
    assert first["hint"] == second["hint"] == "spec.template.metadata.annotations"
    assert second["line"] == 10


def test_a_config_map_with_declarations_is_a_notice() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\ndata:\n  aliyun_logs_a: stdout\n  B: b\n"
    assert codes(text) == [("env-unknown", 4)]


def annotated(*annotations: str) -> str:
    """A pod of two containers, of which `web` has the folder /logs; annotations from line 7 on."""
    lines = "\n".join(f"  {line}" for line in annotations)
    return pod(
        """
        containers:
        - name: web
          volumeMounts: [{name: logs, mountPath: /logs}]
        - name: side
        volumes: [{name: logs}]
        """,
        "annotations:\n" + lines,
    )


def test_an_annotated_path_that_one_container_mounts_is_clean() -> None:
    assert codes(annotated("aliyun.logs/web: /logs/*.log")) == []


def test_an_annotated_path_that_no_container_mounts_is_refused_once() -> None:
    (one,) = found(annotated("aliyun.logs/web: /nowhere/*.log"))
    assert (one["code"], one["line"], one["notice"]) == ("path-not-mounted", 7, False)
    assert one["container"] == ""


def test_each_path_of_an_annotation_is_for_itself() -> None:
    (one,) = found(annotated("aliyun.logs/web: '/logs/a.log,/nowhere/b.log'"))
    assert (one["code"], one["value"]) == ("path-not-mounted", "/nowhere/b.log")


def test_an_annotation_for_one_container_is_judged_for_that_one() -> None:
    given = ("aliyun.logs/web: /logs/*.log", "aliyun.logs/web.container: side")
    assert codes(annotated(*given)) == [("path-not-mounted", 7)]


def test_a_container_that_the_pod_has_not_is_told_the_nearest() -> None:
    text = annotated("aliyun.logs/web: stdout", "aliyun.logs/web.container: webb, side")
    (one,) = found(text)
    assert (one["code"], one["line"]) == ("container-unknown", 8)
    assert (one["value"], one["hint"]) == ("webb", "web")


def test_an_annotation_that_is_wrong_is_said_once_for_all_containers() -> None:
    text = annotated("aliyun.logs/web: stdout", "aliyun.logs/web.tags: =")
    assert codes(text) == [("tag-invalid", 8)]


def test_two_containers_that_declare_one_file_are_told() -> None:
    container = (
        "- {name: %s, env: [{name: aliyun_logs_a, value: /l/a.log}],"
        " volumeMounts: [{name: v, mountPath: /l}]}"
    )
    spec = "\n".join(["containers:", container % "a", container % "b", "volumes: [{name: v}]"])
    assert codes(pod(spec)) == [("claimed", 9)]


def test_pods_of_two_manifests_share_no_files_whatever_their_names_are() -> None:
    text = env(aliyun_logs_a="/logs/a.log").replace("  uid: ", "  x: ")
    assert codes(f"{text}---\n{text.replace('name: web', 'name: other')}") == []


def test_compose_files_are_judged() -> None:
    text = """\
    services:
      web:
        image: nginx
        volumes: [logs:/logs]
        labels:
          aliyun.logs.web: /logs/*.log
          aliyun.logs.web.formt: json
        environment:
        - aliyun_logs_out=${WHERE}
        - aliyun_logs_no=/nowhere/x.log
    """
    assert codes(text) == [("option-unknown", 7), ("env-unknown", 9), ("path-not-mounted", 10)]


def test_prefixes_and_policy_are_those_of_the_flags() -> None:
    assert codes(env(acme_logs_web="relative")) == []
    assert codes(env(acme_logs_web="relative"), "--log-prefix", "acme") == [("value-invalid", 10)]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [\n", 1), ("a: 1\n b: 2\n", 2), ("just: other\n", 1), ("", 1), ("{", 1), ("\0", 1)],
)
def test_unusable_input_is_file_line_and_sentence_on_stderr_and_exits_2(
    text: str, line: int
) -> None:
    result = lint("-", stdin=text)
    assert result.exit_code == 2
    assert re.match(rf"standard input:{line}: \S", result.stderr), result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_there_does_not_keep_the_others_from_being_judged(
    tmp_path: Path,
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(env(aliyun_logs_bad="relative"))
    result = lint(str(tmp_path / "none.yaml"), str(file))
    assert result.exit_code == 2
    assert "none.yaml" in result.stderr
    assert "value-invalid" in result.stdout


def test_other_files_may_be_passed_over(tmp_path: Path) -> None:
    for name, text in {
        "values.yaml": "a: b\n",
        "chart.yaml": "{{- if x }}\n",
        "no.yaml": "",
    }.items():
        (tmp_path / name).write_text(text)
    names = [str(path) for path in tmp_path.iterdir()]
    assert lint(*names).exit_code == 2
    assert lint("--skip-others", *names).exit_code == 0
    (tmp_path / "values.yaml").write_text("a: [\n")
    assert lint("--skip-others", *names).exit_code == 2


def test_github_gets_commands_with_its_escapes(tmp_path: Path) -> None:
    file = tmp_path / "a,b:c%.yaml"
    file.write_text(env(aliyun_logs_bad="100%", aliyun_log_x="stdout"))
    result = lint("--format", "github", str(file))
    notice, error = sorted(result.stdout.splitlines(), key=lambda line: not line.startswith("::n"))
    shown = str(file).replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    assert error.startswith(f"::error file={shown},line=10,title=value-invalid::")
    assert "'100%25'" in error
    assert notice.startswith(f"::notice file={shown},line=12,title=option-unknown::")


def test_github_is_told_of_unusable_files_too(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: [\n")
    result = lint("--format", "github", str(file))
    assert result.stdout.startswith(f"::error file={file},line=1,title=unusable::")
    assert result.exit_code == 2


def test_json_is_a_list_of_objects_with_the_same_keys() -> None:
    (one,) = found(env(aliyun_logs_bad="relative"))
    assert list(one) == [
        *("file", "line", "code", "notice", "container", "log", "key", "value", "reason", "hint")
    ]
    assert (one["container"], one["log"]) == ("app", "bad")
    assert found(TOMCAT) == []


hostile = st.text(st.characters(codec="utf-8"), max_size=30)


@given(hostile, hostile, st.sampled_from(["text", "github"]))
def test_whatever_a_tenant_writes_stays_on_its_line(key: str, value: str, form: str) -> None:
    data = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"annotations": {f"aliyun.logs/{key}": value, f"aliyun.log/{key}": value}},
        "spec": {
            "containers": [
                {
                    "name": value,
                    "env": [
                        {"name": f"aliyun_logs_{key}", "value": value},
                        {"name": f"aliyun_log_{key}", "value": value},
                    ],
                }
            ]
        },
    }
    result = lint("--format", form, "-", stdin=json.dumps(data))
    assert result.exit_code in {0, 1}, result.output
    start = "standard input:" if form == "text" else "::"
    for line in result.stdout.splitlines():
        assert line.startswith(start)
        assert "\x1b" not in line


def test_the_hook_of_pre_commit_is_the_command() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (entry,) = re.findall(r"^  entry: (.+)$", text, re.MULTILINE)
    (args,) = re.findall(r"^  args: \[(.+)\]$", text, re.MULTILINE)
    command, name = entry.split()
    assert command == "log-pilot"
    result = CliRunner().invoke(main, [name, *args.split(", "), "-"], input="a: b\n")
    assert result.exit_code == 0


def test_the_page_shows_ten_mistakes_and_what_is_printed_now() -> None:
    shown = examples(PAGE.read_text(encoding="utf-8"))
    assert len(shown) == 10
    for manifest, said in shown:
        assert said == printed(manifest), "python -m tests.cli.lint_page writes the page anew"
        assert said.startswith("shop.yaml:")


def test_an_annotation_spelled_as_an_environment_variable_is_shown_with_its_value() -> None:
    (one,) = found(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, annotations: {aliyun_logs_web: stdout}}
        spec: {containers: [{name: app, image: shop}]}
        """
    )
    assert (one["key"], one["value"], one["hint"]) == (
        "aliyun_logs_web",
        "stdout",
        "aliyun.logs/web",
    )


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    result = lint(str(tmp_path), str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{tmp_path}:1: it cannot be read: Is a directory",
        f"{tmp_path}/none.yaml:1: it cannot be read: No such file or directory",
    ]


def test_a_prefix_with_a_blank_in_it_is_refused() -> None:
    result = lint("--log-prefix", "aliyun pilot", "-", stdin=TOMCAT)
    assert result.exit_code == 2
    assert "'aliyun pilot' holds a blank; put commas between words" in result.stderr
