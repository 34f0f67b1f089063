"""The sentences of what is done with lines, and where they come from."""

from __future__ import annotations

from pilot.explaining import sentences
from pilot.explaining.explanation import Refusal, Written
from pilot.explaining.known import KnownFile
from pilot.model import Log
from pilot.treatment import Format, Match, Multiline, Treatment


def log(**changes: object) -> Log:
    return Log(**{"name": "app", "key": "k", "file_sets": (), **changes})  # type: ignore[arg-type]


def test_everything_that_was_asked_for_has_a_sentence_in_the_order_of_doing() -> None:
    asked = Treatment(
        encoding="gbk",
        max_bytes=1024,
        multiline=Multiline(pattern=r"^\s", max_lines=7, timeout=2.0),
        include="a",
        exclude="b",
        format=Format.CSV,
        keys=("one", "two"),
        time_key="one",
        time_format="%Y",
        target="parsed",
        raw={"harvester_limit": "3"},
    )
    said = list(sentences.treatment(log(treatment=asked)))
    assert said == [
        "text is decoded from gbk",
        (
            r"lines that match '^\s' belong to the event of the line before them, at most 7 lines,"
            " complete after 2 s"
        ),
        "only events that match 'a' are shipped",
        "events that match 'b' are dropped",
        "an event longer than 1024 bytes is cut",
        (
            "each event is taken apart at its commas into one, two, below the field 'parsed';"
            " its time is in 'one' written as '%Y'"
        ),
        "the collector's own option 'harvester_limit' = '3'",
    ]


def test_a_negated_pattern_that_belongs_to_the_next_line_is_said_so() -> None:
    lines = Multiline(pattern="x", negate=True, match=Match.BEFORE)
    (said, _) = sentences.treatment(log(treatment=Treatment(multiline=lines)))
    assert said.startswith("lines that do not match 'x' belong to the event of the line after them")


def test_every_format_has_a_sentence() -> None:
    said = {next(iter(sentences.treatment(log(treatment=Treatment(format=f))))) for f in Format}
    assert len(said) == len(Format)


def test_where_events_go_is_said_with_the_reason() -> None:
    assert sentences.routing(log(), "app") == "index 'app' (the log's name)"
    assert sentences.routing(log(target="t"), "t") == "index 't' (the log's target)"
    tagged = log(tags={"index": "i"})
    assert sentences.routing(tagged, "i") == "index 'i', topic 'app' (by the log's tags)"


def test_what_the_administrator_collects_has_no_key() -> None:
    one = Written(key="collect", value="stdout", origin="policy")
    assert sentences.written(one) == "'stdout' by the administrator's policy"
    image = Written(key="k", value="v", origin="image")
    assert sentences.written(image) == "'k' = 'v' (the image)"


def test_progress_names_each_stream_and_what_nobody_knows() -> None:
    both = KnownFile(path="/l/0.log", size=9, read={"stdout": 4, "stderr": 9}, unread=5)
    assert sentences.progress(both) == (
        "0.log: the collector has read to byte 9 for stderr and to byte 4 for stdout of 9"
        " (a stream is read to its own last line); 5 bytes unread"
    )
    assert sentences.progress(KnownFile(path="/x")) == "x: the collector has no record of it yet"


def test_a_reason_without_an_end_gets_one() -> None:
    one = Refusal(
        code="claimed",
        key="k",
        value="",
        log="",
        reason="it is taken",
        hint="",
        notice=False,
        link="l",
    )
    assert sentences.refusal(one) == "claimed: 'k': it is taken. See l"
