"""The loop with a scripted source, real folders, real pins and the console piloter."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from pilot import wiring
from pilot.model import Container, Mount, Pod, State
from pilot.policy import PolicyError
from pilot.settings import Settings
from tests.fakes.source import FakeSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pilot.reconciler import Reconciler

DEADLINE = 20.0  # seconds; only a failing test waits so long


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition to hold."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def settings_for(folder: Path, **changes: Any) -> Settings:
    (folder / "node" / "data").mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "type": "console",
        "node_root": folder / "node",
        "collector_root": folder / "node",
        "state_dir": folder / "state",
        "config_dir": folder / "config",
        "data_dir": folder / "records",
        "pin_roots": ("/pins",),
        "supervised": False,
        "relist": 0.3,
        **changes,
    }
    return Settings(**values)


def container(name: str, **changes: Any) -> Container:
    values: dict[str, Any] = {
        "id": f"id-{name}",
        "name": name,
        "state": State.RUNNING,
        "env": {f"aliyun_logs_{name}": f"/logs/{name}*.log", "SECRET": "s3cret"},
        "mounts": (Mount("/logs", "/data", "bind"),),
        **changes,
    }
    return Container(**values)


class Running:
    """A running agent without a collector: its source, its folders, its status."""

    def __init__(self, folder: Path, source: FakeSource, reconciler: Reconciler) -> None:
        self.folder, self.source, self.reconciler = folder, source, reconciler

    def fragments(self) -> dict[str, Path]:
        found = self.folder / "config" / "inputs.d"
        return {path.stem: path for path in found.glob("*.yml")}

    def pins(self) -> set[str]:
        return {path.name.split("~")[0] for path in (self.folder / "node" / "pins").glob("*/*")}

    def status(self) -> dict[str, Any]:
        transport = httpx.HTTPTransport(uds=str(self.folder / "state" / "status.sock"))
        with httpx.Client(transport=transport, timeout=DEADLINE) as client:
            found: dict[str, Any] = client.get("http://pilot/status").json()
        return found

    def record_all_read(self) -> None:
        """Write the records of a collector that has read every pin to its end."""
        entries: dict[str, dict[str, dict[str, int]]] = {}
        for path in (self.folder / "node" / "pins").glob("*/*~*"):
            size = path.stat().st_size
            entries.setdefault(path.parent.name, {})[str(path)] = {"offset": size, "read": size}
        records = self.folder / "records"
        records.mkdir(exist_ok=True)
        (records / "temporary").write_text(json.dumps({"version": 1, "files": entries}))
        (records / "temporary").rename(records / "registry.json")


@contextmanager
def running(folder: Path, source: FakeSource | None = None, **changes: Any) -> Iterator[Running]:
    """An agent in a thread, ended at the end."""
    source = source or FakeSource()
    settings = settings_for(folder, **changes)
    with wiring.agent(settings, print, make_source=lambda _: source) as reconciler:
        thread = threading.Thread(target=_run, args=(reconciler,), daemon=True)
        thread.start()
        until(lambda: reconciler.listed)
        try:
            yield Running(folder, source, reconciler)
        finally:
            reconciler.stop()
            thread.join(DEADLINE)
            assert not thread.is_alive()


def _run(reconciler: Reconciler) -> None:
    reconciler.run()


def test_a_started_container_gets_pins_and_a_fragment(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        (tmp_path / "node/data/web.log").write_text("one\n")
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        assert agent.pins() == {"web.log"}
        (fragment,) = agent.fragments().values()
        assert yaml.safe_load(fragment.read_bytes())


def test_a_start_costs_one_look(tmp_path: Path) -> None:
    with running(tmp_path, relist=3600.0) as agent:
        for number in range(20):
            agent.source.put(container(f"c{number}"))
        until(lambda: len(agent.fragments()) == 20)
        assert sorted(agent.source.looks) == sorted(agent.source.containers)


def test_lists_cost_no_look_at_what_was_looked_at(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        for number in range(20):
            agent.source.put(container(f"c{number}"))
        until(lambda: len(agent.fragments()) == 20)
        before = agent.source.lists
        until(lambda: agent.source.lists > before + 3)
        assert sorted(agent.source.looks) == sorted(agent.source.containers)


def test_declarations_may_come_and_go_where_the_source_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.declares_once = False
        agent.source.put(container("web", env={}))
        until(lambda: agent.source.looks)
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        agent.source.put(container("web", env={}))
        until(lambda: not agent.fragments())


def test_a_container_that_declares_nothing_is_looked_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.put(container("plain", env={"PATH": "/bin"}))
        for _ in range(5):
            agent.source.mark("id-plain")
        before = agent.source.lists
        until(lambda: agent.source.lists > before + 2)
        assert agent.source.looks == ["id-plain"]
        assert not agent.fragments()


def test_lost_events_are_made_good_by_the_next_list(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.silent = True
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())


def test_a_cut_stream_is_opened_again_and_everything_is_listed(tmp_path: Path) -> None:
    with running(tmp_path, relist=3600.0) as agent:
        agent.source.silent = True
        agent.source.put(container("web"))
        agent.source.cut()
        until(lambda: "id-web" in agent.fragments())
        assert agent.source.watches == 2


def test_nothing_is_removed_while_the_source_fails(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        agent.source.broken = "connection refused"
        agent.source.cut()
        before = agent.source.lists
        until(lambda: agent.source.lists > before + 2)
        assert "id-web" in agent.fragments()
        assert "connection refused" in agent.status()["source"]["problem"]
        agent.source.broken = ""
        until(lambda: agent.status()["source"]["problem"] == "")
        assert "id-web" in agent.fragments()


def test_an_empty_list_is_only_a_reason_to_look(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        agent.source.hidden = {"id-web"}
        looks = len(agent.source.looks)
        until(lambda: len(agent.source.looks) > looks + 2)
        assert agent.status()["containers"][0]["phase"] == "running"


def test_a_container_that_is_gone_keeps_its_fragment_until_it_is_read(tmp_path: Path) -> None:
    log = tmp_path / "node/data/web.log"
    with running(tmp_path) as agent:
        log.write_text("unread\n")
        agent.source.put(container("web"))
        until(lambda: agent.pins() == {"web.log"})
        log.unlink()
        agent.source.remove("id-web")
        until(lambda: agent.status()["containers"][0]["gone"])
        found = agent.status()["containers"][0]
        assert found["phase"] == "draining"
        until(
            lambda: (
                agent.status()["containers"][0]["logs"][0]["file_sets"][0]["files"][0]["unread"]
                == 7
            )
        )
        assert "id-web" in agent.fragments()
        agent.record_all_read()
        until(lambda: not agent.fragments())
        assert not agent.status()["containers"]  # asks the loop, which so has ended that step
        assert not agent.pins()
        assert not list((tmp_path / "state/containers").iterdir())
        assert not list((tmp_path / "state/sets").iterdir())


def test_the_deadline_gives_up_what_is_unread_and_counts_it(tmp_path: Path) -> None:
    log = tmp_path / "node/data/web.log"
    with running(tmp_path, drain_limit=2.0) as agent:
        log.write_text("never read\n")
        agent.source.put(container("web"))
        until(lambda: agent.pins() == {"web.log"})
        log.unlink()
        agent.source.remove("id-web")
        until(lambda: agent.status()["containers"][0]["phase"] == "retiring")
        assert agent.status()["containers"][0]["lost"] == {"files": 1, "bytes": 11}
        until(lambda: not agent.fragments())
        assert not agent.status()["containers"]
        assert not agent.pins()


def test_a_restarted_container_keeps_its_fragment_untouched(tmp_path: Path) -> None:
    web = container("web")
    with running(tmp_path) as agent:
        agent.source.put(web)
        until(lambda: "id-web" in agent.fragments())
        before = agent.fragments()["id-web"].stat()
        for _ in range(10):
            agent.source.put(replace(web, state=State.ENDED))
            until(lambda: agent.status()["containers"][0]["state"] == "ended")
            agent.source.put(web)
            until(lambda: agent.status()["containers"][0]["phase"] == "running")
        after = agent.fragments()["id-web"].stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_restart_of_the_agent_changes_nothing_on_disk(tmp_path: Path) -> None:
    source = FakeSource()
    (tmp_path / "node/data").mkdir(parents=True)
    (tmp_path / "node/data/web.log").write_text("one\n")
    with running(tmp_path, source) as agent:
        source.put(container("web"))
        until(lambda: agent.pins() == {"web.log"} and "id-web" in agent.fragments())
        fragment = agent.fragments()["id-web"].stat()
        pins = sorted(os.listdir(next((tmp_path / "node/pins").iterdir())))
    again = FakeSource()
    again.containers = dict(source.containers)
    with running(tmp_path, again) as agent:
        until(lambda: again.looks)
        until(lambda: not agent.status()["containers"][0]["logs"][0]["file_sets"][0]["problem"])
        after = agent.fragments()["id-web"].stat()
        assert (fragment.st_ino, fragment.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert sorted(os.listdir(next((tmp_path / "node/pins").iterdir()))) == pins


def test_what_ended_while_the_agent_was_away_is_drained(tmp_path: Path) -> None:
    source = FakeSource()
    with running(tmp_path, source) as agent:
        (tmp_path / "node/data/web.log").write_text("unread\n")
        source.put(container("web"))
        until(lambda: agent.pins() == {"web.log"})
    (tmp_path / "node/data/web.log").unlink()
    with running(tmp_path) as agent:
        until(lambda: agent.status()["containers"][0]["gone"])
        assert "id-web" in agent.fragments()
        assert agent.pins() == {"web.log"}
        agent.record_all_read()
        until(lambda: not agent.fragments())


def test_files_of_ours_that_no_container_wants_go_and_foreign_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "config/inputs.d"
    folder.mkdir(parents=True)
    (folder / "orphan.yml").write_text("# Written by log-pilot\n{}\n")
    (folder / "foreign.yml").write_text("mine: true\n")
    (folder / ".log-pilot-x.yml").write_text("half")
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: set(agent.fragments()) == {"id-web", "foreign"})
        assert not (folder / ".log-pilot-x.yml").exists()


def test_two_containers_with_one_file_set_have_one_owner_and_it_is_handed_over(
    tmp_path: Path,
) -> None:
    env = {"aliyun_logs_app": "/logs/app.log"}
    first = container("first", env=env, created="2026-01-01T00:00:00Z")
    second = container("second", env=env, created="2026-01-02T00:00:00Z")
    with running(tmp_path) as agent:
        agent.source.put(second)
        until(lambda: set(agent.fragments()) == {"id-second"})
        agent.source.put(first)
        until(lambda: set(agent.fragments()) == {"id-first"})
        (refused,) = (
            one["rejections"] for one in agent.status()["containers"] if one["name"] == "second"
        )
        assert refused[0]["code"] == "claimed"
        assert "first" in refused[0]["reason"]
        agent.source.put(replace(first, state=State.ENDED))
        until(lambda: set(agent.fragments()) == {"id-second"})


def test_one_bad_log_hurts_neither_its_container_nor_others(tmp_path: Path) -> None:
    bad = container("bad", env={"aliyun_logs_a": "relative", "aliyun_logs_b": "/logs/b.log"})
    with running(tmp_path) as agent:
        agent.source.put(bad)
        agent.source.put(container("good"))
        until(lambda: set(agent.fragments()) == {"id-bad", "id-good"})
        (found,) = (one for one in agent.status()["containers"] if one["name"] == "bad")
        assert [no["key"] for no in found["rejections"]] == ["aliyun_logs_a"]


def test_a_hung_source_stops_neither_status_nor_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        agent.source.hang.clear()
        agent.source.mark("id-web")
        before = agent.source.lists
        until(lambda: agent.source.lists > before)
        assert agent.status()["containers"][0]["phase"] == "running"
        assert "id-web" in agent.fragments()


def test_a_folder_that_comes_late_is_collected_when_it_comes(tmp_path: Path) -> None:
    late = container("late", mounts=(Mount("/logs", "/data/later", "bind"),))
    with running(tmp_path) as agent:
        agent.source.put(late)
        until(lambda: agent.status()["containers"])
        until(
            lambda: (
                "there is no folder"
                in agent.status()["containers"][0]["logs"][0]["file_sets"][0].get("problem", "")
            )
        )
        (tmp_path / "node/data/later").mkdir()
        (tmp_path / "node/data/later/late.log").write_text("x\n")
        until(lambda: agent.pins() == {"late.log"} and "id-late" in agent.fragments())


def test_env_that_declares_nothing_is_not_saved(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: list((tmp_path / "state/containers").glob("*.json")))
        (saved,) = (tmp_path / "state/containers").glob("*.json")
        assert "s3cret" not in saved.read_text()
        assert "aliyun_logs_web" in saved.read_text()


def test_direct_mode_makes_no_pins_and_names_the_original_folder(tmp_path: Path) -> None:
    with running(tmp_path, pin=False) as agent:
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        assert str(tmp_path / "node/data") in agent.fragments()["id-web"].read_text()
        assert not (tmp_path / "node/pins").exists()
        assert agent.status()["containers"][0]["logs"][0]["file_sets"][0]["direct"]


# -- events that are lost, looks that fail ---------------------------------------------------------


def test_an_end_whose_event_was_lost_is_found_by_the_next_list(tmp_path: Path) -> None:
    """A list from before the start said the same as the one after the end."""
    web = container("web", state=State.ENDED)
    with running(tmp_path, relist=3600.0) as agent:
        agent.source.put(web)
        until(lambda: "id-web" in agent.fragments())
        before = agent.source.lists
        agent.reconciler.mark_all()
        until(lambda: agent.source.lists > before)
        agent.source.put(replace(web, state=State.RUNNING))
        until(lambda: agent.status()["containers"][0]["state"] == "running")
        agent.source.silent = True
        agent.source.put(web)
        agent.reconciler.mark_all()
        until(lambda: agent.status()["containers"][0]["state"] == "ended")


def test_a_container_that_can_never_be_looked_at_keeps_its_own_file_and_no_stranger_s(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "config/inputs.d"
    folder.mkdir(parents=True)
    for name in ("orphan", "id-bad"):
        (folder / f"{name}.yml").write_text("# Written by log-pilot\n{}\n")
    source = FakeSource()
    source.failing = {"id-bad"}
    source.containers["id-bad"] = container("bad")
    source.containers["id-web"] = container("web")
    with running(tmp_path, source) as agent:
        until(lambda: set(agent.fragments()) == {"id-web", "id-bad"})
        looks = source.looks.count("id-bad")
        until(lambda: source.looks.count("id-bad") > looks)
        assert set(agent.fragments()) == {"id-web", "id-bad"}


def test_a_tracked_container_that_declares_nothing_any_more_is_collected_no_more(
    tmp_path: Path,
) -> None:
    """The source says that it cannot be; a look is believed all the same."""
    with running(tmp_path) as agent:
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
        agent.source.put(container("web", env={}))
        until(lambda: not agent.fragments())


# -- defects and floods ----------------------------------------------------------------------------


def test_a_defect_in_one_step_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def defect() -> None:
        raise RuntimeError("in any step")

    with running(tmp_path) as agent:
        agent.reconciler._mailbox.post(defect)
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())
    assert "one step failed" in caplog.text


def test_a_user_s_template_that_fails_for_one_container_hurts_no_other(tmp_path: Path) -> None:
    templates = tmp_path / "templates/filebeat"
    templates.mkdir(parents=True)
    (templates / "fragment.yml").write_text(
        "# Written by log-pilot\n# {{ container.pod.name }}\n[]\n"
    )
    changes: dict[str, Any] = {"type": "filebeat", "environment": {"FILEBEAT_OUTPUT": "console"}}
    with running(tmp_path, templates=tmp_path / "templates", **changes) as agent:
        agent.source.put(container("podless"))
        until(lambda: agent.status()["config"]["problem"])
        agent.source.put(container("web", pod=Pod("default", "web-0")))
        until((tmp_path / "config/prospectors.d/id-web.yml").exists)
        found = agent.status()["config"]
        assert "podless" in found["problem"]
        assert found["unwritten"] == ["id-podless"]


def test_a_user_s_template_without_our_first_line_ends_nothing(tmp_path: Path) -> None:
    templates = tmp_path / "templates/filebeat"
    templates.mkdir(parents=True)
    (templates / "fragment.yml").write_text("# mine\n[]\n")
    changes: dict[str, Any] = {"type": "filebeat", "environment": {"FILEBEAT_OUTPUT": "console"}}
    with running(tmp_path, templates=tmp_path / "templates", **changes) as agent:
        agent.source.put(container("web"))
        until(lambda: agent.status()["config"]["problem"])
        assert agent.status()["config"]["unwritten"] == ["id-web"]


def test_a_flood_of_results_holds_up_neither_hints_nor_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as agent:

        def again() -> None:
            agent.reconciler._mailbox.post(again)

        again()
        agent.source.put(container("web"))
        until(lambda: "id-web" in agent.fragments())


def test_a_signal_while_the_loop_holds_the_hints_lock_hangs_nothing(tmp_path: Path) -> None:
    """A handler runs on the loop's own thread, so it may wait for no lock of the loop."""
    with running(tmp_path, relist=3600.0) as agent:
        before = agent.source.lists
        with agent.reconciler._hints._lock:
            handler = threading.Thread(target=agent.reconciler.mark_all, daemon=True)
            handler.start()
            handler.join(DEADLINE)
            assert not handler.is_alive()
        until(lambda: agent.source.lists > before)


def test_a_state_folder_that_takes_nothing_is_said_once_and_stops_no_config(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, relist=0.05) as agent:
        (tmp_path / "state/containers").rename(tmp_path / "state/away")
        for number in range(5):
            agent.source.put(container(f"c{number}"))
        until(lambda: len(agent.fragments()) == 5)
        passes = agent.reconciler.passes
        until(lambda: agent.reconciler.passes > passes + 20)
        assert "cannot save in" in agent.status()["state"]["problem"]
        (tmp_path / "state/away").rename(tmp_path / "state/containers")
        until(lambda: len(list((tmp_path / "state/containers").glob("*.json"))) == 5)
        assert agent.status()["state"]["problem"] == ""
    assert len([line for line in caplog.messages if "cannot save" in line]) == 1


# -- policy ----------------------------------------------------------------------------------------


def plain(name: str, folder: Path, **changes: Any) -> Container:
    """A container that declares nothing and has said one line."""
    output = folder / "node/data" / f"{name}-json.log"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text('{"log":"one\\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}\n')
    return container(name, **{"env": {}, "log_path": f"/data/{name}-json.log", **changes})


def test_collecting_everything_is_switched_on_and_off_by_the_policy_file(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("{}")
    with running(tmp_path, relist=3600.0, policy_file=policy) as agent:
        agent.source.put(plain("quiet", tmp_path))
        agent.source.put(plain("loud", tmp_path, env={"aliyun_logs": "none"}))
        agent.source.put(container("web"))
        until(lambda: len(agent.source.looks) == 3)
        until(lambda: agent.fragments().keys() == {"id-web"})
        policy.write_text("collect: stdout")
        until(lambda: "id-quiet" in agent.fragments())
        until(lambda: "quiet-json.log" in agent.pins())
        until(lambda: agent.source.looks.count("id-loud") == 2)
        assert agent.status()["policy"]["collects_undeclared"] is True
        assert "id-loud" not in agent.fragments()
        policy.write_text("collect: declared")
        until(lambda: "id-quiet" not in agent.fragments())
        assert "quiet-json.log" in agent.pins(), "pins outlive the declaration"
        policy.write_text("collect: stdout")
        until(lambda: "id-quiet" in agent.fragments())


def test_the_flag_collects_everything_from_the_start(tmp_path: Path) -> None:
    with running(tmp_path, collect="stdout") as agent:
        agent.source.put(plain("quiet", tmp_path))
        until(lambda: "id-quiet" in agent.fragments())
        (known,) = agent.status()["containers"]
        assert [(log["name"], log["key"]) for log in known["logs"]] == [("stdout", "collect")]


def test_a_changed_policy_is_applied_to_all_that_is_known(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: {targets: [other]}")
    with running(tmp_path, policy_file=policy) as agent:
        agent.source.put(container("web"))
        until(lambda: agent.status()["containers"])
        (known,) = agent.status()["containers"]
        assert [each["code"] for each in known["rejections"]] == ["target-forbidden"]
        policy.write_text("rules: {targets: [w*]}")
        until(agent.fragments)


def test_a_broken_policy_keeps_the_last_good_and_status_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("collect: stdout")
    with running(tmp_path, policy_file=policy) as agent:
        policy.write_text("collect: everything")
        until(lambda: agent.status()["policy"]["problem"])
        said = agent.status()["policy"]
        assert said["file"] == str(policy)
        assert said["problem"].startswith(f"{policy}: collect is 'everything'; it must be one of")
        assert 0 <= said["problem_ago"] <= said["loaded_ago"]
        agent.source.put(plain("quiet", tmp_path))
        until(lambda: "id-quiet" in agent.fragments())
        policy.unlink()
        until(lambda: "No such file" in agent.status()["policy"]["problem"])
        policy.write_text("collect: declared")
        until(lambda: "id-quiet" not in agent.fragments())
        assert agent.status()["policy"]["problem"] == ""


def test_a_list_finds_a_change_that_nobody_told(tmp_path: Path) -> None:
    """As on filesystems that tell nobody; here the folder was replaced."""
    folder = tmp_path / "policies"
    folder.mkdir()
    policy = folder / "policy.yaml"
    policy.write_text("{}")
    with running(tmp_path, policy_file=policy) as agent:
        agent.source.put(plain("quiet", tmp_path))
        until(lambda: agent.source.looks)
        folder.rename(tmp_path / "old")
        folder.mkdir()
        policy.write_text("collect: stdout")
        until(lambda: "id-quiet" in agent.fragments())


def test_without_a_usable_policy_file_nothing_starts(tmp_path: Path) -> None:
    with (
        pytest.raises(PolicyError, match=r"policy\.yaml: No such file"),
        running(tmp_path, policy_file=tmp_path / "policy.yaml"),
    ):
        raise AssertionError("it started")
    assert not (tmp_path / "config").exists()


def test_secrets_of_the_pod_are_not_saved(tmp_path: Path) -> None:
    annotations = {"aliyun.logs/web": "/logs/web*.log", "password": "s3cret"}
    env = {"aliyun_logs": "none", "SECRET": "s3cret"}
    with running(tmp_path) as agent:
        pod = Pod("team-a", "web-1", "uid", "web", annotations=annotations)
        agent.source.put(container("web", env=env, image_env=env, pod=pod))
        until(lambda: "id-web" in agent.fragments())
        until(lambda: list((tmp_path / "state/containers").iterdir()))
    saved = "".join(path.read_text() for path in (tmp_path / "state/containers").iterdir())
    assert "s3cret" not in saved
    assert "aliyun_logs" in saved


def test_a_source_tells_all_that_a_policy_may_ask_about(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("{}")
    told: list[Settings] = []

    def make(settings: Settings) -> FakeSource:
        told.append(settings)
        return FakeSource()

    with wiring.agent(settings_for(tmp_path), print, make_source=make):
        pass
    with wiring.agent(
        settings_for(tmp_path, policy_file=tmp_path / "policy.yaml"), print, make_source=make
    ):
        pass
    assert [(each.image_declarations, each.rootfs) for each in told] == [
        (True, False),
        (False, True),
    ]
