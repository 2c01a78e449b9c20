"""NamespaceLifecycle: nothing new in a namespace that is missing or going away."""

from __future__ import annotations

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.status import forbidden, not_found
from kubesteward_tools.world.store import Key

NAMESPACES = resources.STORED[0]


def lifecycle(attempt: Attempt) -> None:
    if attempt.operation != "CREATE" or not attempt.kind.namespaced:
        return
    namespace = attempt.store.get(Key("namespaces", "", attempt.namespace))
    if namespace is None:
        raise not_found(NAMESPACES, attempt.namespace)
    if namespace["metadata"].get("deletionTimestamp"):
        name = attempt.namespace
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
        why = f"unable to create new content in namespace {name} because it is being terminated"
        raise forbidden(attempt.kind, attempt.name, why, [cause])
