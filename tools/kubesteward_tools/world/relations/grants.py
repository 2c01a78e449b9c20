"""Bindings grant the rights of a role to ServiceAccounts.

API docs: rbac.authorization.k8s.io/v1 RoleBinding, ClusterRoleBinding. Users and groups are left out: they are no
objects, and an edge to one would look like an edge to something missing. A user that is the name of a ServiceAccount
("system:serviceaccount:ns:name") counts as that.
A binding is worth what its role is; what a ServiceAccount may do changes with its bindings.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.store import Key, Object

RELATION = "grants"
_RBAC = "rbac.authorization.k8s.io"
RESOURCES = (f"rolebindings.{_RBAC}", f"clusterrolebindings.{_RBAC}")
DEPENDS: Depends = "source"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {("*", "serviceaccounts"): "target"}

_ACCOUNT_USER = "system:serviceaccount:"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Binding → role, and binding → ServiceAccounts."""
    del kinds
    role = mapping(obj.get("roleRef"))
    kind, name = text(role.get("kind")), text(role.get("name"))
    if name and kind == "ClusterRole":
        yield Edge(RELATION, key, Key(f"clusterroles.{_RBAC}", "", name), "role")
    elif name and kind == "Role":
        yield Edge(RELATION, key, Key(f"roles.{_RBAC}", key.namespace, name), "role")
    for subject in mappings(obj.get("subjects")):
        namespace, account = _account(key, subject)
        if namespace and account:
            yield Edge(RELATION, key, Key("serviceaccounts", namespace, account), "subject")


def _account(key: Key, subject: Object) -> tuple[str, str]:
    """Namespace and name of a subject that is a ServiceAccount, empty otherwise."""
    kind, name = text(subject.get("kind")), text(subject.get("name"))
    if kind == "ServiceAccount":
        return text(subject.get("namespace")) or key.namespace, name
    if kind == "User" and name.startswith(_ACCOUNT_USER):
        namespace, _, account = name.removeprefix(_ACCOUNT_USER).partition(":")
        return namespace, account
    return "", ""
