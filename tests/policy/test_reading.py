"""The policy file: what it says becomes rules, what is wrong in it becomes a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import pilot.policy
from pilot.policy import FAMILIES, Chosen, Own, Policy, PolicyError, PolicyFiles, Rules
from pilot.policy.reading import LARGEST, parse_policy, parse_topics

SCHEMA = json.loads(
    (Path(pilot.policy.__file__).parent / "policy.schema.json").read_text(encoding="utf-8")
)
DOC = Path(__file__).parents[2] / "docs" / "policy.md"

WHOLE = """\
collect: stdout
collect_target: "{namespace}-stdout"
namespaces: {include: ["*"], exclude: ["kube-*"]}
labels: {include: {app: "*"}, exclude: {logs: "off"}}
rules:
  options: [tags, format]
  raw: [harvester_limit]
  host_paths: [/srv//logs/]
  recursive: false
  rootfs: true
  image_declarations: false
  max_logs: 100
  max_logs_per_pod: 200
  targets: ["{namespace}-*"]
  events_per_second: 1000
by_namespace:
  team-a: {max_logs: 5, recursive: true}
  "": {}
"""


def test_a_whole_file_becomes_a_policy() -> None:
    rules = Rules(
        options=frozenset({"tags", "format"}),
        raw=frozenset({"harvester_limit"}),
        host_paths=("/srv/logs",),
        recursive=False,
        rootfs=True,
        image_declarations=False,
        max_logs=100,
        max_logs_per_pod=200,
        targets=("{namespace}-*",),
        events_per_second=1000,
    )
    found = parse_policy(WHOLE, "p.yaml")
    team = found.by_namespace["team-a"]
    assert found == Policy(
        collect="stdout",
        collect_target="{namespace}-stdout",
        namespaces=Chosen(("*",), ("kube-*",)),
        with_labels={"app": "*"},
        without_labels={"logs": "off"},
        rules=rules,
        by_namespace={"team-a": team, "": rules},
    )
    assert (team.max_logs, team.recursive, team.targets) == (5, True, ("{namespace}-*",))


@pytest.mark.parametrize("text", ["{}", "rules:\n", "rules: {}\nby_namespace:\n  a:\n"])
def test_a_file_without_rules_changes_nothing(text: str) -> None:
    found = parse_policy(text, "p")
    assert found.rules == Rules()
    assert set(found.by_namespace.values()) <= {Rules()}


WRONG = [
    ("", "p: nothing in it; write {} if no rule is meant"),
    ("[]", "p: it holds []; it must be a mapping (key: value)"),
    ("a: [", "p: line 2: while parsing a flow node, did not find expected node content"),
    ("rules: {}\nrules: {}", "p: line 2: 'rules' is given twice here"),
    ("a: " + "[" * 30 + "]" * 30, "p: line 1: nested deeper than 20 levels"),
    ("rulez: {}", "p: unknown key rulez; did you mean 'rules'?"),
    ("1: {}", "p: unknown key 1; put it in quotes"),
    ("rules: {option: []}", "p: unknown key rules.option; did you mean 'options'?"),
    ("collect: all", "p: collect is 'all'; it must be one of declared, stdout"),
    ("collect:", "p: collect is empty; it must be one of declared, stdout"),
    ("collect_target: '{pod}'", "p: collect_target is '{pod}'; it must be 1 to 200 letters,"),
    ("namespaces: {exclude: kube-*}", "p: namespaces.exclude is 'kube-*'; it must be a list,"),
    ("labels: {exclude: {logs: off}}", "p: labels.exclude.logs is False; it must be text; put it"),
    ("rules: []", "p: rules is []; it must be a mapping (key: value)"),
    ("rules: {options: [raw]}", "p: rules.options[0] is 'raw'; it must be one of tags, target,"),
    ("rules: {raw: ['a b']}", "p: rules.raw[0] is 'a b'; it must be a key of the collector's own"),
    ("rules: {host_paths: [srv]}", "p: rules.host_paths[0] is 'srv'; it must be an absolute path"),
    ("rules: {host_paths: [/a/../b]}", "p: rules.host_paths[0] is '/a/../b'; it must be an abso"),
    ("rules: {recursive: 1}", "p: rules.recursive is 1; it must be true or false"),
    ("rules: {max_logs: 0}", "p: rules.max_logs is 0; it must be a whole number from 1 to 10000"),
    ("rules: {max_logs: true}", "p: rules.max_logs is True; it must be a whole number from 1 to"),
    ("rules: {targets: []}", "p: rules.targets is []; it must be a list of at least one pattern"),
    ("rules: {targets: ['{ns}-*']}", "p: rules.targets[0] is '{ns}-*'; it must be a pattern of"),
    ("by_namespace: {'team-*': {}}", "p: unknown key by_namespace.team-*; it must be the whole"),
    ("by_namespace: {a: {max_logs: x}}", "p: by_namespace.a.max_logs is 'x'; it must be a whole"),
    ("x: 2026-99-99", "p: not usable as YAML: month must be in 1..12"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_what_is_wrong_is_said_with_key_value_and_what_is_right(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, "p")
    assert str(raised.value).startswith(sentence)


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_one_sentence(text: str) -> None:
    try:
        assert isinstance(parse_policy(text, "p"), Policy)
    except PolicyError as error:
        said = str(error)
    else:
        return
    assert said.startswith("p: ")


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 20_000),
    st.sampled_from(["", "*", "/srv", "a", "stdout", "declared", "{namespace}-*", "tags", "a b"]),
    st.lists(
        st.sampled_from(["", "*", "/srv", "tags", "{namespace}-*", "max_bytes", 1]), max_size=2
    ),
)
RULES = st.dictionaries(st.sampled_from([*SCHEMA["$defs"]["rules"]["properties"], "x"]), LEAVES)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "collect": LEAVES,
        "collect_target": LEAVES,
        "namespaces": st.dictionaries(st.sampled_from(["include", "exclude", "x"]), LEAVES),
        "labels": st.dictionaries(
            st.sampled_from(["include", "exclude"]), st.dictionaries(st.just("app"), LEAVES)
        ),
        "rules": RULES,
        "by_namespace": st.dictionaries(st.sampled_from(["team-a", "", "a*"]), RULES),
        "x": LEAVES,
    },
)


@given(DOCUMENTS)
def test_the_schema_says_the_same(document: dict[str, Any]) -> None:
    try:
        parse_policy(yaml.safe_dump(document), "p")
        good = True
    except PolicyError:
        good = False
    try:
        jsonschema.validate(document, SCHEMA)
        said = True
    except jsonschema.ValidationError:
        said = False
    assert good == said


def test_the_schema_and_the_guide_know_every_key() -> None:
    properties = SCHEMA["properties"]
    rules = SCHEMA["$defs"]["rules"]["properties"]
    assert rules["options"]["items"]["enum"] == list(FAMILIES)
    text = DOC.read_text(encoding="utf-8")
    for key in (*properties, *rules):
        assert f"`{key}`" in text, key


def test_every_example_of_the_guide_can_be_used() -> None:
    _, *blocks = DOC.read_text(encoding="utf-8").split("```yaml\n")
    examples = [block.split("```")[0] for block in blocks]
    policies = [each for each in examples if "apiVersion" not in each]
    assert len(policies) == 4
    for example in policies:
        parse_policy(example, "docs/policy.md")


@pytest.mark.parametrize(
    ("text", "topics"),
    [("", set()), ("a,b", {"a", "b"}), (" a ,b\n", {"a", "b"}), ("a\r\nb\n\n,", {"a", "b"})],
)
def test_topics_stand_between_commas_and_line_ends(text: str, topics: set[str]) -> None:
    assert parse_topics(text) == topics


def test_what_no_file_says_is_kept(tmp_path: Path) -> None:
    file, topics = tmp_path / "policy.yaml", tmp_path / "topics"
    file.write_text("collect: stdout")
    base = Policy(roots=("/own",), own=Own(frozenset({"me"})))
    files = PolicyFiles(base, file, topics)
    assert files.load() == Policy(roots=base.roots, own=base.own, collect="stdout")
    topics.write_text("one\n")
    assert files.load().topics == frozenset({"one"})
    assert PolicyFiles(base).load() == base


@pytest.mark.parametrize("kind", ["missing", "folder", "huge", "latin"])
def test_a_file_that_cannot_be_read_is_one_sentence(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    if kind == "folder":
        file.mkdir()
    elif kind == "huge":
        file.write_bytes(b"#" * (LARGEST + 1))
    elif kind == "latin":
        file.write_bytes(b"# one\n# \xe9\n")
    with pytest.raises(PolicyError, match=str(file)):
        PolicyFiles(Policy(), file).load()
    if kind != "missing":
        with pytest.raises(PolicyError, match=str(file)):
            PolicyFiles(Policy(), None, file).load()
