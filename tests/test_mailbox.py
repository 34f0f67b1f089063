from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pilot.mailbox import Mailbox, guarded

if TYPE_CHECKING:
    import pytest

DEADLINE = 10.0  # seconds; only a defect waits so long
FLOOD = 10**6  # calls that no machine runs within one slice


def test_what_was_posted_runs_in_order_on_the_waiting_thread() -> None:
    mailbox = Mailbox()
    ran: list[int] = []
    where: list[threading.Thread] = []

    def call(number: int) -> None:
        ran.append(number)
        where.append(threading.current_thread())

    for number in range(5):
        mailbox.post(lambda number=number: call(number))  # type: ignore[misc]
    mailbox.wait(DEADLINE)
    assert ran == list(range(5))
    assert set(where) == {threading.current_thread()}


def test_waiting_ends_with_the_first_call_of_another_thread() -> None:
    mailbox = Mailbox()
    ran: list[str] = []
    poster = threading.Thread(target=lambda: mailbox.post(lambda: ran.append("it")))
    poster.start()
    mailbox.wait(DEADLINE)
    poster.join()
    assert ran == ["it"]


def test_a_wake_ends_the_waiting() -> None:
    mailbox = Mailbox()
    mailbox.wake()
    mailbox.wait(3600.0)


def test_waiting_for_nothing_comes_back_at_once() -> None:
    mailbox = Mailbox()
    for timeout in (0.0, -1.0):  # a deadline may have passed already
        mailbox.wait(timeout)


def test_a_flood_leaves_the_loop_its_turn_and_loses_nothing() -> None:
    mailbox = Mailbox()
    ran = 0

    def again() -> None:
        nonlocal ran
        ran += 1
        if ran < FLOOD:
            mailbox.post(again)

    mailbox.post(again)
    mailbox.wait(DEADLINE)
    first = ran
    assert 0 < first < FLOOD
    mailbox.wait(0)
    assert first < ran < FLOOD, "and it goes on where it was"


def test_a_defect_in_one_call_is_said_and_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mailbox = Mailbox()
    ran: list[int] = []

    def defect() -> None:
        raise RuntimeError("a defect of ours")

    for number in range(3):
        mailbox.post(lambda number=number: ran.append(number))  # type: ignore[misc]
        mailbox.post(defect)
    mailbox.wait(DEADLINE)
    assert ran == [0, 1, 2]
    said = [record for record in caplog.records if "one step failed" in record.getMessage()]
    assert len(said) == 3
    assert all(record.exc_info for record in said), "where it happened is in the log"


def test_a_guarded_step_runs_once(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []
    guarded(lambda: ran.append("it"))
    assert ran == ["it"]
    assert caplog.records == []
