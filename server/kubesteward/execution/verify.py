"""After the writing: does the cluster come to where the rehearsal said it would?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubesteward.execution.snapshot import keys
from kubesteward_policies.change import Change
from kubesteward_tools.world.store import Object
from kubesteward_tools.world.world import World

DEADLINE = 60.0
_LOOK_EVERY = 0.25

Pause = Callable[[float], Awaitable[None]]


async def settle(
    world: World, change: Change, deadline: float = DEADLINE, pause: Pause = asyncio.sleep
) -> tuple[bool, str]:
    """Whether every target has reached what its own spec asks for within `deadline` seconds, and a sentence on it."""
    left = deadline
    while True:
        waiting = [why for key in keys(world, change) if (why := unfinished(world.store.get(key)))]
        if not waiting:
            return True, "the cluster has reached the rehearsed state"
        if left <= 0:
            return False, f"not reached within {deadline:.0f} s: {waiting[0]}"
        await pause(_LOOK_EVERY)
        left -= _LOOK_EVERY


def unfinished(obj: Object | None) -> str:
    """What a workload still lacks, "" when it is done or is none."""
    if obj is None or "replicas" not in (obj.get("spec") or {}):
        return ""
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return f"the controller has not seen the change of {name} yet"
    wanted = obj["spec"]["replicas"]
    counts: dict[str, Any] = {
        field: status.get(field, 0) for field in ("updatedReplicas", "availableReplicas", "replicas")
    }
    if obj.get("kind") != "Deployment":
        counts.pop("updatedReplicas")
    short = [f"{field} {value} of {wanted}" for field, value in counts.items() if value != wanted]
    return f"{name}: {', '.join(short)}" if short else ""
