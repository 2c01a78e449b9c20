"""What other objects have to do with one: each relation is a list of objects, looked up only where a check asks.

Selectors are compared here, so that an expression never has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kubesteward_tools.checks.inventory import DEFAULT, Inventory, Object, Subject
from kubesteward_tools.checks.references import named_by
from kubesteward_tools.twin.selectors import matches

Relation = Callable[[Subject, Inventory], list[Any]]


def related(names: Iterable[str], subject: Subject, inventory: Inventory) -> dict[str, list[Any]]:
    """Raises KeyError for a relation that there is not."""
    return {name: RELATIONS[name](subject, inventory) for name in names}


def _labels(subject: Subject) -> Mapping[str, str]:
    labels = subject.part.metadata.get("labels") if subject.part else None
    return labels if isinstance(labels, Mapping) else {}


def _spec(obj: Object) -> Mapping[str, Any]:
    spec = obj.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _fits(selector: Any, labels: Mapping[str, str]) -> bool:
    """Of a LabelSelector; one that is malformed selects nothing."""
    try:
        return isinstance(selector, Mapping) and matches(selector, labels)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _selector(obj: Object) -> Mapping[str, Any] | None:
    """What an object selects pods by, as a LabelSelector; None where it selects none."""
    spec, kind = _spec(obj), obj.get("kind")
    if kind in {"Service", "ReplicationController"}:
        return {"matchLabels": spec["selector"]} if isinstance(spec.get("selector"), Mapping) else None
    found = spec.get("podSelector", {}) if kind == "NetworkPolicy" else spec.get("selector")
    return found if isinstance(found, Mapping) else None


def _selecting(kind: str) -> Relation:
    def found(subject: Subject, inventory: Inventory) -> list[Any]:
        if subject.part is None:
            return []
        labels = _labels(subject)
        chosen = [(item.obj, _selector(item.obj)) for item in inventory.of(kind, subject.space)]
        empty = kind != "Service"  # a Service without a selector selects nothing, others everything
        return [obj for obj, by in chosen if by is not None and (by.get("matchLabels") or empty) and _fits(by, labels)]

    return found


def _pods(subject: Subject, inventory: Inventory) -> list[Any]:
    """Objects whose pods this one selects."""
    by = _selector(subject.obj)
    if by is None or (subject.ref.kind == "Service" and not by.get("matchLabels")):
        return []
    runners = inventory.runners(subject.space)
    return [item.obj for item in runners if item is not subject and _fits(by, _labels(item))]


def _autoscalers(subject: Subject, inventory: Inventory) -> list[Any]:
    return [
        item.obj
        for item in inventory.of("HorizontalPodAutoscaler", subject.space)
        if _names(_spec(item.obj).get("scaleTargetRef"), subject)
    ]


def _names(ref: Any, subject: Subject) -> bool:
    return isinstance(ref, Mapping) and (ref.get("kind"), ref.get("name")) == (subject.ref.kind, subject.ref.name)


def _scaled(subject: Subject, inventory: Inventory) -> list[Any]:
    ref = _spec(subject.obj).get("scaleTargetRef")
    if not isinstance(ref, Mapping):
        return []
    found = inventory.named(str(ref.get("kind")), subject.space, str(ref.get("name")))
    return [found.obj] if found else []


def _account(subject: Subject, inventory: Inventory) -> list[Any]:
    if subject.part is None:
        return []
    spec = subject.part.spec
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
    found = inventory.named("ServiceAccount", subject.space, str(name))
    return [found.obj] if found else []


def _role(subject: Subject, inventory: Inventory) -> list[Any]:
    ref = subject.obj.get("roleRef")
    if not isinstance(ref, Mapping):
        return []
    kind = str(ref.get("kind"))
    found = inventory.named(kind, subject.space if kind == "Role" else "", str(ref.get("name")))
    return [found.obj] if found else []


def _backends(subject: Subject, inventory: Inventory) -> list[Any]:
    """The Services that an Ingress sends to: name, port (number or name), found, served."""
    spec = _spec(subject.obj)
    rules = [rule for rule in spec.get("rules") or () if isinstance(rule, Mapping)]
    paths = [path for rule in rules for path in (rule.get("http") or {}).get("paths") or ()]
    given = [path.get("backend") for path in paths] + [spec.get("defaultBackend"), spec.get("backend")]
    return [_backend(item, subject, inventory) for item in given if isinstance(item, Mapping) and _service(item)[0]]


def _service(backend: Object) -> tuple[str, Any]:
    if isinstance(service := backend.get("service"), Mapping):
        port = service.get("port") or {}
        return str(service.get("name", "")), port.get("number", port.get("name"))
    return str(backend.get("serviceName", "")), backend.get("servicePort")


def _backend(item: Object, subject: Subject, inventory: Inventory) -> dict[str, Any]:
    name, port = _service(item)
    return _end(name, str(port), subject.space, inventory)


def _end(name: str, port: str, space: str, inventory: Inventory) -> dict[str, Any]:
    """A Service that is not here may exist all the same, unless it is known that it does not."""
    found = inventory.named("Service", space, name)
    if found is None:
        there = inventory.whole and not inventory.lacks("Service", space, name)
        return {"name": name, "port": port, "found": there, "served": there}
    ports = [one for one in _spec(found.obj).get("ports") or () if isinstance(one, Mapping)]
    served = any(port in {str(one.get("port")), str(one.get("name"))} for one in ports)
    return {"name": name, "port": port, "found": True, "served": served}


def _route_backends(subject: Subject, inventory: Inventory) -> list[Any]:
    """The Services that a route of the Gateway API sends to, like those of an Ingress. API doc: BackendRef."""
    rules = [rule for rule in _spec(subject.obj).get("rules") or () if isinstance(rule, Mapping)]
    refs = [ref for rule in rules for ref in rule.get("backendRefs") or () if isinstance(ref, Mapping)]
    return [_routed(ref, subject, inventory) for ref in refs if ref.get("kind", "Service") == "Service"]


def _routed(ref: Object, subject: Subject, inventory: Inventory) -> dict[str, Any]:
    return _end(
        str(ref.get("name", "")), str(ref.get("port", "")), str(ref.get("namespace") or subject.space), inventory
    )


def _lost(subject: Subject, inventory: Inventory) -> list[Any]:
    """What a binding or a claim names and is not there: "ServiceAccount shop/web", "StorageClass fast"."""
    named = [*_bound(subject), *_classed(subject.obj)]
    lost = [(kind, space, name) for kind, space, name in named if name and inventory.lacks(kind, space, name)]
    return [f"{kind} {space}/{name}" if space else f"{kind} {name}" for kind, space, name in lost]


def _bound(subject: Subject) -> Iterator[tuple[str, str, str]]:
    ref = subject.obj.get("roleRef")
    if isinstance(ref, Mapping):
        kind = str(ref.get("kind"))
        yield kind, subject.space if kind == "Role" else "", str(ref.get("name", ""))
    for item in subject.obj.get("subjects") or ():
        if isinstance(item, Mapping) and item.get("kind") == "ServiceAccount":
            yield "ServiceAccount", str(item.get("namespace") or subject.space or DEFAULT), str(item.get("name", ""))


def _classed(obj: Object) -> Iterator[tuple[str, str, str]]:
    """A claim that is bound to a volume by hand needs no class."""
    claims = [obj] if obj.get("kind") == "PersistentVolumeClaim" else _spec(obj).get("volumeClaimTemplates") or ()
    for claim in claims:
        if isinstance(claim, Mapping) and not _spec(claim).get("volumeName"):
            yield "StorageClass", "", str(_spec(claim).get("storageClassName") or "")


def _siblings(subject: Subject, inventory: Inventory) -> list[Any]:
    return [item.obj for item in inventory.of(subject.ref.kind) if item is not subject]


def _missing(subject: Subject, inventory: Inventory) -> list[Any]:
    """What the pod names and is not there, as "ConfigMap settings"; optional references may lead nowhere."""
    if subject.part is None:
        return []
    named = named_by(subject.part.spec)
    return [f"{kind} {name}" for kind, name in named if inventory.lacks(kind, subject.space, name)]


def _users(subject: Subject, inventory: Inventory) -> list[Any]:
    """What names this ConfigMap, Secret, claim or account in its pods, in an Ingress, or as an account's own."""
    wanted = (subject.ref.kind, subject.ref.name)
    runners = inventory.runners(subject.space)
    found = [item.obj for item in runners if item.part and wanted in named_by(item.part.spec, optional=True)]
    if wanted[0] == "Secret":
        found += [item.obj for item in inventory.of("Ingress", subject.space) if _secures(item.obj, wanted[1])]
        found += [item.obj for item in inventory.of("ServiceAccount", subject.space) if _keeps(item.obj, wanted[1])]
    return found


def _secures(ingress: Object, name: str) -> bool:
    return any(item.get("secretName") == name for item in _spec(ingress).get("tls") or () if isinstance(item, Mapping))


def _keeps(account: Object, name: str) -> bool:
    held = [*(account.get("secrets") or ()), *(account.get("imagePullSecrets") or ())]
    return any(item.get("name") == name for item in held if isinstance(item, Mapping))


def _inside(kind: str) -> Relation:
    """Objects of a kind within a Namespace."""
    return lambda subject, inventory: [item.obj for item in inventory.of(kind, subject.ref.name)]


def _runners(subject: Subject, inventory: Inventory) -> list[Any]:
    return [item.obj for item in inventory.runners(subject.ref.name)]


def _neighbours(subject: Subject, inventory: Inventory) -> list[Any]:
    """Whatever else is checked and runs pods in the namespace."""
    return [item.obj for item in inventory.runners(subject.space) if item is not subject]


RELATIONS: Mapping[str, Relation] = {
    "account": _account,
    "autoscalers": _autoscalers,
    "backends": _backends,
    "budgets": _selecting("PodDisruptionBudget"),
    "lost": _lost,
    "missing": _missing,
    "neighbours": _neighbours,
    "pods": _pods,
    "policies": _selecting("NetworkPolicy"),
    "quotas": _inside("ResourceQuota"),
    "role": _role,
    "routeBackends": _route_backends,
    "runners": _runners,
    "scaled": _scaled,
    "services": _selecting("Service"),
    "siblings": _siblings,
    "spacePolicies": _inside("NetworkPolicy"),
    "users": _users,
}
"""What an expression may ask for as `related.NAME`."""
