from __future__ import annotations

from pilot.treatment import Feature, Format, Multiline, Treatment


def test_nothing_is_asked_by_default() -> None:
    assert Treatment().features == frozenset()


def test_each_format_and_each_option_is_a_feature_of_its_own() -> None:
    every = {
        "encoding": "gbk",
        "max_bytes": 4096,
        "multiline": Multiline(pattern="^ "),
        "include": "a",
        "exclude": "b",
        "time_key": "t",
        "time_format": "%s",
        "target": "app",
        "raw": {"harvester_limit": "1"},
    }
    alone = [Treatment(**{name: value}).features for name, value in every.items()]  # type: ignore[arg-type]
    formats = [Treatment(format=each).features for each in Format if each is not Format.NONE]
    found = [feature for features in (*alone, *formats) for feature in features]
    assert sorted(found) == sorted(Feature)
