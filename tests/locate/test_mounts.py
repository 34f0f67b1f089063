"""The few of many mounts that can decide about a path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilot.locate import MountsAbove, locate
from tests.declarations.making import bind, container, values

destinations = st.one_of(
    st.sampled_from(["/", "/logs", "/logs/", "//logs/a", "/logs/a", "/v", "logs", "/x/..", "/\n"]),
    st.text(st.characters(codec=None), max_size=6),
)
items = st.one_of(values, st.sampled_from(["/logs/a/x", "/logs/*/a", "/logs/a", "//v/./b", "/c"]))


@given(st.lists(destinations, max_size=6), items)
def test_the_mounts_above_an_item_decide_as_all_do(places: list[str], item: str) -> None:
    mounts = tuple(bind(place, f"/srv/{number}") for number, place in enumerate(places))
    few = MountsAbove(mounts).of(item)
    assert set(few) <= set(mounts)
    assert locate(container(mounts=few), "k", item, recursive=True) == locate(
        container(mounts=mounts), "k", item, recursive=True
    )


def test_mounts_beside_the_way_to_a_path_are_left_out() -> None:
    mounts = tuple(bind(f"/m{number}", "/srv/x") for number in range(100))
    assert MountsAbove(mounts).of("/m7/a/b.log") == (mounts[7],)
