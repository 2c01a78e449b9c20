"""Changes of roll-outs: taken back, paused, resumed. What kubectl would send, and why it would refuse."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.change import JSON_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.proposals.workloads import RESTARTABLE, path_of
from kubesteward_tools.world.store import Object

REVISION = "deployment.kubernetes.io/revision"
_OWN = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that stay the Deployment's own (kubectl rollout undo); all others come back with the revision."""
_HASH = "pod-template-hash"


def pause(found: Found, *, on: bool = True) -> Change:
    """Raises InvalidArguments for what has no pause, AskDifferently when nothing would change."""
    if found.type.kind != "Deployment":
        raise InvalidArguments(f"{found.label} cannot be paused.", todo="Only the roll-out of a Deployment can.")
    if bool((found.obj.get("spec") or {}).get("paused")) == on:
        raise AskDifferently(f"{found.label} is {'already' if on else 'not'} paused.", todo="Nothing is to be done.")
    call = ApiCall("patch", path_of(found), found.ref, {"spec": {"paused": on}}, STRATEGIC_PATCH)
    return Change(
        "set_rollout_paused", found.ref, (call,), f"{'Pause' if on else 'Resume'} the roll-out of {found.label}"
    )


async def rollback(found: Found, revision: int = 0) -> Change:
    """The pod template of an earlier revision, 0 for the one before this (as `kubectl rollout undo`).

    Raises:
        InvalidArguments: the kind has no roll-out. AskDifferently: it is paused, or is at that revision already.
        ObjectNotFound: there is no such revision; says which there are.
    """
    if found.type.kind not in RESTARTABLE:
        todo = f"It works for {', '.join(RESTARTABLE)}."
        raise InvalidArguments(f"{found.label} has no roll-out to take back.", todo=todo)
    if (found.obj.get("spec") or {}).get("paused"):
        raise AskDifferently(
            f"{found.label} is paused, and a paused roll-out is not taken back.", todo="Resume it first."
        )
    deployment = found.type.kind == "Deployment"
    resource = "replicasets.apps" if deployment else "controllerrevisions.apps"
    await found.world.ensure(resource, namespace=found.key.namespace)
    number, chosen = _chosen(found, _history(found, resource), revision)
    template = chosen["spec"]["template"] if deployment else _template_in(chosen)
    if _plain(template) == _plain(found.obj["spec"].get("template") or {}):
        raise AskDifferently(f"{found.label} is as in revision {number} already.", todo="Nothing is to be done.")
    call = _undo_deployment(found, chosen) if deployment else _undo_set(found, chosen)
    return Change("rollback_rollout", found.ref, (call,), f"Roll {found.label} back to revision {number}")


def _history(found: Found, resource: str) -> dict[int, Object]:
    """Its own revisions by number."""
    uid = found.obj["metadata"].get("uid")
    owned = [
        obj
        for obj in found.world.store.objects(resource, found.key.namespace)
        for owner in obj["metadata"].get("ownerReferences") or ()
        if owner.get("controller") and owner.get("uid") == uid
    ]
    return {number: obj for obj in owned if (number := _number(obj))}


def _number(obj: Object) -> int:
    """0 where it has none."""
    given = obj.get("revision") or (obj["metadata"].get("annotations") or {}).get(REVISION) or 0
    return int(given) if str(given).isdigit() else 0


def _chosen(found: Found, history: dict[int, Object], revision: int) -> tuple[int, Object]:
    numbers = sorted(history)
    there = f"There are: {', '.join(map(str, numbers))}." if numbers else "There is none at all."
    if revision and revision not in history:
        raise ObjectNotFound(f"{found.label} has no revision {revision} in its history.", todo=there)
    if not revision and len(numbers) < 2:
        raise ObjectNotFound(f"{found.label} has no earlier revision to go back to.", todo=there)
    number = revision or numbers[-2]
    return number, history[number]


def _template_in(revision: Object) -> dict[str, Any]:
    return dict(((revision.get("data") or {}).get("spec") or {}).get("template") or {})


def _plain(template: dict[str, Any]) -> dict[str, Any]:
    """Without what the Deployment's controller and the revision's form add."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH}
    rest = {key: value for key, value in template.items() if key != "$patch"}
    return {**rest, "metadata": {**metadata, "labels": labels}}


def _undo_deployment(found: Found, chosen: Object) -> ApiCall:
    own = {key: value for key, value in (found.obj["metadata"].get("annotations") or {}).items() if key in _OWN}
    back = {key: value for key, value in (chosen["metadata"].get("annotations") or {}).items() if key not in _OWN}
    body = [
        {"op": "replace", "path": "/spec/template", "value": _plain(chosen["spec"]["template"])},
        {"op": "replace", "path": "/metadata/annotations", "value": own | back},
    ]
    return ApiCall("patch", path_of(found), found.ref, body, JSON_PATCH)


def _undo_set(found: Found, chosen: Object) -> ApiCall:
    """A ControllerRevision holds the patch itself, `$patch: replace` and all."""
    template = {**_template_in(chosen), "$patch": "replace"}
    return ApiCall("patch", path_of(found), found.ref, {"spec": {"template": template}}, STRATEGIC_PATCH)
