"""What the rules refuse of one declaration: options, the mount of its files, targets. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.items import BLANK
from pilot.model import VOLUME, Code, Origin, Rejection, shorten
from pilot.policy.folders import HOST_KINDS, root_of
from pilot.policy.rules import NAMESPACE, namespace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container, Declaration, FileSet, Mount
    from pilot.policy.rules import Policy, Rules

# Without these, lines would be shipped that were to be held back, or would go elsewhere.
_WITHHOLDING = frozenset(
    {
        options.CONTAINER,
        options.EXCLUDE,
        options.FIELDS,
        options.INCLUDE,
        options.TAGS,
        options.TARGET,
    }
)
# Both look at whole events, decoded: where one of them is given, that is not left out either.
_SIFTING = (options.INCLUDE, options.EXCLUDE)
_TEXT = (options.ENCODING, options.MULTILINE)
_SHOWN = 5  # globs of a list that a message repeats


def judge_options(
    declaration: Declaration, rules: Rules
) -> tuple[Declaration | None, list[Rejection]]:
    """The declaration with the options that it may have; None if it cannot do without another."""
    given = declaration.options
    # Blank is what is blank where declarations are read; no more, or a blank of Unicode would bring
    # an option past the rules.
    forbidden = [
        each for each in given if given[each].value.strip(BLANK) and not rules.allows_option(each)
    ]
    if not forbidden:
        return declaration, []
    sifted = any(each in given and given[each].value.strip(BLANK) for each in _SIFTING)
    withholding = {
        each for each in forbidden if each in _WITHHOLDING or (sifted and each.startswith(_TEXT))
    }
    said = [
        Rejection(
            code=Code.OPTION_FORBIDDEN,
            key=given[option].key,
            value=shorten(given[option].value),
            log=declaration.name,
            reason=f"the administrator's policy does not allow the option {shorten(option)!r}"
            + (
                ", and without it lines might be shipped that it holds back, or go elsewhere."
                if option in withholding
                else "; the log is collected without it."
            ),
            notice=option not in withholding,
        )
        for option in sorted(forbidden)
    ]
    if not all(each.notice for each in said):
        return None, said
    kept = {option: each for option, each in given.items() if option not in forbidden}
    return replace(declaration, options=kept), said


def judge_mount(
    container: Container, mount: Mount, place: FileSet, *, policy: Policy, rules: Rules
) -> str:
    """Why no logs are taken from a mount; "" if they are."""
    chosen = mount.kind in HOST_KINDS
    kind = mount.kind if chosen else VOLUME
    root = root_of(container.log_path)
    file = f"{place.directory.rstrip('/')}/{place.pattern}"
    rule = policy.forbids(mount.source, kind, root) or policy.forbids(file, kind, root)
    if not rule and chosen and not rules.allows_host_path(mount.source):
        allowed = _listed(rules.host_paths or ())
        rule = f"the administrator's policy takes them from {allowed} of the node"
    return rule or ""


def judge_targets(
    container: Container,
    declaration: Declaration,
    target: str,
    tags: Mapping[str, str],
    *,
    policy: Policy,
) -> Rejection | None:
    """Why events may not go where a log sends them: its index, its topic, its target."""
    rules = policy.rules_for(container)
    if declaration.origin is Origin.POLICY or (rules.targets is None and policy.topics is None):
        return None
    default = target or declaration.name
    option = "target" if target else ""
    namespace = namespace_of(container)
    chosen = [(name, tags.get(name) or default) for name in ("index", "topic")]
    if target:
        chosen.append(("target", target))
    for name, text in chosen:
        why = ""
        if not rules.allows_target(text, namespace):
            globs = _listed(rules.targets or ()).replace(NAMESPACE, shorten(namespace))
            why = f"events of this container may go to {globs} only"
        elif name == "topic" and policy.topics is not None and text not in policy.topics:
            why = "topics are those of the administrator's list only"
        if why:
            written = declaration.options
            tagged = written.get(options.TAGS) or written.get(options.FIELDS)
            given = tagged if tags.get(name) else written.get(option)
            what = f"this {name}" if given else f"the log's name, which is its {name} then,"
            return Rejection(
                code=Code.TARGET_FORBIDDEN,
                key=given.key if given else declaration.key,
                value=shorten(text),
                log=declaration.name,
                reason=f"{why}, by the administrator's policy, and {what} is another.",
            )
    return None


def _listed(texts: tuple[str, ...]) -> str:
    if not texts:
        return "nowhere"
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(shorten(each) for each in texts[:_SHOWN]) + more
