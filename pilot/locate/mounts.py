"""The mount that a path inside a container lies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.locate.paths import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilot.model import Mount


def nearest(mounts: Iterable[Mount], path: str) -> tuple[Mount, str] | None:
    """The mount with the longest destination at or above a folded path, and the path below it.

    The path below is "" at the destination itself. Names count whole: `/logs` is not above
    `/logs2`. Of two mounts at one place the later counts, because it hides the earlier.
    """
    found: tuple[int, Mount, str] | None = None
    for mount in mounts:
        destination = fold(mount.destination)
        if destination is None:
            continue
        start = destination.rstrip("/") + "/"
        at_or_above = path == destination or path.startswith(start)
        if at_or_above and (found is None or len(destination) >= found[0]):
            found = (len(destination), mount, path[len(start) :])
    return found and found[1:]


class MountsAbove:
    """Of many mounts those few that lie at or above a path.

    A thousand mounts, each asked about thousands of items, would keep the loop busy for a minute.
    """

    def __init__(self, mounts: Iterable[Mount]) -> None:
        self._at: dict[str, list[Mount]] = {}  # by folded destination
        for mount in mounts:
            if (destination := fold(mount.destination)) is not None:
                self._at.setdefault(destination, []).append(mount)

    def of(self, path: str) -> tuple[Mount, ...]:
        """The only mounts that `nearest` could find for a path or a folder above it."""
        folded = (fold(path) or "/").rstrip("/")
        ends = [at for at, char in enumerate(folded) if char == "/" and at]
        above = ("/", *(folded[:at] for at in ends), folded)
        return tuple(mount for each in dict.fromkeys(above) for mount in self._at.get(each, ()))
