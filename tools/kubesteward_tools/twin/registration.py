"""What the API server fills in for policies, their bindings and webhooks (admissionregistration/v1/defaults.go).

Each function takes a copy that it may change.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]


def policy(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    if isinstance(spec.get("matchConstraints"), dict):
        _match(spec["matchConstraints"])


def binding(obj: Spec) -> None:
    found = obj.setdefault("spec", {}).get("matchResources")
    if isinstance(found, dict):
        _match(found)


def webhooks(obj: Spec) -> None:
    for hook in obj.get("webhooks") or ():
        _selectors(hook)
        hook.setdefault("failurePolicy", "Fail")
        hook.setdefault("timeoutSeconds", 10)
        _scopes(hook.get("rules"))
        if service := (hook.get("clientConfig") or {}).get("service"):
            service.setdefault("port", 443)


def mutating_webhooks(obj: Spec) -> None:
    webhooks(obj)
    for hook in obj.get("webhooks") or ():
        hook.setdefault("reinvocationPolicy", "Never")


def _match(match: Spec) -> None:
    _selectors(match)
    for part in ("resourceRules", "excludeResourceRules"):
        _scopes(match.get(part))


def _selectors(match: Spec) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    for name in ("namespaceSelector", "objectSelector"):
        match.setdefault(name, {})


def _scopes(rules: Any) -> None:
    for rule in rules or ():
        rule.setdefault("scope", "*")
