from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pins.bench import Bench
from tests.pins.node import Node, elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(Node(tmp_path))
    yield made
    made.kill()


@pytest.fixture
def copying(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose pins lie on another filesystem."""
    with elsewhere(Node(tmp_path)) as node:
        made = Bench(node)
        yield made
        made.kill()
