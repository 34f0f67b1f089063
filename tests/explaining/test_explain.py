"""What an explanation says of a container, whoever asks for it."""

from __future__ import annotations

import pytest

from pilot.accept import accept
from pilot.explaining import explain
from pilot.model import Container, Origin, State
from pilot.policy import Policy
from pilot.settings import Settings

OF_IMAGE = {"aliyun_logs_web": "stdout"}
CONTAINER = Container(
    id="c1",
    name="web",
    state=State.RUNNING,
    env={**OF_IMAGE, "aliyun_logs_own": "/logs/a.log"},
    image_env=OF_IMAGE,
    log_path="/var/lib/docker/containers/c1/c1-json.log",
)


@pytest.mark.parametrize("allowed", [True, False])
def test_what_an_image_declares_is_told_as_the_images(*, allowed: bool) -> None:
    settings = Settings(environment={}, image_declarations=allowed)
    accepted = accept(CONTAINER, settings=settings, policy=Policy())
    told = explain(CONTAINER, settings=settings, logs=accepted.logs, rejections=accepted.rejections)
    declared = {each.name: each.declared.origin for each in told.logs if each.declared}
    assert declared == ({"own": Origin.ENV, "web": "image"} if allowed else {"own": Origin.ENV})
