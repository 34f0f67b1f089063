"""What a fuzzer found worth keeping, again and again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hostile import targets

CORPUS = Path(__file__).parent / "corpus" / "inputs.jsonl"


@pytest.mark.parametrize("target", [targets.declarations, targets.manifests, targets.regexps])
def test_no_input_of_the_corpus_is_a_fault(target: targets.Target) -> None:
    kept = [json.loads(line) for line in CORPUS.read_text().splitlines()]
    inputs = [
        each["bytes"].encode("latin-1")
        for each in kept
        if each["target"] == getattr(target, "__name__", "")
    ]
    assert len(inputs) > 50
    for each in inputs:
        try:
            target(each)
        except Exception as error:
            error.add_note(repr(each))
            raise
