from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pilot.pins.budget import Held, Limits, Short, crowded, paused, size, victims
from pilot.settings import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLENTY = Allowance(1 << 40, 1 << 40)
NO_LIMITS = Limits(PLENTY, PLENTY, PLENTY)


def pin(file_set: str, serial: int, amount: int = 10, **changes: Any) -> Held:
    values: dict[str, Any] = {
        "pin": f"{file_set}/x~{serial}",
        "file_set": file_set,
        "namespace": "",
        "root": "/pins",
        "bytes": amount,
        "unread": amount,
        "serial": serial,
        "removable": True,
        **changes,
    }
    return Held(**values)


def limits(**changes: tuple[int, int]) -> Limits:
    values = {"set": PLENTY, "namespace": PLENTY, "node": PLENTY}
    return Limits(**values | {name: Allowance(*value) for name, value in changes.items()})


def given_up(
    held: list[Held], allowed: Limits = NO_LIMITS, short: Mapping[str, Short] | None = None
) -> list[str]:
    return [one.held.pin for one in victims(held, limits=allowed, short=short or {})]


def test_a_set_over_its_allowance_gives_up_what_is_read_then_the_newest() -> None:
    held = [pin("a", 1), pin("a", 2, unread=0), pin("a", 3), pin("a", 4), pin("b", 5)]
    assert given_up(held, limits(set=(20, 100))) == ["a/x~2", "a/x~4"]
    assert given_up(held, limits(set=(100, 1))) == ["a/x~2", "a/x~4", "a/x~3"]
    assert given_up(held, limits(set=(40, 4))) == []


def test_what_frees_nothing_of_what_is_over_is_kept() -> None:
    held = [pin("a", 1), pin("a", 2, 0)]
    assert given_up(held, limits(set=(5, 100))) == ["a/x~1"]


def test_the_largest_pays_first_until_it_holds_as_much_as_the_next() -> None:
    held = [*(pin("a", n) for n in range(6)), *(pin("b", 10 + n) for n in range(4)), pin("c", 20)]
    assert given_up(held, limits(node=(90, 100))) == ["a/x~5", "a/x~4"]
    assert Counter(name[0] for name in given_up(held, limits(node=(50, 100)))) == {"a": 4, "b": 2}
    assert Counter(name[0] for name in given_up(held, limits(node=(999, 5)))) == {"a": 4, "b": 2}


def test_a_namespace_pays_alone_for_its_own_allowance() -> None:
    held = [
        *(pin("a", n, namespace="shop") for n in range(3)),
        *(pin("b", 10 + n, namespace="bank") for n in range(2)),
        *(pin("c", 20 + n) for n in range(9)),
    ]
    assert given_up(held, limits(namespace=(20, 100))) == ["a/x~2"]


def test_what_was_given_up_for_a_set_counts_for_its_namespace_and_the_node() -> None:
    held = [*(pin("a", n, namespace="shop") for n in range(6)), pin("b", 10, namespace="shop")]
    allowed = limits(set=(20, 100), namespace=(30, 100), node=(30, 100))
    assert given_up(held, allowed, {"/pins": Short(40, 4)}) == ["a/x~5", "a/x~4", "a/x~3", "a/x~2"]


def test_live_copies_are_not_removed_and_no_other_set_pays_for_them() -> None:
    held = [*(pin("copies", n, removable=False) for n in range(9)), pin("small", 10)]
    assert given_up(held, limits(node=(50, 100))) == []
    assert paused(held, limits=limits(node=(50, 100)), short={}) == {"copies"}


def test_a_floor_is_kept_at_the_cost_of_the_others_too() -> None:
    held = [*(pin("copies", n, removable=False) for n in range(9)), pin("small", 10)]
    assert given_up(held, short={"/pins": Short(5, 0)}) == ["small/x~10"]
    assert given_up(held, short={"/pins": Short(0, 1)}) == ["small/x~10"]
    assert paused(held, limits=NO_LIMITS, short={"/pins": Short(5, 0)}) == {"copies", "small"}


def test_a_floor_concerns_the_pins_of_its_own_filesystem() -> None:
    held = [*(pin("a", n, root="/far") for n in range(5)), pin("b", 10)]
    assert given_up(held, short={"/pins": Short(1, 0), "/other": Short(9, 9)}) == ["b/x~10"]
    assert paused(held, limits=NO_LIMITS, short={"/pins": Short(1, 0)}) == {"b"}
    assert given_up(held, short={"/pins": Short(0, 0), "/far": Short(-5, -5)}) == []


def test_the_reason_says_what_was_over() -> None:
    def why(allowed: Limits = NO_LIMITS, short: Mapping[str, Short] | None = None) -> str:
        held = [pin("a", 1, 3 << 30, namespace="shop"), pin("a", 2, 3 << 30, namespace="shop")]
        return victims(held, limits=allowed, short=short or {})[0].why

    assert why(limits(set=(3 << 29, 9))) == "the file set's allowance of 1.5 GiB"
    assert why(limits(set=(1 << 40, 1))) == "the file set's allowance of 1 files"
    assert "the namespace's allowance" in why(limits(namespace=(1, 1)))
    assert "the node's allowance" in why(limits(node=(1, 1)))
    assert why(short={"/pins": Short(5 << 20, 0)}) == (
        "the room on the filesystem of /pins by 5 MiB"
    )
    assert "by 7 inodes" in why(short={"/pins": Short(0, 7)})


def test_a_set_pauses_at_its_allowance_of_bytes_and_begins_no_copy_at_that_of_files() -> None:
    held = [pin("a", 1, removable=False), pin("a", 2, removable=False), pin("b", 3)]
    assert paused(held, limits=limits(set=(20, 2)), short={}) == {"a"}
    assert paused(held, limits=limits(set=(21, 2)), short={}) == set()
    assert crowded(held, limits=limits(set=(20, 2))) == {"a"}
    assert crowded(held, limits=limits(set=(20, 3))) == set()
    assert crowded(held, limits=limits(node=(1, 3))) == {"a"}


def test_a_full_node_pauses_those_at_or_above_their_fair_share() -> None:
    held = [pin("a", 1, 70), pin("b", 2, 20), pin("c", 3, 10)]
    assert paused(held, limits=limits(node=(100, 9)), short={}) == {"a"}
    assert paused(held, limits=limits(node=(60, 9)), short={}) == {"a"}
    assert paused(held, limits=limits(node=(50, 9)), short={}) == {"a", "b"}
    assert paused(held, limits=limits(node=(101, 9)), short={}) == set()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (1 << 30, "1 GiB"),
        ((1 << 40) * 5000, "5000 TiB"),
    ],
)
def test_a_size_reads_well(amount: int, shown: str) -> None:
    assert size(amount) == shown


SETS = ("a", "b", "c", "d", "e")
NAMESPACES = {"a": "shop", "b": "shop", "c": "bank", "d": "", "e": ""}
ROOTS = ("/one", "/two")


@st.composite
def pins(draw: st.DrawFn) -> Held:
    file_set, amount = draw(st.sampled_from(SETS)), draw(st.integers(0, 40))
    return pin(
        file_set,
        draw(st.integers(0, 200)),
        amount,
        namespace=NAMESPACES[file_set],
        root=draw(st.sampled_from(ROOTS)),
        unread=draw(st.sampled_from((0, amount))),
        removable=draw(st.booleans()),
    )


HELD = st.lists(pins(), max_size=30, unique_by=lambda one: one.pin)
ALLOWANCES = st.builds(Allowance, st.integers(0, 400), st.integers(0, 25))
LIMITS = st.builds(Limits, ALLOWANCES, ALLOWANCES, ALLOWANCES)
SHORT = st.dictionaries(
    st.sampled_from(ROOTS), st.builds(Short, st.integers(-5, 300), st.integers(-2, 12)), max_size=2
)


def groups(
    held: list[Held], allowed: Limits, short: Mapping[str, Short]
) -> list[tuple[list[Held], Callable[[Held], int], int, bool]]:
    """Each budget: whom it is about, how it measures, what they may hold, whether it is a floor."""
    found = [
        *(([one for one in held if one.file_set == name], allowed.set, False) for name in SETS),
        *(
            ([one for one in held if one.namespace == name], allowed.namespace, False)
            for name in ("shop", "bank")
        ),
        (held, allowed.node, False),
    ]
    for root, lack in short.items():
        there = [one for one in held if one.root == root]
        room = Allowance(
            sum(one.bytes for one in there) - max(lack.bytes, 0), len(there) - max(lack.files, 0)
        )
        found.append((there, room, True))
    return [
        each
        for there, room, floor in found
        for each in (
            (there, lambda one: one.bytes, room.bytes, floor),
            (there, lambda _: 1, room.files, floor),
        )
    ]


def holdings(held: list[Held], amount: Callable[[Held], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in held:
        found[one.file_set] += amount(one)
    return found


@given(HELD, LIMITS, SHORT)
def test_afterwards_all_fits_or_nobody_who_has_to_pay_can(
    held: list[Held], allowed: Limits, short: dict[str, Short]
) -> None:
    gone = {one.held for one in victims(held, limits=allowed, short=short)}
    for there, amount, room, floor in groups(held, allowed, short):
        left = [one for one in there if one not in gone]
        over = sum(map(amount, left)) - room
        able = {one.file_set for one in left if one.removable and amount(one)}
        if over > 0 and able:
            assert not floor
            # Those that could pay hold their share at most: what is over are others' live copies.
            holds = holdings(left, amount)
            most = max(holds[name] for name in able)
            assert sum(min(most, each) for each in holds.values()) <= room


@given(HELD, LIMITS, SHORT)
def test_only_removable_pins_are_given_up_and_each_once(
    held: list[Held], allowed: Limits, short: dict[str, Short]
) -> None:
    found = [one.held for one in victims(held, limits=allowed, short=short)]
    assert all(one.removable and one in held for one in found)
    assert len(set(found)) == len(found)


@given(HELD, LIMITS, SHORT)
def test_nothing_is_given_up_where_nothing_is_over(
    held: list[Held], allowed: Limits, short: dict[str, Short]
) -> None:
    over = any(
        sum(map(amount, there)) > room for there, amount, room, _ in groups(held, allowed, short)
    )
    if not over:
        assert not given_up(held, allowed, short)
    fitting = {root: Short(min(lack.bytes, 0), min(lack.files, 0)) for root, lack in short.items()}
    assert not given_up(held, NO_LIMITS, fitting)


@given(HELD, ALLOWANCES)
def test_a_set_below_its_fair_share_pays_for_nobody(held: list[Held], node: Allowance) -> None:
    assume(held)
    allowed = Limits(PLENTY, PLENTY, node)
    paying = {one.held.file_set for one in victims(held, limits=allowed, short={})}
    names = {one.file_set for one in held}
    by_bytes, by_files = holdings(held, lambda one: one.bytes), holdings(held, lambda _: 1)
    for name in names:
        if by_bytes[name] * len(names) <= node.bytes and by_files[name] * len(names) <= node.files:
            assert name not in paying


@given(HELD, LIMITS, SHORT)
def test_of_one_set_what_is_read_goes_first_then_the_newest(
    held: list[Held], allowed: Limits, short: dict[str, Short]
) -> None:
    # Only one measure, so that all the pins of a set are alike to it.
    allowed = Limits(*(Allowance(1 << 40, each.files) for each in (allowed.set, PLENTY, PLENTY)))
    gone = {one.held for one in victims(held, limits=allowed, short={})}
    for name in SETS:
        mine = [one for one in held if one.file_set == name and one.removable]
        mine.sort(key=lambda one: (one.unread > 0, -one.serial))
        went = [one in gone for one in mine]
        assert went == sorted(went, reverse=True)


@given(HELD, LIMITS, SHORT, st.randoms())
def test_the_order_of_the_pins_does_not_matter(
    held: list[Held], allowed: Limits, short: dict[str, Short], chance: Any
) -> None:
    mixed = list(held)
    chance.shuffle(mixed)
    assert victims(mixed, limits=allowed, short=short) == victims(held, limits=allowed, short=short)
    assert paused(mixed, limits=allowed, short=short) == paused(held, limits=allowed, short=short)


@given(HELD, LIMITS, SHORT)
def test_once_is_enough(held: list[Held], allowed: Limits, short: dict[str, Short]) -> None:
    gone = {one.held for one in victims(held, limits=allowed, short={})}
    assert not given_up([one for one in held if one not in gone], allowed)


@given(HELD, LIMITS, SHORT)
def test_whoever_is_over_and_cannot_pay_pauses(
    held: list[Held], allowed: Limits, short: dict[str, Short]
) -> None:
    stopped = paused(held, limits=allowed, short=short)
    for name in SETS:
        mine = [one for one in held if one.file_set == name]
        if mine and sum(one.bytes for one in mine) >= allowed.set.bytes:
            assert name in stopped
    if held and sum(one.bytes for one in held) >= allowed.node.bytes:
        largest, _ = holdings(held, lambda one: one.bytes).most_common(1)[0]
        assert largest in stopped
