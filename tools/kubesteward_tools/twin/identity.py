"""Who makes a request of the API server."""

from __future__ import annotations

from dataclasses import dataclass


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


def controller(name: str) -> User:
    """A controller of the control plane, with the rights it needs."""
    return User(f"system:serviceaccount:kube-system:{name}", ("system:masters", "system:serviceaccounts"))


def service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


def impersonated(name: str, groups: tuple[str, ...] = ()) -> User:
    """Who acts when somebody is impersonated: with the groups that the API server adds (docs: "Authenticating")."""
    parts = name.split(":")
    if not groups and parts[:2] == ["system", "serviceaccount"] and len(parts) == 4:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{parts[2]}")
    everyone = "system:unauthenticated" if name == "system:anonymous" else "system:authenticated"
    return User(name, groups if everyone in groups else (*groups, everyone))
