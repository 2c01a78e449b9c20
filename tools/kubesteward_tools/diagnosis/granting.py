"""The grant that a service account lacks: a Role that would do and is bound to nobody, or one that is to be made."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.reading import mappings, named
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key

_GROUP = "rbac.authorization.k8s.io"


def enough(scene: Scene, verb: str, resource: str, where: str) -> Key | None:
    """A Role of the namespace (or ClusterRole, for the whole cluster) that grants exactly what is missing."""
    kind = f"roles.{_GROUP}" if where else f"clusterroles.{_GROUP}"
    found = (key for key in scene.store.keys(kind, where) if _grants(scene, key, verb, resource))
    return next((key for key in found if not key.name.startswith(("system:", "cluster-admin"))), None)


def _grants(scene: Scene, role: Key, verb: str, resource: str) -> bool:
    plural, _, group = resource.partition(".")
    for rule in mappings(scene.get(role).get("rules")):
        one_of = {"verbs": verb, "resources": plural, "apiGroups": group}
        if not rule.get("resourceNames") and all(wanted in (rule.get(name) or ()) for name, wanted in one_of.items()):
            return True
    return False


def hint(role: Key | None) -> str:
    return f"; {named(role)} would grant it and is not bound to it" if role else ""


def proposal(account: Key, verb: str, resource: str, where: str, role: Key | None) -> Proposal | None:
    """A binding to that role, with a role of this one rule where there is none. Nothing for the whole cluster."""
    if not where:
        return None
    name = role.name if role else f"{account.name}-{verb}-{resource.partition('.')[0].replace('/', '-')}"
    parts = list(_documents(account, verb, resource, where, name=name, known=role is not None))
    return Proposal("apply", namespace=where, manifest="---\n".join(parts))


def _documents(account: Key, verb: str, resource: str, where: str, *, name: str, known: bool) -> Iterator[str]:
    plural, _, group = resource.partition(".")
    if not known:
        yield (
            f"apiVersion: {_GROUP}/v1\nkind: Role\nmetadata:\n  name: {name}\n  namespace: {where}\n"
            f'rules:\n- apiGroups: ["{group}"]\n  resources: ["{plural}"]\n  verbs: ["{verb}"]\n'
        )
    yield (
        f"apiVersion: {_GROUP}/v1\nkind: RoleBinding\nmetadata:\n  name: {account.name}-{name}\n  namespace: {where}\n"
        f"roleRef:\n  apiGroup: {_GROUP}\n  kind: Role\n  name: {name}\n"
        f"subjects:\n- kind: ServiceAccount\n  name: {account.name}\n  namespace: {account.namespace}\n"
    )
