"""Any text anywhere: nothing raises, nothing of ours vanishes, no order matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations import Found, declares, find, opted_out, read
from pilot.declarations.dialects import Role, written
from pilot.declarations.items import BLANK
from pilot.declarations.sorting import sort_out, strongest
from pilot.model import Code, Container, Pod
from tests.declarations.making import PREFIXES, any_text, container, keys, texts, values

if TYPE_CHECKING:
    import random

custom_lines = st.lists(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["web", "b", "web.b", "", "x", "web_b"]),
        st.sampled_from(
            [
                ".encoding",
                ".fields.a",
                ".fields",
                ".exclude_lines",
                ".multiline.pattern",
                ".x.y",
                ".",
                "",
            ]
        ),
        st.one_of(values, any_text).map(lambda text: f"={text}") | st.just(""),
    ),
    max_size=6,
).map("\n".join)
starts = st.sampled_from(
    ["aliyun.logs/", "pilot.logs/", "aliyun.logs.", "aliyun_logs_", "aliyun.logs", "aliyun_logs"]
)
any_keys = st.one_of(
    st.builds(
        "{}{}".format, starts, st.one_of(keys, st.sampled_from(["web", "b", "web.container"]))
    ),
    any_text,
)
more = st.dictionaries(
    any_keys, st.one_of(values, custom_lines, st.sampled_from(["app", "x", "none"])), max_size=6
)
custom = st.dictionaries(
    st.sampled_from(["aliyun_logs_custom_config", "pilot.logs.custom.config"]), custom_lines
)
everything = st.builds(
    lambda *parts: {k: v for part in parts for k, v in part.items()}, texts, more, custom
)
containers = st.builds(
    lambda annotations, env, labels, image: container(
        env,
        labels,
        pod=Pod("ns", "web-0", container="app", annotations=annotations),
        image_env=dict(list(env.items())[:image]),
    ),
    everything,
    everything,
    everything,
    st.sampled_from([0, 0, 2]),
)


@given(containers)
def test_anything_gives_declarations_or_rejections(where: Container) -> None:
    result = find(where, prefixes=PREFIXES, max_logs=3)
    for declaration in result.declarations:
        read(declaration)
    for rejection in result.rejections:
        assert rejection.reason.endswith(".")
        assert "\n" not in str(rejection)
    assert declares(where, PREFIXES) or not (result.declarations or result.rejections)
    assert opted_out(where, PREFIXES) == result.opted_out
    names = [each.name for each in result.declarations]
    assert names == sorted(set(names))
    assert len(names) <= 3


@given(everything)
def test_no_key_of_ours_vanishes(env: dict[str, str]) -> None:
    where = container(env)
    result = find(where, prefixes=PREFIXES, max_logs=3)
    told = {each.key for each in result.rejections}
    declared = {each.name: each for each in result.declarations}
    entries = [entry for entry in written(where, PREFIXES) if entry.role is Role.LOG]
    for name, of_log in sort_out(entries).logs.items():
        first, others = strongest(of_log)
        assert {other.key for other in others} <= told
        if first.key not in told and name not in _withheld(result):
            assert declared[name].key == first.key
    for name in declared:
        lost = {other.prefix for other in strongest(sort_out(entries).logs[name])[1]}
        for option, of_option in sort_out(entries).options[name].items():
            if counting := [entry for entry in of_option if entry.prefix not in lost]:
                said = [entry for entry in counting if entry.value.strip(BLANK)]
                first, others = strongest(said or counting)
                assert {other.key for other in others} <= told
                assert first.key == declared[name].options[option].key


def _withheld(result: Found) -> set[str]:
    """Logs that a line of a custom config or an option refused."""
    withholding = (Code.CONTAINER_UNKNOWN, Code.REGEXP_INVALID)
    return {each.log for each in result.rejections if each.code in withholding}


@given(containers, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(where: Container, chance: random.Random) -> None:
    def shuffled(texts: dict[str, str]) -> dict[str, str]:
        items = list(texts.items())
        chance.shuffle(items)
        return dict(items)

    assert where.pod is not None
    other = container(
        shuffled(dict(where.env)),
        shuffled(dict(where.labels)),
        pod=Pod("ns", "web-0", container="app", annotations=shuffled(dict(where.pod.annotations))),
        image_env=where.image_env,
    )
    one, two = (find(each, prefixes=PREFIXES, max_logs=3) for each in (where, other))
    assert repr(one) == repr(two)
