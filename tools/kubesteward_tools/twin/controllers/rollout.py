"""The arithmetic of a rolling update, apart from the controller that applies it.

Sources: API doc of apps/v1 DeploymentStrategy; kube-controller-manager's deployment controller.
"""

from __future__ import annotations

import json
import math
from typing import Any

from kubesteward_tools.twin.names import safe_hash
from kubesteward_tools.world.store import Object

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def resolve(value: Any, total: int, *, up: bool) -> int:
    """An IntOrString of a total."""
    text = str(value)
    if not text.endswith("%"):
        return int(text)
    share = int(text[:-1]) * total
    return -(-share // 100) if up else share // 100


def bounds(deployment: Object) -> tuple[int, int]:
    """(max surge, max unavailable) in pods; if both come out as zero, one may be unavailable."""
    spec = deployment["spec"]
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    replicas = spec.get("replicas", 1)
    surge = resolve(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = resolve(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return surge, min(unavailable, replicas)


def is_rolling(deployment: Object) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def template_hash(template: Object, collisions: int = 0) -> str:
    return safe_hash(json.dumps(template, sort_keys=True) + str(collisions or ""))


def same_template(replica_set: Object, deployment: Object) -> bool:
    """Equal but for the hash label that the controller adds."""
    template = replica_set["spec"]["template"]
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    theirs = {**template, "metadata": _tidy({**metadata, "labels": labels})}
    own = deployment["spec"]["template"]
    return bool(theirs == {**own, "metadata": _tidy(own.get("metadata") or {})})


def _tidy(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value and key != "creationTimestamp"}


def replicas_of(replica_sets: list[Object]) -> int:
    return sum(item["spec"].get("replicas", 0) for item in replica_sets)


def available_of(replica_sets: list[Object]) -> int:
    return sum((item.get("status") or {}).get("availableReplicas", 0) for item in replica_sets)


def revision_of(obj: Object) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def new_replicas(deployment: Object, everyone: list[Object], new: Object | None) -> int:
    """How many pods the newest ReplicaSet may have now."""
    wanted, has = deployment["spec"].get("replicas", 1), new["spec"].get("replicas", 0) if new else 0
    if not is_rolling(deployment):
        return int(wanted)
    surge, _ = bounds(deployment)
    room = wanted + surge - replicas_of(everyone)
    return int(min(wanted, has + max(0, room))) if room > 0 or has > wanted else int(has)


def proportional(deployment: Object, replica_sets: list[Object]) -> dict[str, int]:
    """New replicas of each active ReplicaSet, by name, when the Deployment is scaled in the middle of a roll-out."""
    spec = deployment["spec"]
    wanted = spec.get("replicas", 1)
    surge = bounds(deployment)[0] if is_rolling(deployment) else 0
    allowed = wanted + surge if wanted else 0
    total = replicas_of(replica_sets)
    to_add = allowed - total
    biggest_first = sorted(
        replica_sets,
        key=lambda item: (
            -item["spec"]["replicas"],
            item["metadata"]["creationTimestamp"] if to_add < 0 else _reversed(item["metadata"]["creationTimestamp"]),
        ),
    )
    result, added = {}, 0
    for item in biggest_first:
        has = item["spec"]["replicas"]
        share = _share(item, has, wanted + surge, to_add, added) if to_add else 0
        result[item["metadata"]["name"]] = has + share
        added += share
    if biggest_first:
        first = biggest_first[0]["metadata"]["name"]
        result[first] = max(0, result[first] + to_add - added)
    return result


def _share(item: Object, has: int, maximum: int, to_add: int, added: int) -> int:
    annotated = (item["metadata"].get("annotations") or {}).get(MAXIMUM, "")
    before = int(annotated) if annotated.isdigit() and int(annotated) else maximum
    fraction = math.floor(has * maximum / before + 0.5) - has  # halves go up, not to even
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _reversed(text: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text)
