from __future__ import annotations

import pytest

from pilot.handover import input_id
from pilot.treatment import Stream


@pytest.mark.parametrize(
    ("stream", "expected"),
    [(Stream.ALL, "set"), (Stream.STDOUT, "set"), (Stream.STDERR, "set-stderr")],
)
def test_setting_stderr_apart_leaves_stdout_s_input_its_name(stream: Stream, expected: str) -> None:
    assert input_id("set", stream) == expected
