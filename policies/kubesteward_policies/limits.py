"""How many pods may be changed within an hour without a person: arithmetic over counts that others keep."""

from __future__ import annotations

import math
from collections.abc import Mapping

HOUR = 3600.0


def allowance(pods: int, percent: float) -> int:
    """How many of `pods` may be changed in an hour: the share, rounded down, but at least one, of 0 % none."""
    return 0 if percent <= 0 else max(1, math.floor(pods * percent / 100.0 + 1e-9))


def excess(
    asked: Mapping[str, int], used: Mapping[str, int], there: Mapping[str, int], total: int, percent: float
) -> str:
    """What goes over a limit, with the figures; "" where nothing does.

    All by namespace: the pods that a change would start or stop, those that were within the hour, and those that there
    are. `total` are the pods of the cluster, `percent` the share of them that may be changed.
    """
    spaces = [(f"namespace {space}", pods, used.get(space, 0), there.get(space, 0)) for space, pods in asked.items()]
    everywhere = ("the cluster", sum(asked.values()), sum(used.values()), total)
    for where, wanted, spent, pods in (*sorted(spaces), everywhere):
        most = allowance(pods, percent)
        if wanted and spent + wanted > most:
            return (
                f"it changes {_pods(wanted)}, {_pods(spent)} of {where} were changed without a person in the last hour,"
                f" and {most} of its {pods} may be ({percent:g} %)"
            )
    return ""


def _pods(count: int) -> str:
    return f"{count} pod" if count == 1 else f"{count} pods"
