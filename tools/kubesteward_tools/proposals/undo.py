"""The change that takes an action back, from what is on record of it and from the cluster as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubesteward_policies.change import JSON_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskDifferently, Refused
from kubesteward_tools.proposals.restoring import restored, secrets_in
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.tool import Done
    from kubesteward_tools.world.world import World

_GIVEN = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
)
_TOKENS = "kube-api-access-"
_JOB_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")
_BINDING = "pv.kubernetes.io/"
_REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Undone:
    """For one object: the call, if there is one, and what has to be said."""

    call: ApiCall | None = None
    says: str = ""


async def undo(world: World, done: Done) -> Change:
    """Restore what it changed, create what it deleted, delete what it created, in the opposite order.

    Raises:
        AskDifferently: there is nothing to take back, or somebody has taken it back.
        Refused: a value that is needed was a secret, which no record holds.
    """
    if done.reverted_by:
        raise AskDifferently(f"action {done.action} was rolled back by {done.reverted_by}.", todo="Nothing is to do.")
    made = done.change.calls[: done.made]
    targets = list(dict.fromkeys(call.target for call in made))
    for target in targets:
        await world.ensure(world.key(target).resource, namespace=target.namespace)
    found = [_of_target(world, done, target) for target in reversed(targets)]
    calls = tuple(item.call for item in found if item.call is not None)
    said = "; ".join(item.says for item in found if item.says)
    if not calls:
        why = said or "none of its calls was made"
        raise AskDifferently(f"nothing of action {done.action} can be taken back: {why}.", todo="Look at the objects.")
    summary = f"Roll back {done.action} ({done.change.summary}): {said}"
    return Change("rollback_action", calls[0].target, calls, summary, reverts=done.action)


def _of_target(world: World, done: Done, target: Ref) -> Undone:
    made = [(number, call) for number, call in enumerate(done.change.calls[: done.made]) if call.target == target]
    live, before = world.store.get(world.key(target)), _before(done, target)
    left = _left(before, [done.after.get(number) for number, _ in made])
    last = made[-1][1]
    if before is None:
        return _delete(world, target, left, live)
    if last.verb == "delete" or last.evicts:
        return _create(world, target, before, live)
    if live is None:
        return Undone(says=f"{target} is gone by now and stays so")
    if left is None:
        todo = "Patch its fields by hand; get_action tells what the action was."
        raise Refused(f"what action {done.action} left of {target} is not on record.", todo=todo)
    return _restore(world, target, before, left, live)


def _before(done: Done, target: Ref) -> Object | None:
    for obj in done.before:
        ref = Ref.of(dict(obj), target.cluster)
        if ref == target:
            return dict(obj)
    return None


def _left(before: Object | None, answers: list[Mapping[str, Any] | None]) -> Object | None:
    """The object after the action's calls to it; of a Scale only the number of replicas is told. None: not known."""
    found = before
    for answer in answers:
        if answer is None:
            return None
        if answer.get("kind") == "Scale":
            base = found or {}
            found = {
                **base,
                "spec": {**(base.get("spec") or {}), "replicas": (answer.get("spec") or {}).get("replicas")},
            }
        else:
            found = dict(answer)
    return found


def _delete(world: World, target: Ref, left: Object | None, live: Object | None) -> Undone:
    if live is None:
        return Undone(says=f"{target} is gone already")
    made = ((left or {}).get("metadata") or {}).get("uid")
    if made and made != live["metadata"].get("uid"):
        return Undone(says=f"{target} is another one by now and stays")
    kind = _kind(world, target)
    uid = live["metadata"].get("uid")
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    if uid:
        body = {**body, "preconditions": {"uid": uid}}  # type: ignore[dict-item]
    call = ApiCall("delete", kind.path(target.namespace, target.name), target, body)
    return Undone(call, f"delete {target}, which it created")


def _restore(world: World, target: Ref, before: Object, left: Object, live: Object) -> Undone:
    found = restored(before, left, live)
    if found.lost:
        todo = "Set them by hand, from where they are managed."
        raise Refused(f"secret values of {target} are not on record: {', '.join(found.lost)}.", todo=todo)
    stays = f"; left as others have set it since: {', '.join(found.moved)}" if found.moved else ""
    operations = found.patch()
    if not operations:
        return Undone(says=f"{target} is as it was{stays}")
    call = ApiCall("patch", _kind(world, target).path(target.namespace, target.name), target, operations, JSON_PATCH)
    fields = ", ".join(item["path"].strip("/").replace("/", ".") for item in operations[:5])
    return Undone(call, f"restore {fields} of {target}{stays}")


def _create(world: World, target: Ref, before: Object, live: Object | None) -> Undone:
    if live is not None:
        same = live["metadata"].get("uid") == before["metadata"].get("uid")
        return Undone(says=f"{target} is {'still being deleted' if same else 'there again, another one'} and stays")
    if any(item.get("controller") for item in before["metadata"].get("ownerReferences") or ()):
        return Undone(says=f"{target} does not come back, its controller makes another one")
    lost = ["data"] if target.kind == "Secret" else list(secrets_in(before))
    if lost:
        todo = "Create it by hand, from where it is managed."
        raise Refused(f"{target} is gone, and secret values of it are not on record: {', '.join(lost)}.", todo=todo)
    kind = _kind(world, target)
    body, missing = reborn(before, kind)
    call = ApiCall("create", kind.path(target.namespace), target, body)
    return Undone(call, f"create {target} again" + (f", {missing}" if missing else ""))


def reborn(before: Object, kind: ResourceType) -> tuple[dict[str, Any], str]:
    """A body to create the object with, and what it will lack."""
    body = deepcopy(dict(before))
    metadata, spec = body["metadata"], body.get("spec") or {}
    for name in _GIVEN:
        metadata.pop(name, None)
    annotations = metadata.get("annotations") or {}
    for name in [name for name in annotations if name == _REVISION or name.startswith(_BINDING)]:
        del annotations[name]
    body = {**body, "apiVersion": kind.api_version, "kind": kind.kind}
    body.pop("status", None)
    return body, _LOSSES[kind.kind](spec) if kind.kind in _LOSSES else ""


def _claim(spec: dict[str, Any]) -> str:
    spec.pop("volumeName", None)
    return "empty: the data of its volume does not come back"


def _job(spec: dict[str, Any]) -> str:
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        for name in _JOB_LABELS:
            labels.pop(name, None)
    return "which runs it anew"


def _pod(spec: dict[str, Any]) -> str:
    spec.pop("nodeName", None)
    spec["volumes"] = list(_lasting(spec.get("volumes") or ()))
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        container["volumeMounts"] = list(_lasting(container.get("volumeMounts") or ()))
    return "without what it had written in itself"


def _lasting(items: Any) -> Iterator[Any]:
    """All but the tokens, which admission adds."""
    return (item for item in items if not str(item.get("name", "")).startswith(_TOKENS))


_LOSSES = {"PersistentVolumeClaim": _claim, "Job": _job, "Pod": _pod}


def _kind(world: World, target: Ref) -> ResourceType:
    """Raises AskDifferently for a kind that the cluster serves no longer."""
    for kind in world.kinds.all():
        if (kind.group, kind.kind) == (target.group, target.kind):
            return kind
    raise AskDifferently(f"{world.cluster!r} serves no {target.kind} any more.", todo="Look at its definitions.")
