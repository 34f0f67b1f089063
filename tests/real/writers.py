"""Shell scripts for containers that write numbered lines, each with an id of its run."""

from __future__ import annotations


def writer(*places: str, lines: int = 500, pause: float = 0.05, then: str = "") -> str:
    """A script that writes `<run> <place> <number>` to each place at once, ten lines at a time.

    A place is `stdout` or a file's path; `pause` is seconds between two tens; `then` runs after the
    last line.
    """
    parts = []
    for place in places:
        target = "" if place == "stdout" else f" >> {place}"
        parts.append(
            f'(i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo "$run {place} $i"{target}; '
            f"[ $((i % 10)) -ne 0 ] || usleep {int(pause * 1e6)}; done) &"
        )
    return f"run=$(cat /proc/sys/kernel/random/uuid); {' '.join(parts)} wait; {then}"


END = "/tmp/end"


def steady(
    place: str, *, lines: int, rate: int = 200, rotate: int = 0, width: int = 40, then: str = ""
) -> str:
    """A script that writes lines of one length, five times a second some, `rate` a second in all.

    `place` is `stdout` or a file's path. After each `rotate` lines such a file is renamed to
    `<place>.1`, over the one before it: there are never more than two. 0 renames never. It ends
    early once there is a file END in the container.
    """
    target, open_it, turn = "", "", ""
    if place != "stdout":
        target, open_it = " >&3", f"exec 3>> {place};"
        if rotate:
            turn = f"[ $((i % {rotate})) -ne 0 ] || {{ mv -f {place} {place}.1; {open_it} }};"
    first = 10_000_000  # numbers of one length
    return (
        f"run=$(cat /proc/sys/kernel/random/uuid); i={first}; {open_it} "
        f"while [ $i -lt {first + lines} ] && [ ! -e {END} ]; do j=0; "
        f"while [ $j -lt {rate // 5} ]; do "
        f'j=$((j+1)); i=$((i+1)); echo "$run {place} $i {"x" * width}"{target}; {turn} '
        f"done; usleep 190000; done; {then}"
    )


STAY = "exec sleep 1000000"
