"""The end of a container: running → draining → drained → retiring, with a deadline.

Pure. An ended container whose record still exists keeps config and pins without limit: it costs
nothing and may start again. Once its record is gone, the config stays until the collector has read
every pin to the end, or until the deadline, whose loss is counted because the pins are there to
count. While the collector gets on with nothing at all, because its output is blocked or it does
not run, the deadline is put off: giving up would not help it, and Filebeat 9 takes no other config
while it waits for such an input to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DIRECT = 300.0  # seconds that the config of a gone container stays in direct mode
DIRECT_MOUNTED = 10.0  # the same where an open file blocks the unmount of a volume
PUT_OFF = 7  # times the limit: the deadline comes then, whatever the collector does

SETTLE = 3.0  # seconds that a config outlives its last pin, so that the collector forgets the pin


class Phase(StrEnum):
    """How far a container's end has come."""

    RUNNING = "running"
    DRAINING = "draining"  # ended, not known to be read to the end
    DRAINED = "drained"  # ended and read to the end; its record may still exist
    RETIRING = "retiring"  # gone, read or given up, pins removed: the config goes next


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides: from the runtime, from the last survey of the pins, from the clock."""

    ended: bool
    gone: bool
    read: bool  # the collector has read all there is, and a look after the end found no more
    leftover: bool  # a pin whose original is gone is still there
    overdue: bool  # the deadline has passed


def next_phase(phase: Phase, facts: Facts) -> Phase:
    """The phase that follows; the same one where nothing changes."""
    if not facts.ended:
        return Phase.RUNNING
    if phase is Phase.RETIRING and not facts.gone:
        phase = Phase.DRAINING  # It is there after all.
    if phase in (Phase.RUNNING, Phase.DRAINING):
        if facts.read:
            phase = Phase.DRAINED
        elif facts.gone and facts.overdue:
            return Phase.RETIRING
        else:
            return Phase.DRAINING
    if phase is Phase.DRAINED:
        if not facts.read:
            return Phase.DRAINING  # Somebody still wrote, or a late file was found.
        if facts.gone and (not facts.leftover or facts.overdue):
            return Phase.RETIRING
    return phase
