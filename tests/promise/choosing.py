"""How worlds and lives are chosen: likely ones most of the time, odd ones often enough."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.promise.steps import (
    FOLDERS,
    MOUNTED,
    OUTSIDE,
    Append,
    Collect,
    End,
    Gone,
    Hint,
    Hold,
    KillAgent,
    KillCollector,
    Link,
    MakeFifo,
    MakeFolder,
    Rename,
    Rotate,
    Start,
    StartAgent,
    StartCollector,
    Step,
    Symlink,
    Truncate,
    Unlink,
    Wait,
    World,
    WriteHeld,
)

ODD = (
    "\udcff\udcfe.log",  # no UTF-8
    "new\nline.log",
    "[a]?*.log",
    "~.log",
    "a=2F..log",
    "dots...log",
    "app.log.",
    "é.log",
    "-rf .log",
    "x" * 251 + ".log",
    "y" * 200 + ".log.1",
)
PLAIN = ("app.log", "app.log.1", "app.log.2", "app.log-20260102", "b.log", "app.txt", "app.log.gz")
DECLARED = ("app.log", "*.log", "a/*.log", "a/app.log")
GLOBS = ("*/app.log", "*/*.log")
PAYLOADS = (b"", b" \xff\xc3(", b" text", b" end\r")


def worlds() -> st.SearchStrategy[World]:
    """What is declared, and the names that files may have."""
    declared = st.sampled_from(DECLARED + GLOBS)
    return st.builds(
        World,
        declared=st.tuples(declared, declared),
        names=st.lists(st.sampled_from(PLAIN + ODD), min_size=1, max_size=3, unique=True).map(
            lambda names: tuple(dict.fromkeys(("app.log", *names)))
        ),
        copied=st.booleans(),
        payload=st.sampled_from(PAYLOADS),
        longer=st.sampled_from((0,) * 7 + (100_000,)),  # a line may need two reads
    )


def paths(world: World) -> st.SearchStrategy[str]:
    """Names in the volume, more often than not such that the declarations name."""
    folders = ("", "a", "b", "l") if any("/" in each for each in world.declared) else ("", "a")
    every = [_join(folder, name) for folder in folders for name in world.names]
    named = [each.replace("*", "a", 1) if "*/" in each else each for each in world.declared]
    likely = [_join(each.rpartition("/")[0], name) for each in named for name in world.names[:3]]
    return st.sampled_from([*dict.fromkeys(likely), *likely, *likely, *every])


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


TARGETS = (
    *FOLDERS,
    *(f"/{MOUNTED}/{each}" for each in FOLDERS),
    f"/{MOUNTED}",
    f"/{MOUNTED}/../{MOUNTED}/app.log",
    f"../{MOUNTED}/app.log",
    ".",
    "..",
    "/",
    "a/../app.log",
    "app.log/",
    "nowhere",
    OUTSIDE,
    f"{OUTSIDE}/a",
    "../outside",
    "/etc",
    "/etc/passwd",
    "/proc/self/root/etc/passwd",
)


def targets(world: World) -> st.SearchStrategy[str]:
    """What links may hold: into the volume, out of it, nowhere, in a circle."""
    inside = paths(world)
    ways = ("{}", "{}", f"/{MOUNTED}/{{}}", "../{}", "../outside/{}", "../../outside/{}")
    return st.one_of(
        st.builds(str.format, st.sampled_from(ways), inside),
        inside.map(lambda path: f"{OUTSIDE}/{path}"),
        st.sampled_from(TARGETS),
    )


def steps(world: World) -> st.SearchStrategy[tuple[Step, ...]]:
    """One step or a few; the first of the table is the simplest."""
    path, half = paths(world), st.booleans()
    linked = st.one_of(path, st.sampled_from(FOLDERS))
    whole, which = st.integers(0, 3), st.integers(0, 1)
    table: list[tuple[int, st.SearchStrategy[Step]]] = [
        (5, st.builds(Wait, st.sampled_from((1.0, 1.0, 1.0, 6.0, 65.0)))),
        (6, st.builds(Append, path, st.just(1))),
        (1, st.builds(Hint)),
        (4, st.builds(Append, path, whole, half)),
        (4, st.builds(Collect)),
        (2, st.builds(Truncate, path, st.integers(0, 1))),
        (2, st.builds(Rename, path, path)),
        (1, st.builds(Rename, st.sampled_from(FOLDERS), st.sampled_from(FOLDERS))),
        (2, st.builds(Rotate, path)),
        (3, st.builds(Unlink, linked)),
        (1, st.builds(Link, path, path)),
        (3, st.builds(Symlink, linked, targets(world))),
        (1, st.builds(MakeFolder, linked)),
        (1, st.builds(MakeFifo, path)),
        (1, st.builds(Hold, path)),
        (2, st.builds(WriteHeld, whole, half)),
        (2, st.builds(Start, which)),
        (1, st.builds(End, which)),
        (1, st.builds(Gone, which)),
        (1, st.builds(KillAgent, st.integers(0, 3))),
        (1, st.builds(StartAgent)),
        (2, st.builds(KillCollector, st.integers(0, 2))),
        (2, st.builds(StartCollector)),
    ]
    singles = [kind.map(lambda step: (step,)) for weight, kind in table for _ in range(weight)]
    kinds = [*singles, *([path.flatmap(turns)] * 8)]
    return st.integers(0, len(kinds) - 1).flatmap(kinds.__getitem__)


def turns(path: str) -> st.SearchStrategy[tuple[Step, ...]]:
    """Turns of events that chance alone seldom puts together."""
    new, rotate, look, wait = Append(path), Rotate(path), Wait(1.0), Wait(65.0)
    return st.sampled_from(
        [
            (new, look, Unlink(path), wait, wait),
            (new, look, Collect(), wait, wait, Collect()),
            (new, look, Gone(0), Wait(6.0), Wait(6.0)),
            (new, look, Collect(), new, End(0), Gone(0), Wait(6.0), Wait(6.0)),
            (look, Collect(), new, Collect(), KillCollector(), StartCollector(), Collect()),
            (new, look, KillAgent(), rotate, new, rotate, new, StartAgent(), look),
            (new, KillAgent(1), StartAgent(), look, Collect()),
            (new, look, rotate, new, Gone(0), KillAgent(), StartAgent(), look),
            (new, look, Collect(), Truncate(path), Append(path, 2), look, Collect()),
            (new, look, Collect(), Truncate(path), Collect(), Append(path, 2), look, Collect()),
            (new, Hold(path), look, Unlink(path), WriteHeld(2), look, Collect(), wait, wait),
            (new, Hold(path), look, rotate, new, WriteHeld(2), look, Collect()),
            (Start(0), look, Gone(0), wait, Start(0), look, new, Collect()),
        ]
    )


BEGINNINGS: tuple[tuple[Step, ...], ...] = (
    (),
    (Start(0),),
    (MakeFolder("a"), MakeFolder("b"), Start(0), Start(1)),
    (MakeFolder("a"), Start(0), Append("app.log"), Append("a/app.log"), Wait(), Collect()),
)


@st.composite
def lives(draw: st.DrawFn, parts: int = 5) -> tuple[World, list[Step]]:
    """A world and what happens in it; in parts, because each may shrink to nothing."""
    world = draw(worlds())
    several = st.lists(steps(world), max_size=10)
    begin = draw(st.sampled_from(BEGINNINGS))
    return world, [*begin, *(step for _ in range(parts) for some in draw(several) for step in some)]
