"""Node selectors and node affinity. API doc: core/v1 NodeSelectorRequirement."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kubesteward_tools.world.store import Object

_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
"""A requirement with any other value cannot be read, and then its term matches nothing."""


def node_affinity(pod: Object, node: Object) -> str:
    return "" if matches_node(pod, node) else "node(s) didn't match Pod's node affinity/selector"


def matches_node(pod: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    rules = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = rules.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or matches_terms(required, node)


def matches_terms(selector: Mapping[str, Any], node: Object) -> bool:
    """Whether any term of a NodeSelector matches; a term without any requirement matches nothing."""
    return any(_term(term, node) for term in selector.get("nodeSelectorTerms") or ())


def named_nodes(pod: Object) -> frozenset[str] | None:
    """The only nodes that a pod asks for by name, as daemons do; None when its required affinity is not that narrow."""
    rules = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = (rules.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ()
    narrow = [
        item.get("values") or ()
        for term in terms
        for item in (term.get("matchFields") or ())[:1]
        if item["key"] == "metadata.name" and item["operator"] == "In"
    ]
    return frozenset(name for names in narrow for name in names) if terms and len(narrow) == len(terms) else None


def _term(term: Mapping[str, Any], node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    names = {"metadata.name": node["metadata"]["name"]}
    return all(_requirement(item, labels) for item in expressions) and all(_requirement(item, names) for item in fields)


def _requirement(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = item["key"], item["operator"]
    values: Sequence[str] = item.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values and all(_LABEL_VALUE.fullmatch(value) for value in values)
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    try:
        found, limit = int(labels[key]), int(values[0])
    except (KeyError, ValueError, IndexError):
        return False
    return found > limit if operator == "Gt" else found < limit
