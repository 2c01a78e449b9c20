"""What an agent may not do without a person, although it starts and stops no pods that a limit could count.

The hourly limits are about pods. What gives power over nodes, takes over traffic, or belongs to the whole cluster can
do harm without any, so that a person looks at it at every level of autonomy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubesteward_policies.change import ApiCall, Change

_POWERS = frozenset({"hostPID", "hostIPC", "hostNetwork", "hostPath", "privileged", "externalIPs"})
_CAPABILITIES = "capabilities"
BASELINE_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""Capabilities that a container may have by the baseline of the Pod Security Standards."""


def why_not_alone(change: Change) -> str:
    """Why a person has to agree, "" where nothing here asks for one."""
    return next((reason for call in change.calls if (reason := _of(call))), "")


def _of(call: ApiCall) -> str:
    target = call.target
    if target.kind == "Node":
        return f"{target} would leave the cluster" if call.verb == "delete" else ""
    if not target.namespace:
        return f"{target} belongs to the whole cluster"
    power = next(_powers(call.body), "")
    return f"{target} would get {power}, which reaches beyond its namespace" if power else ""


def _powers(body: Any) -> Iterator[str]:
    """Names of fields that are set, wherever they stand in an object, a patch, or the pointers of a JSON patch."""
    if isinstance(body, list | tuple):
        for item in body:
            yield from _powers(item)
    if not isinstance(body, Mapping):
        return
    if body.get("op") in {"add", "replace", "copy", "move"} and body.get("value", True):
        yield from (part for part in str(body.get("path")).split("/") if part in {*_POWERS, _CAPABILITIES})
    for key, value in body.items():
        added = value.get("add") or () if key == _CAPABILITIES and isinstance(value, Mapping) else ()
        if (key in _POWERS and value) or not BASELINE_CAPABILITIES.issuperset(added):
            yield str(key)
        yield from _powers(value)
