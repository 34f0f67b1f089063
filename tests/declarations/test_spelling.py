"""Keys that look like declarations and are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations.spelling import anywhere, is_ours, meant
from pilot.model import Origin

PREFIXES = ("aliyun", "pilot")


@pytest.mark.parametrize(
    ("key", "origin", "right"),
    [
        ("aliyun_log_web", Origin.ENV, "aliyun_logs_web"),
        ("alyun_logs_web", Origin.ENV, "aliyun_logs_web"),
        ("piolt_logs_web", Origin.ENV, "pilot_logs_web"),
        ("ALIYUN_LOGS_web", Origin.ENV, "aliyun_logs_web"),
        ("aliyun-logs-web", Origin.ENV, "aliyun_logs_web"),
        ("aliyun.logs/web", Origin.ENV, "aliyun_logs_web"),
        ("aliyun.log/web", Origin.ANNOTATION, "aliyun.logs/web"),
        ("aliyun_logs_web", Origin.ANNOTATION, "aliyun.logs/web"),
        ("aliyun/logs.web", Origin.ANNOTATION, "aliyun.logs/web"),
        ("aliyun_logs_web", Origin.LABEL, "aliyun.logs.web"),
        ("pilot.logs/web.tags", Origin.LABEL, "pilot.logs.web.tags"),
    ],
)
def test_a_slip_near_a_prefix_is_told(key: str, origin: Origin, right: str) -> None:
    assert meant(key, origin, PREFIXES) == right
    assert is_ours(right, origin, PREFIXES)


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("aliyun_logs_web", Origin.ENV),
        ("aliyun.logs.web", Origin.ENV),
        ("aliyun_logs", Origin.ENV),
        ("aliyun_logs_custom_config", Origin.LABEL),
        ("PILOT_LOG_PREFIX", Origin.ENV),
        ("co.elastic.logs/enabled", Origin.ANNOTATION),
        ("APP_LOG_LEVEL", Origin.ENV),
        ("LOG_PATH", Origin.ENV),
        ("catalina_log_dir", Origin.ENV),
        ("aliyun_logistics", Origin.ENV),
        ("", Origin.ENV),
    ],
)
def test_keys_of_ours_and_of_others_are_let_be(key: str, origin: Origin) -> None:
    assert meant(key, origin, PREFIXES) == ""


def test_only_configured_prefixes_are_ours() -> None:
    assert meant("aliyun_log_web", Origin.ENV, ("acme",)) == ""
    assert not anywhere("aliyun_logs_web", ("acme",))
    assert anywhere("acme.logs/web", ("acme",))


@given(st.text(), st.sampled_from(list(Origin)[:3]))
def test_a_guess_is_always_a_key_of_ours(key: str, origin: Origin) -> None:
    right = meant(key, origin, PREFIXES)
    assert not right or is_ours(right, origin, PREFIXES)
