from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pilot.piloters import PiloterError
from pilot.piloters.filebeat.piloter import FilebeatPiloter
from tests.piloters.filebeat import making


def main_config(**environment: str) -> dict[str, Any]:
    piloter = FilebeatPiloter(making.settings(Path("/x"), environment=environment))
    ((path, content),) = piloter.prepare().items()
    assert path == Path("/x/etc/filebeat.yml")
    config: dict[str, Any] = yaml.safe_load(content)
    return config


def test_without_variables_events_go_to_the_console_at_once() -> None:
    config = main_config()
    assert config["output.console"] == {"pretty": False}
    assert config["filebeat.config.inputs"] == {
        "enabled": True,
        "path": "/x/etc/prospectors.d/*.yml",
        "reload.enabled": True,
        "reload.period": "200ms",
    }
    assert config["queue.mem.flush.timeout"] == "0s"
    assert config["path.data"] == "/x/data"
    assert config["http.host"] == "unix:///x/data/filebeat.sock"
    assert config["filebeat.shutdown_timeout"] == "0.000s"
    assert config["logging.level"] == "info"
    assert "max_procs" not in config
    assert not [key for key in config if key.startswith("output.") and key != "output.console"]


def test_the_ancestors_variables_are_honoured() -> None:
    config = main_config(
        LOGGING_OUTPUT="file",
        FILE_PATH="/out/${HOME}",
        FILE_NAME="events",
        FILE_ROTATE_SIZE="2048",
        FILE_NUMBER_OF_FILES="3",
        FILE_PERMISSIONS="0640",
        FILEBEAT_LOG_LEVEL="WARN",
        FILEBEAT_SHUTDOWN_TIMEOUT="1500ms",
        FILEBEAT_MAX_PROCS="2",
        FILEBEAT_METRICS_ENABLED="true",
    )
    assert config["output.file"] == {
        "path": "/out/$${HOME}",
        "filename": "events",
        "rotate_every_kb": 2048,
        "number_of_files": 3,
        "permissions": 0o640,
    }
    assert config["logging.level"] == "warning"
    assert config["filebeat.shutdown_timeout"] == "1.500s"
    assert config["max_procs"] == 2
    assert config["logging.metrics.enabled"] is True


def test_filebeats_own_variable_wins_for_the_output() -> None:
    config = main_config(LOGGING_OUTPUT="kafka", FILEBEAT_OUTPUT="console", CONSOLE_PRETTY="true")
    assert config["output.console"] == {"pretty": True}


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"LOGGING_OUTPUT": "kafka"}, "LOGGING_OUTPUT = 'kafka': not supported yet; outputs that"),
        ({"FILEBEAT_OUTPUT": "splunk"}, "FILEBEAT_OUTPUT = 'splunk': unknown; outputs that work"),
        ({"LOGGING_OUTPUT": "file"}, "FILE_PATH is missing"),
        ({"FILEBEAT_LOG_LEVEL": "loud"}, "FILEBEAT_LOG_LEVEL = 'loud': give one of debug, info"),
        ({"FILEBEAT_SHUTDOWN_TIMEOUT": "soon"}, "FILEBEAT_SHUTDOWN_TIMEOUT = 'soon': give seconds"),
        ({"FILEBEAT_MAX_PROCS": "0"}, "FILEBEAT_MAX_PROCS = '0': give a whole number from 1"),
        ({"FILEBEAT_MAX_PROCS": "1\n2"}, "FILEBEAT_MAX_PROCS = '1\\\\\\\\n2'"),
        ({"CONSOLE_PRETTY": "maybe"}, "CONSOLE_PRETTY = 'maybe': give one of true, false"),
        (
            {"LOGGING_OUTPUT": "file", "FILE_PATH": "/x", "FILE_PERMISSIONS": "rw"},
            "FILE_PERMISSIONS = 'rw'",
        ),
        (
            {"LOGGING_OUTPUT": "file", "FILE_PATH": "/x", "FILE_NUMBER_OF_FILES": "1"},
            "FILE_NUMBER_OF_FILES = '1': give a whole number from 2 to 1024",
        ),
    ],
)
def test_an_unusable_variable_is_named_with_its_value(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(PiloterError, match=f"^{says}"):
        main_config(**environment)


def test_a_socket_whose_path_is_too_long_is_left_out() -> None:
    (content,) = FilebeatPiloter(making.settings(Path("/" + "x" * 100))).prepare().values()
    assert "http.enabled" not in yaml.safe_load(content)


def test_the_command_has_our_paths_filebeats_lock_and_time_to_stop() -> None:
    settings = making.settings(
        Path("/x"), "/opt/filebeat", environment={"FILEBEAT_SHUTDOWN_TIMEOUT": "5"}
    )
    command = FilebeatPiloter(settings).command()
    assert command.argv[:4] == ("/opt/filebeat", "-e", "-c", "/x/etc/filebeat.yml")
    assert ("--path.data", "/x/data") in zip(command.argv, command.argv[1:], strict=False)
    assert command.lock == "/x/data/filebeat.lock"
    assert command.stop_grace == 15.0


def test_a_main_file_that_is_there_counts_whatever_the_variables_say(tmp_path: Path) -> None:
    piloter = FilebeatPiloter(making.settings(tmp_path, environment={"LOGGING_OUTPUT": "kafka"}))
    with pytest.raises(PiloterError, match="kafka"):
        piloter.prepare()
    main = tmp_path / "etc" / "filebeat.yml"
    main.parent.mkdir(parents=True, exist_ok=True)
    main.write_text("output.kafka: {}\n")
    assert [*piloter.prepare()] == [main]
