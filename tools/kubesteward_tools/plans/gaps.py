"""What a bundle does not hold and a cluster always has: filled in where there is no doubt, and told where there is.

`kubectl get all -A -o yaml` saves neither Namespaces nor ServiceAccounts nor budgets.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.world.store import Key, Object, Store

_MAY_BE_NONE = ("resourcequotas", "limitranges", "poddisruptionbudgets.policy")
"""Kinds that stop changes. A cluster without any is as likely as a bundle that was saved without them."""


def filled(store: Store) -> list[str]:
    """Put the namespaces of the objects, and the accounts of namespaces and pods, into `store`; say what is assumed.

    Raises:
        InvalidArguments: no node is there, so that nobody can tell where a pod fits.
    """
    if not store.count("nodes"):
        todo = "Save `kubectl get nodes -o yaml` beside the other objects."
        raise InvalidArguments("the bundle holds no nodes, so that nobody can tell where pods fit.", todo=todo)
    for space in sorted({space for resource in store.resources() for space in store.spaces(resource) if space}):
        for key in (Key("namespaces", "", space), *_accounts(store, space)):
            if store.get(key) is None:
                store.put(key, _made(key))
    missing = [resource for resource in _MAY_BE_NONE if not store.count(resource)]
    return [f"the bundle holds no {', no '.join(missing)}: it is taken that there are none"] if missing else []


def _accounts(store: Store, space: str) -> Iterator[Key]:
    """Every namespace has `default` (the controller manager sees to it); a pod that is there has its own."""
    names = {(pod.get("spec") or {}).get("serviceAccountName") or "default" for pod in store.objects("pods", space)}
    yield from (Key("serviceaccounts", space, name) for name in sorted({"default", *names}))


def _made(key: Key) -> Object:
    metadata = {"name": key.name, "uid": f"filled-in-{key.namespace}-{key.name}", "resourceVersion": "1"}
    if key.resource == "namespaces":
        labels = {"kubernetes.io/metadata.name": key.name}
        made = {"kind": "Namespace", "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        return {"apiVersion": "v1", **made, "metadata": {**metadata, "labels": labels}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**metadata, "namespace": key.namespace}}
