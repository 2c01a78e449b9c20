"""Objects of groups that are not built in are defined by a CustomResourceDefinition called plural.group.

API doc: apiextensions.k8s.io/v1 CustomResourceDefinition. Groups of well-known aggregated APIs count as built in; the
edge of an object from another aggregated API stays dangling.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.store import Key, Object

RELATION = "defined_by"
RESOURCES = "*"
DEPENDS: Depends = "source"

_BUILT_IN = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "custom.metrics.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "external.metrics.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "metrics.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Custom object → its definition. The object's key tells all."""
    del obj, kinds
    definition = _definition(key.resource)
    return () if definition is None else (Edge(RELATION, key, definition),)


@cache
def _definition(resource: str) -> Key | None:
    group = resource.partition(".")[2]
    return None if group in _BUILT_IN else Key("customresourcedefinitions.apiextensions.k8s.io", "", resource)
