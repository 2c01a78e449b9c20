"""Who makes a request of the API server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """As authentication leaves it: a name and the groups that RBAC looks at."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    @property
    def is_superuser(self) -> bool:
        """Members of system:masters pass authorization without being asked (Kubernetes docs, RBAC)."""
        return "system:masters" in self.groups

    def as_json(self) -> dict[str, object]:
        return {"username": self.name, "groups": list(self.groups)}


ADMIN = User("kubesteward-admin", ("system:masters", "system:authenticated"))


CONTROL_PLANE = User("system:kube-controller-manager", ("system:masters", "system:authenticated"))
"""Who clears up, and keeps endpoints and statuses, where it does not matter which controller it is."""


def controller(name: str) -> User:
    """A controller of the control plane, with the rights it needs."""
    return User(f"system:serviceaccount:kube-system:{name}", ("system:masters", "system:serviceaccounts"))


def service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


_AUTHENTICATED = "system:authenticated"
_ACCOUNT = "system:serviceaccount:"


def user_of(subject: User | Mapping[str, Any] | str) -> User:
    """Who an RBAC subject is to the authorizer, with the groups that authentication gives them.

    `subject` is a `User`; a subject as bindings name it (`{"kind": "ServiceAccount", "namespace": "a", "name": "ci"}`,
    kinds User and Group too) or a ServiceAccount object; or a name: "alice", "system:serviceaccount:shop:ci",
    "system:anonymous", also "Group:admins". A Group stands for somebody who is in that group alone.

    Raises:
        ValueError: the subject has no name or a kind that RBAC does not know.
    """
    if isinstance(subject, User):
        return subject
    if isinstance(subject, str):
        return _member(subject.removeprefix("Group:")) if subject.startswith("Group:") else _named(subject)
    metadata = subject.get("metadata") or {}
    kind, name = subject.get("kind") or "User", subject.get("name") or metadata.get("name")
    if not name:
        raise ValueError("a subject needs a name")
    if kind == "ServiceAccount":
        return service_account(subject.get("namespace") or metadata.get("namespace") or "default", name)
    if kind not in {"User", "Group"}:
        raise ValueError(f"a subject is a User, a Group or a ServiceAccount, not {kind!r}")
    return _member(name) if kind == "Group" else _named(name)


def _named(name: str) -> User:
    if name.startswith(_ACCOUNT) and name.count(":") == 3:
        return service_account(*name.removeprefix(_ACCOUNT).split(":"))
    if name == "system:anonymous":
        return User(name, ("system:unauthenticated",))
    return User(name, (_AUTHENTICATED,))


def _member(group: str) -> User:
    return User("", (group,))
