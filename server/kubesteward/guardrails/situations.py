"""What the rules are told about a change: one situation for each of its calls. `docs/policies.md` is the contract."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.case import Case
from kubesteward.gate.levels import level_for
from kubesteward_policies.change import APPLY_PATCH, ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_policies.tiers import Tier
from kubesteward_tools.twin.patches.patched import patched
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Key, Object

_MERGED = frozenset({"", "scale"})


def situations(case: Case) -> list[dict[str, Any]]:
    """In the order of the calls. The moment is read once, so that all rules judge the same one."""
    of_all = {
        "change": {"tool": case.change.tool, "tier": int(Tier.EXECUTE), "calls": len(case.change.calls)},
        "rehearsal": None if case.rehearsal is None else _rehearsal(case.rehearsal),
        "request": _request(case),
        "cluster": {"name": case.world.cluster},
        "now": datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "autonomy": int(level_for(case)),
    }
    made: dict[Ref, Object] = {}
    found = []
    for call in case.change.calls:
        found.append({**of_all, **_of_call(case, call, made.get(call.target))})
        if (left := found[-1]["object"]) is not None:
            made[call.target] = left  # what the next call to it finds
    return found


def _request(case: Case) -> dict[str, Any]:
    caller = case.caller
    return {
        "user": caller.principal,
        "client": caller.client,
        "channel": caller.channel,
        "dryRun": case.dry_run,
        "justification": case.justification,
    }


def _of_call(case: Case, call: ApiCall, made: Object | None) -> dict[str, Any]:
    """`made` is the object as the change's earlier calls leave it."""
    target, key = call.target, key_of(case.world, call.target)
    old = made or (case.world.store.get(key) if key else None)
    space = target.name if target.kind == "Namespace" else target.namespace
    subresource = _subresource(call)
    return {
        "call": {
            "verb": "create" if _creates(call, old) else call.verb,
            "group": target.group,
            "kind": target.kind,
            "namespace": space,
            "name": target.name,
            "subresource": subresource,
            "body": call.body,
        },
        "object": _after(call, old, subresource),
        "oldObject": old,
        "namespaceObject": case.world.store.get(Key("namespaces", "", space)) if space else None,
    }


def _subresource(call: ApiCall) -> str:
    """`validate` has made sure that a path ends with the name, with a subresource, or with the plural in a creation."""
    head, _, last = call.path.rpartition("/")
    return last if head.endswith(f"/{call.target.name}") and call.target.name else ""


def _after(call: ApiCall, old: Object | None, subresource: str) -> Object | None:
    """The object as the call asks for it, before defaults and admission; None where there is none or nobody can tell.

    Other subresources than scale leave the object's specification as it is.
    """
    if subresource not in _MERGED:
        return old
    if call.verb == "delete":
        return None
    if (call.verb in {"create", "update"} and not subresource) or _creates(call, old):
        return call.body if isinstance(call.body, dict) else None
    if old is None:
        return None
    try:
        if call.verb == "update":
            return {**old, "spec": {**old.get("spec", {}), **call.body.get("spec", {})}}
        return patched(old, call.body, call.content_type)
    except (ApiError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _creates(call: ApiCall, old: Object | None) -> bool:
    """Applying what is not there is creating it."""
    return old is None and call.content_type == APPLY_PATCH


def _rehearsal(found: Rehearsal) -> dict[str, Any]:
    radius, effects = found.blast_radius, found.effects
    return {
        "verdict": found.verdict,
        "pods": radius.pods,
        "podsStarted": effects.pods_started,
        "podsStopped": effects.pods_stopped,
        "pending": len(effects.pending),
        "shareOfNamespace": radius.share_of_namespace,
        "shareOfCluster": radius.share_of_cluster,
        "findings": [{"rule": item.rule, "severity": item.severity, "object": item.object} for item in found.findings],
        "availability": [
            {
                "object": item.object,
                "before": item.before,
                "bestMin": item.best_min,
                "bestAfter": item.best_after,
                "worstMin": item.worst_min,
                "worstAfter": item.worst_after,
            }
            for item in found.availability
        ],
        "assumptions": len(found.assumptions),
    }
