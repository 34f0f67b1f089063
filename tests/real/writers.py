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


STAY = "exec sleep 1000000"
