"""The restart ladder: what was restarted three times in a day and is back is not mended by a fourth restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.change import ApiCall

DAY = 24 * 3600.0
MOST = 3
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def climbed(counts: Mapping[str, int]) -> str:
    """The workload that was restarted without a person as often as it may be; "" where there is none."""
    over = sorted((workload for workload, count in counts.items() if count >= MOST), key=lambda item: -counts[item])
    return over[0] if over else ""


def is_restart(call: ApiCall) -> bool:
    """Whether a call does nothing but roll the pods of a workload, as `kubectl rollout restart` does."""
    return call.verb == "patch" and isinstance(call.body, Mapping) and only_restarts(call.body)


def restarts(call: ApiCall) -> bool:
    """Whether a call rolls the pods of a workload, whatever else it does."""
    return call.verb in {"patch", "update"} and RESTARTED in _keys(call.body)


def only_restarts(body: Mapping[str, Any]) -> bool:
    path = ("spec", "template", "metadata", "annotations", RESTARTED)
    value: Any = body
    for step in path:
        if not isinstance(value, Mapping) or set(value) != {step}:
            return False
        value = value[step]
    return isinstance(value, str)


def _keys(body: Any) -> set[str]:
    """Names of fields, and the last parts of the pointers of a JSON patch."""
    if isinstance(body, Mapping):
        named = {str(key) for key in body}
        pointer = str(body.get("path", "")).rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        return named.union({pointer}, *map(_keys, body.values()))
    return set().union(*map(_keys, body)) if isinstance(body, list | tuple) else set()
