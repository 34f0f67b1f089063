from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from pilot.claims import Claims, lost_claim, rank
from pilot.model import Code, Container, Log, Pod, State

IDS = st.sampled_from("abcd")
SETS = st.frozensets(st.sampled_from(["s1", "s2", "s3"]))


@dataclass(frozen=True)
class Claim:
    id: str
    running: bool
    created: str
    sets: frozenset[str]

    @property
    def container(self) -> Container:
        state = State.RUNNING if self.running else State.ENDED
        return Container(id=self.id, name=self.id, state=state, created=self.created)


CLAIMS = st.builds(Claim, IDS, st.booleans(), st.sampled_from(["1", "2"]), SETS)


def owners(claims: Claims) -> dict[str, str | None]:
    return {name: claims.owner(name) for name in ("s1", "s2", "s3")}


def changed(before: dict[str, str | None], after: dict[str, str | None]) -> set[str]:
    pairs = [(before[name], after[name]) for name in before if before[name] != after[name]]
    return {each for pair in pairs for each in pair if each}


@given(st.lists(CLAIMS, min_size=1, max_size=4, unique_by=lambda claim: claim.id))
def test_which_of_the_running_owns_a_set_does_not_depend_on_the_order(made: list[Claim]) -> None:
    made = [replace(each, running=True) for each in made]
    found = []
    for order in permutations(made):
        claims = Claims()
        for each in order:
            claims.claim(each.container, each.sets)
        found.append(owners(claims))
    assert all(each == found[0] for each in found)


@given(st.lists(st.one_of(CLAIMS, IDS), max_size=25))
def test_owners_are_the_strongest_claimants_and_every_change_is_told(
    steps: list[Claim | str],
) -> None:
    claims, model = Claims(), dict[str, Claim]()
    for step in steps:
        before = owners(claims)
        if isinstance(step, Claim):
            model[step.id] = step
            told = claims.claim(step.container, step.sets)
            assert told == changed(before, owners(claims))
        else:
            model.pop(step, None)
            told = claims.release(step)
            assert told == changed(before, owners(claims)) - {step}
        for name, owner in owners(claims).items():
            claimants = [each.container for each in model.values() if name in each.sets]
            first = min(claimants, key=rank) if claimants else None
            if first and first.state is State.ENDED and before[name] in {c.id for c in claimants}:
                assert owner == before[name], "what is left to read is its own"
            else:
                assert owner == (first and first.id)


def test_running_beats_ended_then_earlier_then_the_id() -> None:
    claims = Claims()
    for each in (
        Claim("a", running=False, created="1", sets=frozenset({"s"})),
        Claim("d", running=True, created="3", sets=frozenset({"s"})),
        Claim("c", running=True, created="2", sets=frozenset({"s"})),
        Claim("b", running=True, created="2", sets=frozenset({"s"})),
    ):
        claims.claim(each.container, each.sets)
    left = []
    while (owner := claims.owner("s")) is not None:
        left.append(owner)
        claims.release(owner)
    assert left == ["b", "c", "d", "a"]


def test_a_hand_over_when_the_owner_ends_is_one_step() -> None:
    claims = Claims()
    old = Claim("a", running=True, created="1", sets=frozenset({"s"}))
    new = Claim("b", running=True, created="2", sets=frozenset({"s"}))
    assert claims.claim(old.container, old.sets) == {"a"}
    assert claims.claim(new.container, new.sets) == set()
    ended = Claim("a", running=False, created="1", sets=frozenset({"s"}))
    assert claims.claim(ended.container, ended.sets) == {"a", "b"}
    assert claims.owner("s") == "b"
    assert claims.release("a") == set()
    assert claims.release("nobody") == set()


def test_the_loser_is_told_who_won() -> None:
    log = Log(name="web", key="aliyun_logs_web", file_sets=())
    winner = Claim("f" * 64, running=True, created="1", sets=frozenset()).container
    told = lost_claim(log, winner)
    assert told.code is Code.CLAIMED
    assert told.key == "aliyun_logs_web"
    assert "f" * 12 in told.reason
    assert not told.notice


def test_one_annotation_for_two_containers_of_a_pod_is_no_quarrel() -> None:
    log = Log(name="web", key="aliyun.logs/web", file_sets=())
    pod = Pod("shop", "p", "u", annotations={"aliyun.logs/web": "/logs/*.log"})
    winner, loser = (
        replace(Claim(each, running=True, created="1", sets=frozenset()).container, pod=pod)
        for each in "ab"
    )
    assert lost_claim(log, winner, loser).notice
    assert not lost_claim(log, replace(winner, pod=replace(pod, uid="v")), loser).notice
    assert not lost_claim(replace(log, key="aliyun_logs_web"), winner, loser).notice
