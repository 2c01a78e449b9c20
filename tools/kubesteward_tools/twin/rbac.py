"""Authorization over the Role, ClusterRole and binding objects of a store. API doc: rbac.authorization.k8s.io/v1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.identity import User, user_of
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.worlds import store_of
from kubesteward_tools.world.store import Key, Store

_GROUP = "rbac.authorization.k8s.io"
Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason`, worded as by the real authorizer, names the binding that allows it, or bound roles that are missing."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def as_json(self) -> dict[str, Any]:
        return {"allowed": self.allowed, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Access:
    """One question: may somebody `verb` this? `resource` is a plural; or `path` for what is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @classmethod
    def of(cls, verb: str, resource: str, namespace: str = "", name: str = "") -> Access:
        """From the words that people use: "pods", "pods/log", "deployments.apps", "deployments.apps/scale", "/metrics".

        A plural without a group means the built-in resource of that name, of the core group if there is none.
        """
        if resource.startswith("/"):
            return cls(verb, path=resource)
        full, _, subresource = resource.partition("/")
        plural, _, group = full.partition(".")
        if not group and (known := resources.by_plural(plural)) is not None:
            group = known.group
        return cls(verb, group, plural, namespace, name, subresource)


def can(  # noqa: PLR0917 - the question has six parts, in kubectl's order
    world: Any,
    subject: User | Mapping[str, Any] | str,
    verb: str,
    resource: str,
    namespace: str | None = "",
    name: str | None = "",
) -> Decision:
    """Whether RBAC allows `subject` to `verb` `resource`, and through which binding.

    Args:
        world: a Store, a World, or a list of Kubernetes objects with the Roles, ClusterRoles and their bindings.
        subject: see `identity.user_of`.
        verb: "get", "list", "create", "deletecollection", "impersonate" and so on.
        resource: see `Access.of`.
        namespace: "" asks about all namespaces, or a resource without one.
        name: "" asks about objects of any name.

    Returns:
        A Decision, true where it is allowed; `as_json()` gives {"allowed": bool, "reason": str}.

    Raises:
        ValueError, TypeError: the subject or the world cannot be read.
    """
    return permits(store_of(world), user_of(subject), Access.of(verb, resource, namespace or "", name or ""))


def permits(store: Store, user: User, access: Access) -> Decision:
    """Whether a rule bound to the user, one of its groups, or its service account allows the access."""
    if user.is_superuser:
        return Decision(True)
    for rule, reason in bound_rules(store, user, access.namespace):
        if covers(rule, access):
            return Decision(True, reason)
    lost = list(dict.fromkeys(_lost_roles(store, user, access.namespace)))
    if not lost:
        return Decision(False)
    return Decision(False, f"RBAC: {lost[0]}" if len(lost) == 1 else f"RBAC: [{', '.join(lost)}]")


def _lost_roles(store: Store, user: User, namespace: str) -> Iterator[str]:
    """Roles that the user is bound to and that do not exist."""
    for space in ("", namespace) if namespace else ("",):
        for binding in store.objects(f"rolebindings.{_GROUP}" if space else f"clusterrolebindings.{_GROUP}", space):
            role = binding["roleRef"]
            bound = any(_is(subject, user, space) for subject in binding.get("subjects") or ())
            if bound and store.get(_role_key(role, space)) is None:
                yield f'{role["kind"].lower()}.{_GROUP} "{role["name"]}" not found'


def _role_key(role_ref: dict[str, Any], namespace: str) -> Key:
    if role_ref["kind"] == "Role":
        return Key(f"roles.{_GROUP}", namespace, role_ref["name"])
    return Key(f"clusterroles.{_GROUP}", "", role_ref["name"])


def bound_rules(store: Store, user: User, namespace: str) -> Iterator[tuple[Rule, str]]:
    """Every rule that holds for the user: cluster-wide ones, then those of `namespace` where one is given."""
    for binding in store.objects(f"clusterrolebindings.{_GROUP}"):
        yield from _rules_of(store, binding, user, "")
    if namespace:
        for binding in store.objects(f"rolebindings.{_GROUP}", namespace):
            yield from _rules_of(store, binding, user, namespace)


def _rules_of(store: Store, binding: dict[str, Any], user: User, namespace: str) -> Iterator[tuple[Rule, str]]:
    subject = next((s for s in binding.get("subjects") or () if _is(s, user, namespace)), None)
    if subject is None:
        return
    role, name = binding["roleRef"], binding["metadata"]["name"]
    where = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    who = f'{subject["kind"]} "{_subject_name(subject, namespace)}"'
    reason = f'RBAC: allowed by {where} of {role["kind"]} "{role["name"]}" to {who}'
    for rule in role_rules(store, role, namespace):
        yield rule, reason


def _subject_name(subject: dict[str, Any], namespace: str) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"{subject['name']}/{subject.get('namespace') or namespace}"
    return str(subject["name"])


def _is(subject: dict[str, Any], user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return bool(home) and user.name == f"system:serviceaccount:{home}:{name}"
    return False


def role_rules(store: Store, role_ref: dict[str, Any], namespace: str) -> list[Rule]:
    """The rules of a role, aggregated ones included; a role that is not there has none."""
    found = store.get(_role_key(role_ref, namespace))
    if found is None:
        return []
    rules = list(found.get("rules") or ())
    for selector in (found.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        for other in store.objects(f"clusterroles.{_GROUP}"):
            if other is not found and matches(selector, other["metadata"].get("labels")):
                rules += other.get("rules") or ()
    return rules


def covers(rule: Rule, access: Access) -> bool:
    """Whether one PolicyRule allows one access."""
    if not _has(rule.get("verbs"), access.verb):
        return False
    if access.path:
        return any(_path_matches(pattern, access.path) for pattern in rule.get("nonResourceURLs") or ())
    return (
        _has(rule.get("apiGroups"), access.group)
        and _resource_matches(rule.get("resources") or (), access)
        and (not rule.get("resourceNames") or access.name in rule["resourceNames"])
    )


def _has(values: list[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in (values or ()) or wanted in (values or ()))


def _resource_matches(resources: Sequence[str], access: Access) -> bool:
    wanted = {"*", access.full_resource}
    if access.subresource:
        wanted.add(f"*/{access.subresource}")
    return not wanted.isdisjoint(resources)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))
