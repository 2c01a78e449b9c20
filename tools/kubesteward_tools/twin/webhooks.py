"""What of the API leans on Services: webhooks that fail closed and aggregated APIs take it down with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.admission.hooks import MUTATING, VALIDATING, fails_closed
from kubesteward_tools.twin.admission.matching import labels_of, resource_matches
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object, Store

_API_SERVICES = "apiservices.apiregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. `service` is (namespace, name), or None when it is called by URL."""

    name: str
    fails_closed: bool
    service: tuple[str, str] | None
    rules: tuple[dict[str, Any], ...]
    namespaces: dict[str, Any]
    objects: dict[str, Any]

    def covers(self, group: str, plural: str, operation: str) -> bool:
        return any(_rule_covers(rule, group, plural, operation) for rule in self.rules)

    def covers_pods(self, store: Store, namespace: str) -> bool:
        return self.covers("", "pods", "CREATE") and matches(self.namespaces, labels_of(store, namespace))


def hooks(store: Store) -> Iterator[Hook]:
    for kind in (MUTATING, VALIDATING):
        for configuration in store.objects(kind):
            for item in configuration.get("webhooks") or ():
                service = (item.get("clientConfig") or {}).get("service")
                yield Hook(
                    name=item["name"],
                    fails_closed=fails_closed(item),
                    service=(service["namespace"], service["name"]) if service else None,
                    rules=tuple(item.get("rules") or ()),
                    namespaces=item.get("namespaceSelector") or {},
                    objects=item.get("objectSelector") or {},
                )


def hooks_on_pods(store: Store, namespace: str) -> Iterator[Hook]:
    """Those that a pod created in this namespace may have to pass (object selectors are taken to match)."""
    return (hook for hook in hooks(store) if hook.covers_pods(store, namespace))


@dataclass(frozen=True, slots=True)
class Need:
    """Something of the API that a Service carries: the rule that its loss breaks, and what follows in words."""

    rule: str
    text: str


def needs(store: Store, service: Key) -> list[Need]:
    """What would be lost with the last endpoint of a Service."""
    where = (service.namespace, service.name)
    found = [
        Need("api.webhook_down", f"webhook {hook.name} refuses requests without it{_deadlock(store, hook, service)}")
        for hook in hooks(store)
        if hook.fails_closed and hook.service == where
    ]
    for item in store.objects(_API_SERVICES):
        backend = item["spec"].get("service") or {}
        if (backend.get("namespace"), backend.get("name")) == where:
            found.append(
                Need("api.service_down", f"the API of APIService {item['metadata']['name']} is gone without it")
            )
    return found


def _deadlock(store: Store, hook: Hook, service: Key) -> str:
    """A webhook that has to consent to its own pods cannot come back by itself."""
    if not hook.covers_pods(store, service.namespace):
        return ""
    if not any(matches(hook.objects, pod["metadata"].get("labels")) for pod in _pods_of(store, service)):
        return ""
    return ", new pods of its own among them: it cannot come back until somebody takes its configuration away"


def _pods_of(store: Store, service: Key) -> Iterator[Object]:
    selector = ((store.get(service) or {}).get("spec") or {}).get("selector")
    if selector:
        for key in store.selected("pods", service.namespace, {"matchLabels": selector}):
            if (pod := store.get(key)) is not None:
                yield pod


def _rule_covers(rule: dict[str, Any], group: str, plural: str, operation: str) -> bool:
    return (
        not {"*", group}.isdisjoint(rule.get("apiGroups") or ())
        and resource_matches(rule.get("resources") or (), plural, "")
        and not {"*", operation}.isdisjoint(rule.get("operations") or ())
    )
