"""Questions about rights, answered from RBAC, not kept. API docs: authorization.k8s.io, authentication.k8s.io."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.rbac import Access, bound_rules, permits
from kubesteward_tools.world.store import Object, Store


def answer(store: Store, kind: str, body: dict[str, Any], user: User) -> Object:
    """The review with its status; `kind` is the review's kind."""
    spec = body.get("spec") or {}
    if kind == "SelfSubjectReview":
        status: dict[str, Any] = {"userInfo": user.as_json()}
    elif kind == "SelfSubjectRulesReview":
        status = _rules(store, user, spec.get("namespace", ""))
    else:
        subject = user if kind == "SelfSubjectAccessReview" else _subject(spec)
        decision = permits(store, subject, _access(spec))
        status = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
    return {**body, "metadata": body.get("metadata") or {}, "spec": spec, "status": status}


def _subject(spec: dict[str, Any]) -> User:
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))


def _access(spec: dict[str, Any]) -> Access:
    if path := spec.get("nonResourceAttributes"):
        return Access(path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    return Access(
        asked.get("verb", ""),
        asked.get("group", ""),
        asked.get("resource", ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
        asked.get("subresource", ""),
    )


def _rules(store: Store, user: User, namespace: str) -> dict[str, Any]:
    resource_rules, path_rules = list[dict[str, Any]](), list[dict[str, Any]]()
    if user.is_superuser:
        resource_rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        path_rules.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
    for rule, _ in bound_rules(store, user, namespace):
        if rule.get("nonResourceURLs"):
            path_rules.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            kept = ("verbs", "apiGroups", "resources", "resourceNames")
            resource_rules.append({key: rule[key] for key in kept if rule.get(key)})
    return {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}
