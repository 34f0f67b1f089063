from __future__ import annotations

from pilot.sources.bounded import Bounded


def test_the_longest_unused_is_forgotten_and_nothing_false_is_kept() -> None:
    asked: list[str] = []
    memory = Bounded[str](2)

    def get(key: str, answer: str) -> str:
        def ask() -> str:
            asked.append(key)
            return answer

        return memory.get(key, ask)

    assert [get("a", "1"), get("b", "2"), get("a", "other")] == ["1", "2", "1"]
    assert [get("c", "3"), get("a", "other"), get("b", "2")] == ["3", "1", "2"]
    assert asked == ["a", "b", "c", "b"]
    assert [get("none", ""), get("none", "now")] == ["", "now"]


def test_an_error_is_not_remembered() -> None:
    memory = Bounded[str](2)

    def fail() -> str:
        raise OSError

    try:
        memory.get("a", fail)
    except OSError:
        pass
    assert memory.get("a", lambda: "found") == "found"
