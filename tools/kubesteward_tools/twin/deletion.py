"""What a delete does to an object: gone at once, or marked and held by a grace period or by finalizers.

API doc: metav1.DeleteOptions; Kubernetes docs, "Garbage Collection" and "Pod Lifecycle: termination".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.status import ApiError, invalid, invalid_value, not_supported
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_POLICIES = ("Background", "Foreground", "Orphan")
_JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """One delete of one object; `options` is a metav1.DeleteOptions, `now` in epoch seconds."""

    kind: ResourceType
    obj: Object
    options: dict[str, Any]
    now: float
    warnings: list[str]

    def check_preconditions(self) -> None:
        """Raises ApiError 409 when the caller meant another object or version, 422 for an unknown policy."""
        wanted, metadata = self.options.get("preconditions") or {}, self.obj["metadata"]
        for field, words in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field) and wanted[field] != metadata.get(field):
                raise self._mismatch(words, wanted[field], metadata.get(field, ""))
        policy = self.options.get("propagationPolicy")
        if policy and policy not in _POLICIES:
            raise invalid("DeleteOptions.meta.k8s.io", "", [not_supported("propagationPolicy", policy, _POLICIES)])
        if policy and self.options.get("orphanDependents") is not None:
            why = "orphanDependents and deletionPropagation cannot be both set"
            raise invalid("DeleteOptions.meta.k8s.io", "", [invalid_value("propagationPolicy", policy, why)])

    def _mismatch(self, words: str, wanted: str, found: str) -> ApiError:
        name = self.obj["metadata"]["name"]
        why = f"the {words} in the precondition ({wanted}) does not match the {words} in record ({found})."
        if words == "UID":
            why += " The object might have been deleted and then recreated"
        message = f'Operation cannot be fulfilled on {self.kind.kind} "{name}": {why}'
        return ApiError(409, "Conflict", message, details={"name": name, "kind": self.kind.plural})

    def lingering(self) -> Object | None:
        """The marked object, or None when nothing holds it."""
        grace, finalizers = self._grace(), self._finalizers()
        held = bool(finalizers) or (self.kind.resource == "namespaces" and bool(self.obj["spec"].get("finalizers")))
        if not held and not grace:
            return None
        metadata = {**self.obj["metadata"]}
        if finalizers or "finalizers" in metadata:
            metadata["finalizers"] = finalizers
        stamp, period = timestamp(self.now + grace), metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in metadata or (period is not None and grace < period):
            metadata |= {"deletionTimestamp": stamp, "deletionGracePeriodSeconds": int(grace)}
            if "generation" in metadata:
                metadata["generation"] += 1
        marked = {**self.obj, "metadata": metadata}
        if self.kind.resource == "namespaces":
            marked["status"] = {**(self.obj.get("status") or {}), "phase": "Terminating"}
        return marked

    def _grace(self) -> float:
        """Seconds; only pods that run on a node have any (pod strategy, CheckGracefulDelete)."""
        if self.kind.resource != "pods" or not self.obj["spec"].get("nodeName") or is_terminal(self.obj):
            return 0
        asked = self.options.get("gracePeriodSeconds")
        return float(asked if asked is not None else self.obj["spec"].get("terminationGracePeriodSeconds", 30))

    def _finalizers(self) -> list[str]:
        policy = self.options.get("propagationPolicy")
        if policy is None and self.kind.resource == "jobs.batch" and "orphanDependents" not in self.options:
            policy = "Orphan"
            self.warnings.append(_JOB_WARNING)
        if self.options.get("orphanDependents"):
            policy = "Orphan"
        finalizers = [f for f in self.obj["metadata"].get("finalizers") or () if f not in {FOREGROUND, ORPHAN}]
        if policy == "Foreground":
            finalizers.append(FOREGROUND)
        elif policy == "Orphan":
            finalizers.append(ORPHAN)
        elif policy is None:
            finalizers = list(self.obj["metadata"].get("finalizers") or ())
        return finalizers


def settle_deletion(obj: Object) -> bool:
    """Whether an update took the last thing away that held a deleted object."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if obj.get("kind") == "Namespace":
        return not obj["spec"].get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")
