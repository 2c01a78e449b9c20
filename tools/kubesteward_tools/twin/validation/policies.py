"""Budgets, namespaces, nodes and roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.metadata import one_label
from kubesteward_tools.twin.validation.selectors import label_selector
from kubesteward_tools.twin.validation.shares import share

Obj = dict[str, Any]

_PSA = "pod-security.kubernetes.io/"
_LEVELS = ["privileged", "baseline", "restricted"]
_VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)", re.ASCII)
_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
_RBAC = "rbac.authorization.k8s.io"
_SUBJECTS = ["ServiceAccount", "User", "Group"]


def disruption_budget(obj: Obj) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield invalid_value("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        yield from share(f"spec.{field}", spec.get(field), at_most_all=True)
    policies = ["AlwaysAllow", "IfHealthyBudget"]
    if spec.get("unhealthyPodEvictionPolicy") not in {None, *policies}:
        yield not_supported("spec.unhealthyPodEvictionPolicy", spec["unhealthyPodEvictionPolicy"], policies)
    yield from label_selector("spec.selector", spec.get("selector"))


def namespace(obj: Obj) -> Iterator[FieldError]:
    labels = obj["metadata"].get("labels") or {}
    for mode in ("enforce", "audit", "warn"):
        level = labels.get(_PSA + mode)
        if level is not None and level not in _LEVELS:
            why = "must be one of privileged, baseline, restricted"
            yield invalid_value(f"metadata.labels[{_PSA}{mode}]", level, why)
        version = labels.get(f"{_PSA}{mode}-version")
        if version is not None and not _VERSION.fullmatch(version):
            why = 'must be "latest" or "v1.x"'
            yield invalid_value(f"metadata.labels[{_PSA}{mode}-version]", version, why)


def node(obj: Obj) -> Iterator[FieldError]:
    seen = set[tuple[str, str]]()
    for at, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        path, place = f"spec.taints[{at}]", (taint.get("key", ""), taint.get("effect", ""))
        yield from one_label(f"{path}.key", place[0], taint.get("value", ""))
        if not place[1]:
            yield required(f"{path}.effect")
        elif place[1] not in _EFFECTS:
            yield not_supported(f"{path}.effect", place[1], _EFFECTS)
        if place in seen:
            why = "taints must be unique by key and effect pair"
            yield FieldError("FieldValueDuplicate", path, f"Duplicate value: {why}")
        seen.add(place)


def role(obj: Obj) -> Iterator[FieldError]:
    for at, rule in enumerate(obj.get("rules") or ()):
        path, urls = f"rules[{at}]", rule.get("nonResourceURLs")
        if not rule.get("verbs"):
            yield required(f"{path}.verbs", "verbs must contain at least one value")
        if urls:
            if obj.get("kind") == "Role":
                why = "namespaced rules cannot apply to non-resource URLs"
                yield invalid_value(f"{path}.nonResourceURLs", urls, why)
            if any(rule.get(part) for part in ("apiGroups", "resources", "resourceNames")):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                yield invalid_value(f"{path}.nonResourceURLs", urls, why)
            continue
        if not rule.get("apiGroups"):
            yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{path}.resources", "resource rules must supply at least one resource")


def binding(obj: Obj) -> Iterator[FieldError]:
    reference, everywhere = obj.get("roleRef") or {}, obj.get("kind") == "ClusterRoleBinding"
    if reference.get("apiGroup") != _RBAC:
        yield not_supported("roleRef.apiGroup", reference.get("apiGroup", ""), [_RBAC])
    kinds = ["ClusterRole"] if everywhere else ["Role", "ClusterRole"]
    if reference.get("kind") not in kinds:
        yield not_supported("roleRef.kind", reference.get("kind", ""), kinds)
    if not reference.get("name"):
        yield required("roleRef.name")
    for at, subject in enumerate(obj.get("subjects") or ()):
        path, kind = f"subjects[{at}]", subject.get("kind", "")
        if not subject.get("name"):
            yield required(f"{path}.name")
        if kind not in _SUBJECTS:
            yield not_supported(f"{path}.kind", kind, _SUBJECTS)
        elif kind == "ServiceAccount" and everywhere and not subject.get("namespace"):
            yield required(f"{path}.namespace")


def aggregated(obj: Obj) -> Iterator[FieldError]:
    yield from role(obj)
    for at, selector in enumerate((obj.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()):
        yield from label_selector(f"aggregationRule.clusterRoleSelectors[{at}]", selector)
    if obj.get("aggregationRule") is not None and not obj["aggregationRule"].get("clusterRoleSelectors"):
        yield required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required")
