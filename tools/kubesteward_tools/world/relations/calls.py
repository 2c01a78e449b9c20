"""Applications call the Services that their literal configuration names: a guess, and marked as one.

Variables and arguments of templates and of pods that no template describes are read, once each. The confidence says
how the Service was named (see `hosts`); a bare name in a variable called DB_HOST counts as a host with its DB_PORT
beside it, and a little less without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.hosts import Host, host, hosts, is_sensitive
from kubesteward_tools.world.relations.reading import mapping, mappings, text, texts
from kubesteward_tools.world.relations.templates import POD_LIKE, containers, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "calls"
RESOURCES = POD_LIKE
DEPENDS: Depends = "source"

_TEMPLATED = {"ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"}
_WITH_PORT = ("_HOST", "_HOSTNAME", "_ADDR", "_ADDRESS", "_SERVER", "_SERVICE", "_ENDPOINT")
_ALONE = ("_HOST", "_HOSTNAME")
_BY_NAME_ALONE = 0.4

_Found = Iterator[tuple[Host, str]]


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Template or bare pod → Service; of several mentions of one Service the surest, then the first."""
    del kinds
    if _is_described_above(obj):
        return ()
    best: dict[Key, Edge] = {}
    for container in containers(pod_spec(key, obj)):
        for found, detail in _mentions(key.namespace, container):
            target = Key("services", found.namespace, found.service)
            if target not in best or best[target].confidence < found.confidence:
                best[target] = Edge(RELATION, key, target, detail, confidence=found.confidence)
    return best.values()


def _is_described_above(obj: Object) -> bool:
    """Whether an owner's template says the same."""
    for owner in mappings(mapping(obj.get("metadata")).get("ownerReferences")):
        if text(owner.get("kind")) in _TEMPLATED:
            return True
    return False


def _mentions(namespace: str, container: Object) -> _Found:
    where = f"of container {text(container.get('name'))}"
    written = [(text(item.get("name")), text(item.get("value"))) for item in mappings(container.get("env"))]
    variables = [(name, value) for name, value in written if name and value]
    names = {name.upper() for name, _ in variables}
    for name, value in variables:
        for found in _of_variable(name, value, names, namespace):
            yield found, intern(f"env {name} {where}")
    for field in ("command", "args"):
        for argument in texts(container.get(field)):
            for found in hosts(argument, namespace):
                yield found, intern(f"{field} {where}")


def _of_variable(name: str, value: str, names: set[str], namespace: str) -> Iterable[Host]:
    """Most values are neither an address nor in a variable for one, and quickly passed over."""
    if ":" in value or ".svc" in value:
        return hosts(value, namespace, sensitive=is_sensitive(name))
    upper = name.upper()
    if upper.endswith(_WITH_PORT) and len(value) <= 253:
        beside = f"{upper.rpartition('_')[0]}_PORT" in names
        if (beside or upper.endswith(_ALONE)) and (found := host(value, namespace, addressed=True)):
            return (found if beside else found._replace(confidence=min(found.confidence, _BY_NAME_ALONE)),)
    return ()
