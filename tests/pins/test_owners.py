from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilot.pins.owners import Owners

ONE, TWO = (1, 1), (1, 2)


def test_the_first_set_that_takes_a_file_owns_it() -> None:
    owners = Owners()
    assert ONE not in owners
    assert owners.take(ONE, "a")
    assert owners.take(ONE, "a"), "again is no conflict"
    assert not owners.take(ONE, "b")
    assert ONE in owners
    assert TWO not in owners


def test_only_its_owner_drops_a_file() -> None:
    owners = Owners()
    owners.take(ONE, "a")
    owners.drop(ONE, "b")
    assert not owners.take(ONE, "b")
    owners.drop(ONE, "a")
    owners.drop(ONE, "a")
    assert ONE not in owners
    assert owners.take(ONE, "b")


def test_files_of_a_set_that_is_left_are_kept_by_it_and_free_for_others() -> None:
    owners = Owners()
    owners.take(ONE, "a")
    owners.leave([ONE], "a")
    assert ONE not in owners, "who looks may pin it"
    assert owners.kept_by(ONE) == ["a"]
    assert owners.kept_by(TWO) == []
    assert owners.take(ONE, "b")


def test_a_set_that_comes_back_owns_what_it_kept() -> None:
    owners = Owners()
    owners.take(ONE, "a")
    owners.leave([ONE], "a")
    assert owners.take(ONE, "a")
    assert owners.kept_by(ONE) == []
    assert not owners.take(ONE, "b")


def test_what_is_kept_no_more_is_known_no_more() -> None:
    owners = Owners()
    owners.leave([ONE], "a")
    owners.drop(ONE, "b")
    assert owners.kept_by(ONE) == ["a"]
    owners.drop(ONE, "a")
    assert owners.kept_by(ONE) == []


def test_all_pins_of_one_file_are_counted() -> None:
    owners = Owners()
    assert owners.pins_of(ONE) == 1, "whoever asks holds one"
    owners.leave([ONE], "a")
    owners.leave([ONE], "b")
    assert owners.pins_of(ONE) == 2
    owners.take(ONE, "c")
    assert owners.pins_of(ONE) == 3
    owners.take(ONE, "c")
    owners.drop(ONE, "a")
    assert owners.pins_of(ONE) == 2


def test_leaving_frees_no_file_of_another_set() -> None:
    owners = Owners()
    owners.take(ONE, "a")
    owners.leave([ONE], "b")
    assert ONE in owners
    assert not owners.take(ONE, "b")


def test_who_named_a_file_of_another_set_is_told_when_that_set_is_left() -> None:
    owners = Owners()
    for key in (ONE, TWO):
        owners.take(key, "a")
    names = {ONE: "app.log", TWO: "b.log", (1, 3): "free.log"}
    assert owners.others(names, "a") == {}
    assert owners.others(names, "b") == {"app.log": "a", "b.log": "a"}
    assert owners.others({ONE: "app.log"}, "c") == {"app.log": "a"}
    assert owners.leave([ONE, TWO], "a") == {"b", "c"}
    assert owners.leave([ONE, TWO], "a") == set(), "each is told once"
    assert owners.others(names, "b") == {}


FILES = st.sampled_from([ONE, TWO, (2, 1)])
SETS = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["take", "drop", "leave"]), FILES, SETS), max_size=40)


@given(STEPS)
def test_a_file_has_one_owner_until_that_one_drops_or_leaves_it(
    steps: list[tuple[str, tuple[int, int], str]],
) -> None:
    owners = Owners()
    model: dict[tuple[int, int], str] = {}
    for step, key, name in steps:
        if step == "take":
            assert owners.take(key, name) == (model.setdefault(key, name) == name)
        else:
            owners.drop(key, name) if step == "drop" else owners.leave([key], name)
            if model.get(key) == name:
                del model[key]
        for each in (ONE, TWO, (2, 1)):
            assert (each in owners) == (each in model)
            if each in model:
                assert model[each] not in owners.kept_by(each), "owned or kept, not both"
