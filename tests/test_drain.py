from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.drain import Facts, Phase, next_phase

FACTS = [
    Facts(ended=ended, gone=gone, read=read, leftover=leftover, overdue=overdue)
    for ended, gone, read, leftover, overdue in product((False, True), repeat=5)
]
ENDED = [facts for facts in FACTS if facts.ended]


@pytest.mark.parametrize("phase", Phase)
def test_a_container_that_runs_is_running_whatever_it_was(phase: Phase) -> None:
    for facts in FACTS:
        if not facts.ended:
            assert next_phase(phase, facts) is Phase.RUNNING


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.DRAINING, Phase.DRAINED])
def test_every_transition_of_an_ended_container(phase: Phase) -> None:
    for facts in ENDED:
        if facts.read:
            over = facts.gone and (not facts.leftover or facts.overdue)
            expected = Phase.RETIRING if over else Phase.DRAINED
        elif facts.gone and facts.overdue and phase is not Phase.DRAINED:
            expected = Phase.RETIRING
        else:
            expected = Phase.DRAINING  # from DRAINED too: somebody still wrote
        assert next_phase(phase, facts) is expected, (phase, facts)


def test_retiring_is_final_while_it_is_gone() -> None:
    for facts in ENDED:
        if facts.gone:
            assert next_phase(Phase.RETIRING, facts) is Phase.RETIRING


def test_what_was_retiring_and_is_there_after_all_drains_again() -> None:
    for facts in ENDED:
        if not facts.gone:
            expected = Phase.DRAINED if facts.read else Phase.DRAINING
            assert next_phase(Phase.RETIRING, facts) is expected


@pytest.mark.parametrize("phase", Phase)
def test_nothing_retires_while_its_record_exists(phase: Phase) -> None:
    for facts in FACTS:
        if not facts.gone:
            assert next_phase(phase, facts) is not Phase.RETIRING


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.DRAINING, Phase.DRAINED])
def test_unread_bytes_are_given_up_at_the_deadline_only(phase: Phase) -> None:
    for facts in ENDED:
        if next_phase(phase, facts) is Phase.RETIRING and not facts.read:
            assert facts.overdue
        if next_phase(phase, facts) is Phase.RETIRING and facts.leftover:
            assert facts.overdue


@given(st.sampled_from(Phase), st.sampled_from(FACTS))
def test_the_same_facts_lead_to_a_phase_that_stays(phase: Phase, facts: Facts) -> None:
    for _ in range(len(Phase)):
        phase = next_phase(phase, facts)
    assert next_phase(phase, facts) is phase


def test_what_is_gone_and_overdue_retires_whatever_else_holds() -> None:
    for phase in Phase:
        for facts in ENDED:
            if facts.gone and facts.overdue:
                assert next_phase(next_phase(phase, facts), facts) is Phase.RETIRING
