"""Which requests a policy or webhook is about. API doc: MatchResources, RuleWithOperations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.cel import Undecided
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Store

_EXEMPT = "admissionregistration.k8s.io"
_SEVERAL_VERSIONS = {"autoscaling", "events.k8s.io"}
"""Built-in groups that are served in more than one version with different fields."""

Rule = Mapping[str, Any]
Match = Mapping[str, Any]


def is_exempt(attempt: Attempt) -> bool:
    """Nothing may lock the API against its own repair: what configures admission passes no policy and no webhook."""
    return attempt.kind.group == _EXEMPT


def matched(match: Match | None, attempt: Attempt) -> bool:
    """Whether a MatchResources (or a webhook, whose `rules` are the same) covers the attempt. None covers everything.

    Raises:
        Undecided: it is about another version of the same resource, and the object would have to be converted.
    """
    if match is None:
        return True
    if not namespace_matches(match.get("namespaceSelector"), attempt):
        return False
    if not _object_matches(match.get("objectSelector"), attempt):
        return False
    if any(rule_covers(rule, attempt) for rule in match.get("excludeResourceRules") or ()):
        return False
    rules = match.get("resourceRules", match.get("rules"))
    if "rules" not in match and not rules:
        return True
    return _any_rule(rules or (), attempt, equivalent=match.get("matchPolicy", "Equivalent") == "Equivalent")


def _any_rule(rules: Any, attempt: Attempt, *, equivalent: bool) -> bool:
    if any(rule_covers(rule, attempt) for rule in rules):
        return True
    if equivalent and _has_versions(attempt) and any(rule_covers(rule, attempt, any_version=True) for rule in rules):
        raise Undecided(f"it judges {attempt.kind.plural} in another version, which they are not converted to here")
    return False


def _has_versions(attempt: Attempt) -> bool:
    group = attempt.kind.group
    return group in _SEVERAL_VERSIONS or ("." in group and not group.endswith(".k8s.io"))


def rule_covers(rule: Rule, attempt: Attempt, *, any_version: bool = False) -> bool:
    kind = attempt.kind
    return (
        _among(rule.get("operations"), attempt.operation)
        and _among(rule.get("apiGroups"), kind.group)
        and (any_version or _among(rule.get("apiVersions"), kind.version))
        and resource_matches(rule.get("resources") or (), kind.plural, attempt.subresource)
        and _scope_matches(rule.get("scope", "*"), namespaced=kind.namespaced)
        and (not rule.get("resourceNames") or attempt.name in rule["resourceNames"])
    )


def _among(values: Any, wanted: str) -> bool:
    return not {"*", wanted}.isdisjoint(values or ())


def resource_matches(resources: Any, plural: str, subresource: str) -> bool:
    """ "pods" are pods alone, "pods/*" pods and all their subresources, "*" everything but subresources."""
    for item in resources:
        resource, _, sub = str(item).partition("/")
        if resource in {"*", plural} and sub in {"*", subresource}:
            return True
    return False


def _scope_matches(scope: str, *, namespaced: bool) -> bool:
    return scope == "*" or (scope == "Namespaced") == namespaced


def namespace_matches(selector: Any, attempt: Attempt) -> bool:
    """Cluster-scoped objects always pass, but namespaces are judged by their own labels."""
    if not selector:
        return True
    if attempt.resource == "namespaces":
        return matches(selector, attempt.obj["metadata"].get("labels"))
    if not attempt.kind.namespaced:
        return True
    return matches(selector, labels_of(attempt.store, attempt.namespace))


def labels_of(store: Store, namespace: str) -> dict[str, str]:
    found = store.get(Key("namespaces", "", namespace)) or {"metadata": {}}
    return {"kubernetes.io/metadata.name": namespace, **(found["metadata"].get("labels") or {})}


def _object_matches(selector: Any, attempt: Attempt) -> bool:
    """Either of the new and the old object is enough."""
    if not selector:
        return True
    found = [item for item in (attempt.obj, attempt.old) if item is not None]
    return any(matches(selector, item["metadata"].get("labels")) for item in found)
