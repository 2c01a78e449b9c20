"""What a pod asks of the node it is to run on, and of the pods that run near it.

API docs: v1.PodSpec.nodeSelector, v1.NodeAffinity (terms are alternatives; empty ones match nothing), v1.PodAffinity,
v1.TopologySpreadConstraint. Terms with Gt or Lt are left out: label selectors cannot say them.
Both ends go on when the other changes: all of it is looked at while scheduling and ignored during execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, Link, Selection, point, selection
from kubesteward_tools.world.relations.reading import (
    is_requirement,
    label_selector,
    mapping,
    mappings,
    plain_selector,
    text,
    texts,
)
from kubesteward_tools.world.store import Key, Object

RELATION = "affinity"
RESOURCES = ("pods",)
DEPENDS: Depends = "neither"

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_BETWEEN_PODS = (("podAffinity", "pod affinity"), ("podAntiAffinity", "pod anti-affinity"))


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Link]:
    """Pod → the nodes and pods that its rules match; the topology key of a rule is in the detail."""
    del kinds
    spec = mapping(obj.get("spec"))
    links: list[Link] = []
    if (labels := spec.get("nodeSelector")) and (selector := plain_selector(labels)):
        links.append(selection((RELATION, key, "nodes", None, selector, "node selector")))
    if rules := mapping(spec.get("affinity")):
        if "nodeAffinity" in rules:
            links += _nodes(key, mapping(rules["nodeAffinity"]))
        for field, word in _BETWEEN_PODS:
            if field in rules:
                links += _pods(key, mapping(rules[field]), word)
    if "topologySpreadConstraints" in spec:
        links += _spread(key, mappings(spec["topologySpreadConstraints"]))
    return links


def _nodes(key: Key, rules: Object) -> Iterator[Link]:
    for term in mappings(mapping(rules.get(_REQUIRED)).get("nodeSelectorTerms")):
        yield from _node_term(key, term, "required node affinity")
    for weighted in mappings(rules.get(_PREFERRED)):
        yield from _node_term(key, mapping(weighted.get("preference")), "preferred node affinity")


def _node_term(key: Key, term: Object, detail: str) -> Iterator[Link]:
    """One alternative. DaemonSets name their node in a field, the only one there is; labels then say nothing more."""
    fields, expressions = mappings(term.get("matchFields")), term.get("matchExpressions")
    for field in fields:
        if field.get("key") == "metadata.name" and field.get("operator") == "In":
            for name in texts(field.get("values")):
                yield Edge(RELATION, key, point("nodes", "", name), detail)
    if not fields and expressions and isinstance(expressions, list) and all(map(is_requirement, expressions)):
        yield Selection(RELATION, key, "nodes", None, {"matchExpressions": expressions}, detail)


def _pods(key: Key, rules: Object, word: str) -> list[Link]:
    links: list[Link] = []
    if _REQUIRED in rules:
        for term in mappings(rules[_REQUIRED]):
            links += _pod_term(key, term, "required " + word)
    if _PREFERRED in rules:
        for weighted in mappings(rules[_PREFERRED]):
            links += _pod_term(key, mapping(weighted.get("podAffinityTerm")), "preferred " + word)
    return links


def _pod_term(key: Key, term: Object, word: str) -> list[Link]:
    """In the pod's own namespace, if the term names none."""
    selector = label_selector(term.get("labelSelector"))
    if selector is None:
        return []
    detail = intern(f"{word} by {text(term.get('topologyKey'))}")
    if not term.get("namespaceSelector") and not term.get("namespaces"):
        everywhere = term.get("namespaceSelector") == {}
        return [selection((RELATION, key, "pods", None if everywhere else key.namespace, selector, detail))]
    return _elsewhere(key, term, selector, detail)


def _elsewhere(key: Key, term: Object, selector: Object, detail: str) -> list[Link]:
    """Pods in the named namespaces; those that a namespaceSelector adds are selected as namespaces."""
    spaces = label_selector(term.get("namespaceSelector"))
    if spaces == {}:
        return [Selection(RELATION, key, "pods", None, selector, detail)]
    named = texts(term.get("namespaces"))
    links: list[Link] = [Selection(RELATION, key, "pods", namespace, selector, detail) for namespace in named]
    if spaces is not None:
        links.append(Selection(RELATION, key, "namespaces", None, spaces, detail))
    return links


def _spread(key: Key, constraints: list[Object]) -> list[Link]:
    links: list[Link] = []
    for constraint in constraints:
        selector = label_selector(constraint.get("labelSelector"))
        if selector is not None:
            detail = intern(f"spread by {text(constraint.get('topologyKey'))}")
            links.append(selection((RELATION, key, "pods", key.namespace, selector, detail)))
    return links
