"""How far the operator lets one change go, and what the fixes that may run alone see of the cluster."""

from __future__ import annotations

import time

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.case import Case
from kubesteward_policies.autonomy import level, scopes
from kubesteward_policies.fixes import Object, Scene
from kubesteward_policies.ref import Ref
from kubesteward_policies.tiers import Autonomy
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.watcher import pods_under


def level_for(case: Case) -> Autonomy:
    """The lowest that holds for what the change touches."""
    settings = case.settings
    return level(case.change, case.world.cluster, Autonomy(settings.autonomy), scopes(settings.autonomy_scopes))


def scene(case: Case) -> Scene:
    store, objects, pods = case.world.store, dict[Ref, Object](), dict[Ref, tuple[Object, ...]]()
    for target in dict.fromkeys(call.target for call in case.change.calls):
        key = key_of(case.world, target)
        found = store.get(key) if key else None
        if key is not None and found is not None:
            objects[target] = found
            pods[target] = tuple(pod for _, pod in pods_under(store, key))
    return Scene(time.time(), _moment, objects, pods)


def _moment(text: str) -> float | None:
    try:
        return parse_timestamp(text)
    except ValueError:
        return None
