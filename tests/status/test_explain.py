"""What the daemon says of a container, from its records and without waiting for anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given

from pilot.accept import accept
from pilot.explaining import answer, explain, lines
from pilot.model import Mount, Pod, printable
from pilot.names import volume_set_name
from pilot.policy import Policy
from pilot.settings import Settings
from tests.bench_containers import Bench, container, write
from tests.declarations.making import any_text
from tests.status.asking import ListedSource, ask, explainer, steps, validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.stop()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(validator.schema)


def test_each_step_from_the_key_to_the_bytes_read_is_told(bench: Bench) -> None:
    write(bench, "web.log", "one\ntwo\n")
    env = {"aliyun_logs_web": "/logs/web*.log", "aliyun_logs_web_tags": "team=shop"}
    bench.found(container(env=env))
    bench.run(2)
    (pin,) = bench.pins()
    bench.piloter.read[pin.parent.name, str(pin)] = 4
    found = ask(bench)
    assert found["complete"]
    assert found["live"]
    (log,) = found["containers"][0]["logs"]
    assert log["declared"] == {
        "key": "aliyun_logs_web",
        "value": "/logs/web*.log",
        "origin": "env",
        "option": "",
    }
    assert [each["option"] for each in log["options"]] == ["tags"]
    assert log["tags"] == {"team": "shop"}
    assert log["index"] == "web"
    (one,) = log["sets"]
    assert one["mount"]["source"] == "/volume/logs"
    assert one["folder"] == "/volume/logs"
    (file,) = one["files"]
    assert file["path"] == "/logs/web.log"
    assert (file["size"], file["kind"], file["pin"]) == (8, "linked", pin.name)
    assert (file["read"], file["unread"]) == ({"all": 4}, 4)
    assert steps(found, "fragment") == [str(bench.piloter.directory / "web.conf")]
    assert "has read 4 of 8 bytes; 4 bytes unread" in steps(found, "collector")[0]


def test_a_file_that_the_collector_never_heard_of_is_wholly_unread(bench: Bench) -> None:
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    (file,) = ask(bench)["containers"][0]["logs"][0]["sets"][0]["files"]
    assert (file["read"], file["unread"]) == ({}, 4)


def test_sizes_are_those_of_now(bench: Bench) -> None:
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    write(bench, "web.log", "two\n")
    (file,) = ask(bench)["containers"][0]["logs"][0]["sets"][0]["files"]
    assert file["size"] == 8


def test_records_that_cannot_be_read_are_said_and_the_rest_is_told(bench: Bench) -> None:
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    bench.piloter.unreadable = OSError("registry is gone")
    found = ask(bench)
    assert "registry is gone" in steps(found, "collector")[0]
    assert steps(found, "place")


def test_the_loop_waits_for_nobody(bench: Bench) -> None:
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    answers: list[object] = []
    explainer(bench).ask("web", "", answers.append)
    explainer(bench).ask("nobody", "", answers.append)
    assert answers == []
    assert len(bench.workers.jobs) == 2
    bench.workers.run()
    assert len(answers) == 2


def test_without_workers_it_answers_at_once_with_what_is_known(bench: Bench) -> None:
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    bench.piloter.unreadable = OSError("would fail if anybody asked")
    found = ask(bench, fresh=False)
    (file,) = found["containers"][0]["logs"][0]["sets"][0]["files"]
    assert file["size"] == 4
    assert not ask(bench, "nobody", fresh=False)["found"]


def test_a_rotated_file_is_told_under_its_name_of_now(bench: Bench) -> None:
    log = write(bench, "web.log", "one\n")
    bench.found(container(env={"aliyun_logs_web": "/logs/web.log"}))
    bench.run(2)
    log.rename(log.with_name("web.log.1"))
    bench.run(2)
    (file,) = ask(bench)["containers"][0]["logs"][0]["sets"][0]["files"]
    assert file["path"] == "/logs/web.log.1"


def test_a_deleted_file_is_told_by_the_name_it_had(bench: Bench) -> None:
    log = write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    log.unlink()
    bench.run(2)
    (file,) = ask(bench)["containers"][0]["logs"][0]["sets"][0]["files"]
    assert file["path"] == "/logs/web.log"
    assert file["gone"]


def test_direct_files_are_said_to_be_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pin=False)
    write(bench, "web.log", "one\n")
    bench.found(container())
    bench.run(2)
    found = ask(bench)
    (file,) = found["containers"][0]["logs"][0]["sets"][0]["files"]
    assert (file["path"], file["kind"], file["pin"]) == ("/logs/web.log", "direct", "")
    bench.stop()


def test_a_missing_folder_means_waiting_and_is_not_complete(bench: Bench) -> None:
    bench.found(container(mounts=(Mount("/logs", "/volume/none", "bind"),)))
    bench.run(2)
    found = ask(bench)
    assert not found["complete"]
    assert found["containers"][0]["outcome"] == "waiting"
    assert steps(found, "file") == ["there is no folder /volume/none yet"]


def test_a_rejection_has_its_code_hint_and_link(bench: Bench) -> None:
    env = {"aliyun_logs_web": "/logs/web*.log", "aliyun_logs_web_fromat": "json"}
    bench.found(container(env=env))
    bench.run(2)
    found = ask(bench)
    (refused,) = found["containers"][0]["logs"][0]["rejections"]
    assert refused["code"] == "option-unknown"
    assert refused["hint"] == "aliyun_logs_web_format"
    assert refused["link"] == "docs/rejections.md#option-unknown"
    assert found["containers"][0]["outcome"] == "partly collected"
    assert "See docs/rejections.md#option-unknown" in steps(found, "rejected")[0]


def test_who_has_the_files_is_told_to_the_loser(bench: Bench) -> None:
    shared = {"env": {"aliyun_logs_app": "/logs/app.log"}}
    bench.found(container("web", created="1", **shared))
    bench.found(container("late", created="2", **shared))
    bench.run(2)
    found = ask(bench, "late")
    assert found["containers"][0]["outcome"] == "rejected"
    assert found["containers"][0]["logs"][0]["sets"][0]["owner"] == "web (web)"
    assert ask(bench, "web")["complete"]


def test_the_end_of_a_container_is_told_with_its_deadline(tmp_path: Path) -> None:
    bench = Bench(tmp_path, drain_limit=100.0)
    write(bench, "web.log", "unread\n")
    bench.found(container())
    bench.run(2)
    bench.gone()
    bench.run(1)
    found = ask(bench)
    (one,) = found["containers"]
    assert one["gone"]
    assert one["phase"] == "draining"
    assert 0 < one["deadline_in"] <= 100
    assert "draining; what is unread is given up in" in steps(found, "state")[0]
    bench.stop()


def test_a_file_behind_a_link_is_told_with_its_real_place(bench: Bench) -> None:
    (bench.node.logs / "data").mkdir()
    (bench.node.logs / "data" / "today").write_text("one\n")
    (bench.node.logs / "web.log").symlink_to("data/today")
    bench.found(container())
    bench.run(2)
    (file,) = ask(bench)["containers"][0]["logs"][0]["sets"][0]["files"]
    assert (file["path"], file["really"]) == ("/logs/web.log", "/volume/logs/data/today")


def test_refused_files_are_told_with_the_reason(bench: Bench) -> None:
    (bench.node.logs / "web.log").symlink_to("/etc/passwd")
    bench.found(container())
    bench.run(2)
    (one,) = ask(bench)["containers"][0]["logs"][0]["sets"]
    assert list(one["refused"]) == ["web.log"]


# -- whom one means --------------------------------------------------------------------------------


def tracked(bench: Bench) -> None:
    one = Pod("shop", "web-1", "u1", "app")
    two = Pod("shop", "web-1", "u1", "side")
    other = Pod("test", "web-1", "u2", "app")
    path = volume_set_name("/volume/logs", "", "x")
    for number, pod in enumerate((one, two, other)):
        name = f"{pod.namespace}-{pod.container}"
        env = {f"aliyun_logs_{name}": f"/logs/{name}.log"}
        bench.found(replace(container(name, env=env, pod=pod), id=f"{number}abcdef{path}"))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("shop-app", ["shop-app"]),
        ("/shop-app", ["shop-app"]),
        ("0abc", ["shop-app"]),
        ("shop/web-1", ["shop-app", "shop-side"]),
        ("shop/web-1/side", ["shop-side"]),
        ("test/web-1", ["test-app"]),
    ],
)
def test_a_container_is_found_by(bench: Bench, asked: str, names: list[str]) -> None:
    tracked(bench)
    found = ask(bench, asked)
    assert [each["name"] for each in found["containers"]] == names


@pytest.mark.parametrize(
    ("asked", "said", "near"),
    [
        ("web-1", "may mean 3 containers", ["shop/web-1/app", "shop/web-1/side", "test/web-1/app"]),
        ("0ab", "too short", ["0abcdef" + volume_set_name("/volume/logs", "", "x")[:5]]),
        ("shop-ap", "there is no container or pod 'shop-ap'", ["shop-app"]),
        ("zzzz", "there is no container or pod 'zzzz'", []),
    ],
)
def test_what_is_not_found_is_said_with_what_is_near(
    bench: Bench, asked: str, said: str, near: list[str]
) -> None:
    tracked(bench)
    found = ask(bench, asked)
    assert not found["found"]
    assert said in found["sentence"]
    assert found["near"][: len(near)] == near


def test_only_one_log_is_told_and_a_wrong_name_gets_the_others(bench: Bench) -> None:
    env = {"aliyun_logs_web": "/logs/web*.log", "aliyun_logs_bad": "nothing"}
    bench.found(container(env=env))
    bench.run(2)
    assert ask(bench, "web", "web")["complete"]
    assert not ask(bench, "web", "bad")["complete"]
    found = ask(bench, "web", "wep")
    assert not found["found"]
    assert found["near"] == ["web"]


# -- containers that declare nothing ---------------------------------------------------------------


def test_a_container_that_declares_nothing_gets_its_near_keys_without_values(bench: Bench) -> None:
    env = {"alyun_logs_app": "stdout", "PASSWORD": "hunter2", "aliyun_log_x": "secret"}
    plain = container("plain", env=env)
    found = ask(bench, "plain", source=ListedSource({"plain": plain}))
    assert not found["complete"]
    (one,) = found["containers"]
    assert one["outcome"] == "undeclared"
    assert [(each["key"], each["hint"]) for each in one["nearly"]] == [
        ("aliyun_log_x", "aliyun_logs_x"),
        ("alyun_logs_app", "aliyun_logs_app"),
    ]
    shown = "\n".join(lines(found))
    assert "to copy: the environment variable aliyun_logs_app=stdout" in shown
    assert "hunter2" not in shown
    assert "secret" not in shown


def test_a_pod_s_container_gets_an_annotation_to_copy(bench: Bench) -> None:
    plain = container("plain", env={}, pod=Pod("shop", "web-1", "u", "app"))
    found = ask(bench, "shop/web-1", source=ListedSource({"plain": plain}))
    assert 'to copy: the annotation aliyun.logs/app: "stdout"' in steps(found, "declared")


def test_a_source_that_fails_is_said(bench: Bench) -> None:
    found = ask(bench, "plain", source=ListedSource(broken=True))
    assert "the engine is down" in found["sentence"]


# -- hostile text ----------------------------------------------------------------------------------


@given(any_text, any_text)
def test_no_line_holds_what_a_terminal_would_obey(text: str, other: str) -> None:
    given_env = {
        f"aliyun_logs_{text}": other,
        "aliyun_logs_x": f"/{text}",
        "aliyun_log_" + text: "",
    }
    one = container(
        name=other, env=given_env, labels={text: other}, image=text, pod=Pod(text, other, "", text)
    )
    settings = Settings(environment={})
    accepted = accept(one, settings=settings, policy=Policy())
    made = explain(one, settings=settings, logs=accepted.logs, rejections=accepted.rejections)
    found = answer(text, [made], live=False)
    for width in (1, 60, 200):
        for line in lines(found, width):
            assert printable(line) == line
            assert len(line.splitlines()) <= 1
            line.encode()
