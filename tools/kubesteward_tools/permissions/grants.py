"""The chains that lead from somebody to a right: subject, binding, role, rule. What the authorizer stops at the first
of (`twin.rbac`), an explanation wants all of. API doc: rbac.authorization.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.rbac import Access, Rule, covers
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object, Store

_GROUP = "rbac.authorization.k8s.io"
_ROLES = {"Role": f"roles.{_GROUP}", "ClusterRole": f"clusterroles.{_GROUP}"}
NARROWED = "only objects named "


@dataclass(frozen=True, slots=True)
class Grant:
    """One chain. `namespace` is where the binding holds, "" everywhere; `via` is the ClusterRole that aggregation
    took the rule from, or "". `names` are those of the objects that the rule is narrowed to."""

    subject_kind: str
    subject: str
    binding: str
    namespace: str
    role_kind: str
    role: str
    via: str
    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def chain(self) -> str:
        """`Group devs -> RoleBinding shop/devs -> ClusterRole edit (from aggregate-edit) -> create on pods/exec`."""
        where = (
            f"RoleBinding {self.namespace}/{self.binding}" if self.namespace else f"ClusterRoleBinding {self.binding}"
        )
        via = f" (from {self.via})" if self.via else ""
        right = f"{','.join(self.verbs)} on {','.join(self.resources)}"
        only = f", {NARROWED}{', '.join(self.names)}" if self.names else ""
        return f"{self.subject_kind} {self.subject} -> {where} -> {self.role_kind} {self.role}{via} -> {right}{only}"


def grants(store: Store, access: Access, user: User | None = None) -> list[Grant]:
    """Every chain to the access: of `user`, or of anybody. Rules narrowed to names count where no name is asked for.

    Without a namespace only what holds everywhere counts, as for `kubectl auth can-i -A`.
    """
    return list(_grants(store, access, user))


def _grants(store: Store, access: Access, user: User | None) -> Iterator[Grant]:
    for space in ("", access.namespace) if access.namespace else ("",):
        kind = "rolebindings" if space else "clusterrolebindings"
        for binding in store.objects(f"{kind}.{_GROUP}", space):
            subjects = [item for item in binding.get("subjects") or () if user is None or _is(item, user, space)]
            if not subjects:
                continue
            role = binding["roleRef"]
            for rule, via in _rules(store, role, space):
                if _allows(rule, access):
                    yield from (_grant(item, binding, space, role, rule, via) for item in subjects)


def _is(subject: Mapping[str, Any], user: User, space: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "ServiceAccount":
        home = subject.get("namespace") or space
        return user.name == f"system:serviceaccount:{home}:{name}"
    return name in user.groups if kind == "Group" else kind == "User" and user.name == name


def _rules(store: Store, role: Mapping[str, Any], space: str) -> Iterator[tuple[Rule, str]]:
    """With the name of the role that a rule was aggregated from."""
    key = Key(_ROLES.get(role["kind"], ""), space if role["kind"] == "Role" else "", role["name"])
    found = store.get(key)
    if found is None:
        return
    selectors = (found.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    taken = [other for selector in selectors for other in _labelled(store, selector) if other is not found]
    for rule in found.get("rules") or ():
        via = next((other["metadata"]["name"] for other in taken if rule in (other.get("rules") or ())), "")
        yield rule, via
    own = list(found.get("rules") or ())
    for other in taken:
        yield from ((rule, other["metadata"]["name"]) for rule in other.get("rules") or () if rule not in own)


def _labelled(store: Store, selector: Mapping[str, Any]) -> list[Object]:
    return [item for item in store.objects(_ROLES["ClusterRole"]) if matches(selector, item["metadata"].get("labels"))]


def _allows(rule: Rule, access: Access) -> bool:
    return covers(rule if access.name else {**rule, "resourceNames": []}, access)


def _grant(  # noqa: PLR0917 - the links of the chain, in their order
    subject: Mapping[str, Any], binding: Object, space: str, role: Mapping[str, Any], rule: Rule, via: str
) -> Grant:
    name = str(subject.get("name", ""))
    if subject.get("kind") == "ServiceAccount":
        name = f"{subject.get('namespace') or space}/{name}"
    return Grant(
        subject_kind=str(subject.get("kind", "")),
        subject=name,
        binding=binding["metadata"]["name"],
        namespace=space,
        role_kind=role["kind"],
        role=role["name"],
        via=via,
        verbs=tuple(rule.get("verbs") or ()),
        resources=tuple(rule.get("resources") or rule.get("nonResourceURLs") or ()),
        names=tuple(rule.get("resourceNames") or ()),
    )


def dangling(store: Store, user: User, namespace: str) -> list[str]:
    """Bindings of the user whose roles are not there."""
    found = []
    for space in ("", namespace) if namespace else ("",):
        for binding in store.objects(f"{'rolebindings' if space else 'clusterrolebindings'}.{_GROUP}", space):
            role = binding["roleRef"]
            key = Key(_ROLES.get(role["kind"], ""), space if role["kind"] == "Role" else "", role["name"])
            if store.get(key) is None and any(_is(item, user, space) for item in binding.get("subjects") or ()):
                found.append(f"{binding['metadata']['name']} names {role['kind']} {role['name']}, which is not there")
    return found


def elsewhere(store: Store, access: Access, user: User) -> list[str]:
    """The namespaces in which the user may do it, where not everywhere."""
    spaces = store.spaces(f"rolebindings.{_GROUP}")
    asked = Access(access.verb, access.group, access.resource, "", access.name, access.subresource, access.path)
    if grants(store, asked, user):
        return []
    return [space for space in spaces if space and grants(store, _in(asked, space), user)]


def _in(access: Access, space: str) -> Access:
    return Access(access.verb, access.group, access.resource, space, access.name, access.subresource, access.path)
