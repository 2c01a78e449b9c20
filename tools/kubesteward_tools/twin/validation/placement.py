"""What a pod asks of its place: tolerations, node and pod affinity, spread and gates. API docs: core/v1 PodSpec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.metadata import labels, one_label
from kubesteward_tools.twin.validation.selectors import label_selector

Spec = dict[str, Any]

_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WHENEVER = ["DoNotSchedule", "ScheduleAnyway"]
_POLICIES = {"Honor", "Ignore"}


def placement(path: str, spec: Spec) -> Iterator[FieldError]:
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector") or {})
    for at, item in enumerate(spec.get("tolerations") or ()):
        yield from toleration(f"{path}.tolerations[{at}]", item)
    yield from _affinity(f"{path}.affinity", spec.get("affinity") or {})
    yield from _spread(f"{path}.topologySpreadConstraints", spec.get("topologySpreadConstraints") or ())
    yield from _gates(path, spec)


def toleration(path: str, item: Spec) -> Iterator[FieldError]:
    key, operator, effect = item.get("key", ""), item.get("operator") or "Equal", item.get("effect", "")
    if key:
        yield from one_label(f"{path}.key", key, "")
    elif operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid_value(f"{path}.operator", operator, why)
    if item.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid_value(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator == "Exists" and item.get("value"):
        yield invalid_value(f"{path}.operator", item, "value must be empty when `operator` is 'Exists'")
    elif operator not in {"Exists", "Equal", "Gt", "Lt"}:
        yield not_supported(f"{path}.operator", operator, ["Equal", "Exists"])
    if effect and effect not in _EFFECTS:
        yield not_supported(f"{path}.effect", effect, _EFFECTS)


def _affinity(path: str, affinity: Spec) -> Iterator[FieldError]:
    nodes = affinity.get("nodeAffinity") or {}
    if (wanted := nodes.get(_REQUIRED)) is not None:
        yield from node_selector(f"{path}.nodeAffinity.{_REQUIRED}", wanted)
    for at, item in enumerate(nodes.get(_PREFERRED) or ()):
        where = f"{path}.nodeAffinity.{_PREFERRED}[{at}]"
        yield from _weight(where, item)
        yield from _node_term(f"{where}.preference", item.get("preference") or {})
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for at, item in enumerate(rules.get(_REQUIRED) or ()):
            yield from _pod_term(f"{path}.{kind}.{_REQUIRED}[{at}]", item)
        for at, item in enumerate(rules.get(_PREFERRED) or ()):
            where = f"{path}.{kind}.{_PREFERRED}[{at}]"
            yield from _weight(where, item)
            yield from _pod_term(f"{where}.podAffinityTerm", item.get("podAffinityTerm") or {})


def _weight(path: str, item: Spec) -> Iterator[FieldError]:
    weight = item.get("weight", 0)
    if not 1 <= weight <= 100:
        yield invalid_value(f"{path}.weight", weight, "must be in the range 1-100")


def node_selector(path: str, selector: Spec) -> Iterator[FieldError]:
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for at, term in enumerate(terms):
        yield from _node_term(f"{path}.nodeSelectorTerms[{at}]", term)


def _node_term(path: str, term: Spec) -> Iterator[FieldError]:
    for at, item in enumerate(term.get("matchExpressions") or ()):
        where = f"{path}.matchExpressions[{at}]"
        yield from _node_values(where, item)
        yield from one_label(f"{where}.key", item.get("key", ""), "")
    for at, item in enumerate(term.get("matchFields") or ()):
        where = f"{path}.matchFields[{at}]"
        if item.get("operator") not in {"In", "NotIn"}:
            yield invalid_value(f"{where}.operator", item.get("operator", ""), "not a valid selector operator")
        elif len(item.get("values") or ()) != 1:
            why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{where}.values", why)
        if item.get("key") != "metadata.name":
            yield invalid_value(f"{where}.key", item.get("key", ""), "not a valid field selector key")


def _node_values(path: str, item: Spec) -> Iterator[FieldError]:
    operator, values = item.get("operator", ""), item.get("values") or ()
    if operator in {"In", "NotIn"}:
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            yield forbidden_field(
                f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
    elif operator in {"Gt", "Lt"}:
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid_value(f"{path}.operator", operator, "not a valid selector operator")


def _pod_term(path: str, term: Spec) -> Iterator[FieldError]:
    yield from label_selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from label_selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    key = term.get("topologyKey")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    else:
        yield from one_label(f"{path}.topologyKey", key, "")


def _spread(path: str, constraints: Any) -> Iterator[FieldError]:
    seen = set[tuple[Any, Any]]()
    for at, item in enumerate(constraints):
        where = f"{path}[{at}]"
        skew, key, when = item.get("maxSkew", 0), item.get("topologyKey", ""), item.get("whenUnsatisfiable", "")
        if skew <= 0:
            yield invalid_value(f"{where}.maxSkew", skew, "must be greater than zero")
        if not key:
            yield required(f"{where}.topologyKey", "can not be empty")
        if when not in _WHENEVER:
            yield not_supported(f"{where}.whenUnsatisfiable", when, _WHENEVER)
        if (key, when) in seen:
            shown = f"{{{key}, {when}}}"
            path_of = f"{where}.{{topologyKey, whenUnsatisfiable}}"
            yield FieldError("FieldValueDuplicate", path_of, f'Duplicate value: "{shown}"')
        seen.add((key, when))
        yield from _domains(where, item, when)
        yield from label_selector(f"{where}.labelSelector", item.get("labelSelector"))


def _domains(path: str, item: Spec, when: str) -> Iterator[FieldError]:
    least = item.get("minDomains")
    if least is not None and least <= 0:
        yield invalid_value(f"{path}.minDomains", least, "must be greater than zero")
    if least is not None and when != "DoNotSchedule":
        why = f'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "{when}"'
        yield invalid_value(f"{path}.minDomains", least, why)
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if item.get(name) not in {None, *_POLICIES}:
            yield not_supported(f"{path}.{name}", item[name], sorted(_POLICIES))
    taken = {*((item.get("labelSelector") or {}).get("matchLabels") or {})}
    taken |= {rule.get("key") for rule in (item.get("labelSelector") or {}).get("matchExpressions") or ()}
    if item.get("matchLabelKeys") and item.get("labelSelector") is None:
        yield forbidden_field(f"{path}.matchLabelKeys", "must not be specified when labelSelector is not set")
    for at, key in enumerate(item.get("matchLabelKeys") or ()):
        if key in taken:
            yield invalid_value(f"{path}.matchLabelKeys[{at}]", key, "exists in both matchLabelKeys and labelSelector")


def _gates(path: str, spec: Spec) -> Iterator[FieldError]:
    seen = set[str]()
    for at, gate in enumerate(spec.get("schedulingGates") or ()):
        name, where = gate.get("name", ""), f"{path}.schedulingGates[{at}]"
        yield from one_label(where, name, "")
        if name in seen:
            yield FieldError("FieldValueDuplicate", where, f'Duplicate value: "{name}"')
        seen.add(name)
    if seen and spec.get("nodeName"):
        yield forbidden_field(f"{path}.nodeName", "cannot be set until all schedulingGates have been cleared")
