"""Questions to the daemon's explainer over a bench, answered by hand-run workers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jsonschema

import pilot.explaining
from pilot.sources import SourceError
from pilot.status.explain import Explainer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilot.hints import Hints
    from pilot.model import Container
    from pilot.workers import Workers
    from tests.bench_containers import Bench

SCHEMA = Path(pilot.explaining.__file__).with_name("explanation.schema.json")
validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@dataclass(slots=True)
class ListedSource:
    """A source of containers that declare nothing."""

    containers: dict[str, Container] = field(default_factory=dict)
    name: str = "listed"
    declares_once: bool = True
    broken: bool = False

    def watch(self, hints: Hints) -> None:
        """Nothing ever changes."""

    def list(self) -> Mapping[str, str]:
        if self.broken:
            raise SourceError("the engine is down")
        return dict.fromkeys(self.containers, "")

    def look(self, container_id: str) -> Container | None:
        return self.containers.get(container_id)

    def close(self) -> None:
        """Nothing is open."""


def explainer(bench: Bench, source: ListedSource | None = None) -> Explainer:
    return Explainer(
        settings=bench.settings,
        containers=bench.containers,
        fragments=bench.containers._fragments,
        keeper=bench.keeper,
        piloter=bench.piloter,
        source=source or ListedSource(),
        readers=cast("Workers", bench.workers),
        looks=cast("Workers", bench.workers),
        monotonic=bench.clock,
    )


def ask(
    bench: Bench,
    asked: str = "web",
    log: str = "",
    *,
    source: ListedSource | None = None,
    fresh: bool = True,
) -> dict[str, Any]:
    """The answer, checked against its schema."""
    answers: list[Callable[[], dict[str, Any]]] = []
    explainer(bench, source).ask(asked, log, answers.append, fresh=fresh)
    bench.workers.run()
    (making,) = answers
    plain: dict[str, Any] = json.loads(json.dumps(making()))
    validator.validate(plain)
    return plain


def steps(found: dict[str, Any], about: str) -> list[str]:
    """The sentences about one step, of all containers and logs."""
    return [
        step["text"]
        for one in found["containers"]
        for each in (one, *one["logs"])
        for step in each["steps"]
        if step["about"] == about
    ]
