"""An item of a declaration → a place on the node. Pure: the confined look at the disk is elsewhere.

log-pilot's rule: the mount nearest above the file decides. No result lies outside the mount's
source, as far as names tell.
"""

from __future__ import annotations

from pilot.locate.locate import locate, mount_of
from pilot.locate.mounts import MountsAbove
from pilot.locate.rootfs import runtime_home

__all__ = ["MountsAbove", "locate", "mount_of", "runtime_home"]
