"""Admission webhooks as configured: whom the API server would ask. They are named, never simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object, Store

_CONFIGURATIONS = (
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
)
_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. `service` is (namespace, name), or None when it is called by URL."""

    name: str
    fails_closed: bool
    service: tuple[str, str] | None
    rules: tuple[dict[str, Any], ...]
    namespaces: dict[str, Any]

    def covers(self, group: str, plural: str, operation: str) -> bool:
        return any(_rule_covers(rule, group, plural, operation) for rule in self.rules)


def hooks(store: Store) -> Iterator[Hook]:
    for kind in _CONFIGURATIONS:
        for configuration in store.objects(kind):
            for item in configuration.get("webhooks") or ():
                service = (item.get("clientConfig") or {}).get("service")
                yield Hook(
                    name=item["name"],
                    fails_closed=item.get("failurePolicy", "Fail") == "Fail",
                    service=(service["namespace"], service["name"]) if service else None,
                    rules=tuple(item.get("rules") or ()),
                    namespaces=item.get("namespaceSelector") or {},
                )


def hooks_on_pods(store: Store, namespace: str) -> Iterator[Hook]:
    """Those that a pod created in this namespace may have to pass (object selectors are taken to match)."""
    labels = _labels(store, namespace)
    return (hook for hook in hooks(store) if hook.covers("", "pods", "CREATE") and matches(hook.namespaces, labels))


def _labels(store: Store, namespace: str) -> dict[str, str]:
    found = store.get(Key("namespaces", "", namespace)) or {"metadata": {}}
    return {"kubernetes.io/metadata.name": namespace, **(found["metadata"].get("labels") or {})}


def _rule_covers(rule: dict[str, Any], group: str, plural: str, operation: str) -> bool:
    groups, resources, operations = rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("operations")
    return (
        not {"*", group}.isdisjoint(groups)
        and not {"*", "*/*", plural}.isdisjoint(resources)
        and (operation == "*" or not {"*", operation}.isdisjoint(operations or ()))
    )
