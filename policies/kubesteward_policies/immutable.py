"""Rules in code, one function each, not configurable. They judge the change alone, before anybody is asked.

What spec and prudence leave to two persons is denied here: there is no two-person approval yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubesteward_policies.change import ApiCall, Change

_SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_ADMISSION = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy"})
_RBAC = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"})
_TWO = "This needs two persons, which this version cannot ask; make the change by hand."


@dataclass(frozen=True, slots=True)
class Broken:
    """The rule that a change breaks."""

    rule: str
    reason: str
    remedy: str = _TWO


Rule = Callable[[ApiCall], Broken | None]


def system_namespace(call: ApiCall) -> Broken | None:
    if call.target.namespace in _SYSTEM_NAMESPACES:
        return Broken("immutable.system_namespace", f"{call.target.namespace} belongs to the cluster itself")
    return None


def whole_namespace(call: ApiCall) -> Broken | None:
    if call.target.kind == "Namespace" and call.verb == "delete":
        return Broken("immutable.namespace", "a namespace is not deleted as a whole")
    return None


def admission(call: ApiCall) -> Broken | None:
    if call.target.kind in _ADMISSION:
        return Broken("immutable.admission", f"a {call.target.kind} decides about every other write")
    return None


def rights(call: ApiCall) -> Broken | None:
    if call.target.kind in _RBAC:
        return Broken("immutable.rbac", f"a {call.target.kind} may widen rights")
    return None


def definitions(call: ApiCall) -> Broken | None:
    if call.target.kind in {"CustomResourceDefinition", "PersistentVolume", "APIService"}:
        return Broken("immutable.cluster_scoped", f"a {call.target.kind} holds data or APIs of everybody")
    return None


def secret_values(call: ApiCall) -> Broken | None:
    if call.target.kind == "Secret":
        remedy = "Change the Secret where it is managed."
        return Broken("immutable.secret", "Secret values do not pass through a model", remedy)
    return None


RULES: tuple[Rule, ...] = (system_namespace, whole_namespace, admission, rights, definitions, secret_values)


def judge(change: Change) -> Broken | None:
    """The first rule that a call of the change breaks, None when all hold."""
    found: Iterable[Broken | None] = (rule(call) for call in change.calls for rule in RULES)
    return next((broken for broken in found if broken is not None), None)
