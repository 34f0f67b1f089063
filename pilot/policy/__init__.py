"""What the administrator allows: folders of the node, rules by namespace, the file of them."""

from __future__ import annotations

from pilot.policy.folders import NODE_FOLDERS, RUNTIME_ROOTS, root_of
from pilot.policy.judging import judge_mount, judge_options, judge_targets
from pilot.policy.own import Own, find_own
from pilot.policy.reading import PolicyError, PolicyFiles
from pilot.policy.rules import COLLECT_KEY, COLLECTED, FAMILIES, Chosen, Policy, Rules, undeclared

__all__ = [
    "COLLECTED",
    "COLLECT_KEY",
    "FAMILIES",
    "NODE_FOLDERS",
    "RUNTIME_ROOTS",
    "Chosen",
    "Own",
    "Policy",
    "PolicyError",
    "PolicyFiles",
    "Rules",
    "find_own",
    "judge_mount",
    "judge_options",
    "judge_targets",
    "root_of",
    "undeclared",
]
