"""Taints and tolerations. Docs: "Taints and Tolerations"."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.world.store import Object

_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def tolerates(toleration: dict[str, Any], taint: dict[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    if toleration.get("operator") in {"Gt", "Lt"}:
        return _compares(toleration["operator"], taint.get("value", ""), toleration.get("value", ""))
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _compares(operator: str, found: str, limit: str) -> bool:
    """KEP-5471. API servers without that feature refuse such a toleration, so none gets here."""
    try:
        return int(found) > int(limit) if operator == "Gt" else int(found) < int(limit)
    except ValueError:
        return False


def tolerated(pod: Object, taint: dict[str, Any]) -> bool:
    return any(tolerates(item, taint) for item in pod["spec"].get("tolerations") or ())


def unschedulable(pod: Object, node: Object) -> str:
    if node["spec"].get("unschedulable") and not tolerated(pod, _UNSCHEDULABLE):
        return "node(s) were unschedulable"
    return ""


def untolerated(pod: Object, node: Object) -> str:
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] in {"NoSchedule", "NoExecute"} and not tolerated(pod, taint):
            return "node(s) had untolerated taint(s)"
    return ""
