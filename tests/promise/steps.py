"""What can happen on a node, as values: a world to begin in, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass

MOUNTED = "promise-logs"  # the volume's place in the container; no folder of this machine
FOLDERS = ("a", "b", "l")  # that may lie in it
OUTSIDE = "{outside}"  # in a link's target: the real path of a folder outside of the volume

# -- what applications do --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Append:
    """Open (creating), write whole lines, then half a line; a half one before is finished first."""

    path: str
    whole: int = 1
    half: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    """Cut in place, keeping so many lines."""

    path: str
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Rename:
    """rename(2): a file, a link or a folder; over another where there is one."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Rotate:
    """A chain: `x.1` becomes `x.2`, `x` becomes `x.1`, and `x` is new."""

    path: str


@dataclass(frozen=True, slots=True)
class Unlink:
    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """link(2): another name for a file."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Symlink:
    """Make a link, or give one another target."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class MakeFolder:
    path: str


@dataclass(frozen=True, slots=True)
class MakeFifo:
    path: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Open a file and keep it open, as a program does that logs."""

    path: str


@dataclass(frozen=True, slots=True)
class WriteHeld:
    """Write lines to the file that is held open, wherever its names went."""

    whole: int = 1
    half: bool = False


# -- what containers, the pilot and the collector do -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """A container starts, or starts again after its end."""

    which: int = 0


@dataclass(frozen=True, slots=True)
class End:
    which: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    which: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """The pilot's loop goes on for so many seconds: looks, surveys, saves."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Hint:
    """A change in a folder is noticed at once."""


@dataclass(frozen=True, slots=True)
class KillAgent:
    """kill -9, after so many calls of a pass were made whose results did not come back."""

    calls: int = 0


@dataclass(frozen=True, slots=True)
class StartAgent:
    pass


@dataclass(frozen=True, slots=True)
class Collect:
    """The collector looks once at everything and prints what there is."""


@dataclass(frozen=True, slots=True)
class KillCollector:
    """kill -9 after so many batches of a step were printed."""

    batches: int = 0


@dataclass(frozen=True, slots=True)
class StartCollector:
    pass


Step = (
    Append | Truncate | Rename | Rotate | Unlink | Link | Symlink | MakeFolder | MakeFifo | Hold
    | WriteHeld | Start | End | Gone | Wait | Hint | KillAgent | StartAgent | Collect
    | KillCollector | StartCollector
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """Where a run begins: what the two containers declare, and what may lie where."""

    declared: tuple[str, str]  # paths below the volume
    names: tuple[str, ...]
    copied: bool
    payload: bytes  # behind the mark of each line
    longer: int = 0  # bytes more
