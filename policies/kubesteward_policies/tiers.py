"""What a tool may do to the world, and how much a cluster's owner lets KubeSteward do alone."""

from __future__ import annotations

from enum import IntEnum


class Tier(IntEnum):
    """The reach of a tool. Tiers 1 and 2 read, 3 writes to our own store, 4 proposes a change."""

    OBSERVE = 1
    ANALYSE = 2
    RECOMMEND = 3
    EXECUTE = 4


class Autonomy(IntEnum):
    """How far a change may go without a person. The default is ADVISOR: nothing is executed."""

    ADVISOR = 1
    COPILOT = 2
    GUARDIAN = 3
    AGENT = 4
