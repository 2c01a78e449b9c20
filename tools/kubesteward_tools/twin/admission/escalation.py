"""Nobody grants rights that they do not have. Docs: Using RBAC Authorization, privilege escalation prevention."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from kubesteward_tools.twin import rbac, resources, status
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.world.store import Key

_GROUP = "rbac.authorization.k8s.io"
_PARTS = (
    ("apiGroups", "APIGroups"),
    ("resources", "Resources"),
    ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"),
    ("verbs", "Verbs"),
)

Rule = rbac.Rule

_EVERYTHING: list[Rule] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
"""An aggregated role grants whatever its selectors will match, hence all."""


def check(attempt: Attempt) -> None:
    """Raises ApiError 403 with the rights that are lacking, 404 when a binding names a role that is not there."""
    if attempt.kind.group != _GROUP or attempt.user.is_superuser:
        return
    if attempt.kind.plural.endswith("bindings"):
        _check_binding(attempt)
    else:
        _check_role(attempt)


def _check_role(attempt: Attempt) -> None:
    new, old = attempt.obj, attempt.old
    if old is not None and all(new.get(part) == old.get(part) for part in ("rules", "aggregationRule")):
        return
    rules = (new.get("rules") or []) + (_EVERYTHING if new.get("aggregationRule") else [])
    if not _may(attempt, "escalate", attempt.kind.plural, attempt.name):
        _confirm(attempt, rules)


def _check_binding(attempt: Attempt) -> None:
    reference, old = attempt.obj["roleRef"], attempt.old or {}
    if old and all(attempt.obj.get(part) == old.get(part) for part in ("roleRef", "subjects")):
        return
    plural = f"{reference['kind'].lower()}s"
    if _may(attempt, "bind", plural, reference["name"]):
        return
    kind = resources.find(_GROUP, plural)
    home = attempt.namespace if plural == "roles" else ""
    if kind is not None and attempt.store.get(Key(kind.resource, home, reference["name"])) is None:
        raise status.not_found(kind, reference["name"])
    _confirm(attempt, rbac.role_rules(attempt.store, reference, attempt.namespace))


def _may(attempt: Attempt, verb: str, plural: str, name: str) -> bool:
    access = rbac.Access(verb, _GROUP, plural, attempt.namespace, name)
    return rbac.permits(attempt.store, attempt.user, access).allowed


def _confirm(attempt: Attempt, rules: list[Rule]) -> None:
    held = [rule for rule, _ in rbac.bound_rules(attempt.store, attempt.user, attempt.namespace)]
    lacking = [atom for rule in rules for atom in _atoms(rule) if not any(_covers(rule, atom) for rule in held)]
    if not lacking:
        return
    user = attempt.user
    why = (
        f"user {json.dumps(user.name)} (groups={_quoted(user.groups)}) is attempting to grant RBAC permissions "
        "not currently held:\n" + "\n".join(sorted(_described(rule) for rule in _compact(lacking)))
    )
    raise status.forbidden(attempt.kind, attempt.name, why)


def _atoms(rule: Rule) -> Iterator[Rule]:
    """The rule as rules of one group, resource, name and verb each."""
    verbs = rule.get("verbs") or ()
    for url in rule.get("nonResourceURLs") or ():
        yield from ({"nonResourceURLs": [url], "verbs": [verb]} for verb in verbs)
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            plain = {"apiGroups": [group], "resources": [resource]}
            for name in rule.get("resourceNames") or (None,):
                named = plain if name is None else {**plain, "resourceNames": [name]}
                yield from ({**named, "verbs": [verb]} for verb in verbs)


def _covers(held: Rule, atom: Rule) -> bool:
    """Whether one rule grants all of another that names one thing; a wildcard is granted by a wildcard only."""
    if atom.get("nonResourceURLs"):
        access = rbac.Access(atom["verbs"][0], path=atom["nonResourceURLs"][0])
        return rbac.covers(held, access)
    resource, _, subresource = atom["resources"][0].partition("/")
    name = (atom.get("resourceNames") or [""])[0]
    access = rbac.Access(atom["verbs"][0], atom["apiGroups"][0], resource, "", name, subresource)
    return rbac.covers(held, access)


def _compact(atoms: Iterable[Rule]) -> list[Rule]:
    """Atoms of the same thing as one rule with all their verbs."""
    found: dict[str, dict[str, Any]] = {}
    for atom in atoms:
        same = json.dumps([atom.get(part) for part, _ in _PARTS[:-1]])
        verbs = found.setdefault(same, {**atom, "verbs": []})["verbs"]
        verbs += [verb for verb in atom["verbs"] if verb not in verbs]
    return list(found.values())


def _described(rule: Rule) -> str:
    return "{" + ", ".join(f"{word}:{_quoted(rule[part])}" for part, word in _PARTS if rule.get(part)) + "}"


def _quoted(texts: Iterable[str]) -> str:
    """As Go's %q prints a list."""
    return "[" + " ".join(json.dumps(text) for text in texts) + "]"
