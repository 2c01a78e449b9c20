"""The name of one Kubernetes object, wherever it lives: what edges, findings, changes and audit records point with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One object of one cluster.

    `group` is the API group without version ("" is the core group), `namespace` is "" for cluster-scoped kinds.
    """

    cluster: str
    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"

    @property
    def path(self) -> str:
        """`namespace/name`, or `name` alone where there is no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def as_json(self) -> dict[str, Any]:
        return {
            "cluster": self.cluster,
            "group": self.group,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
        }

    @classmethod
    def of(cls, obj: dict[str, Any], cluster: str = "") -> Ref:
        """The Ref of a Kubernetes object as the API serves it.

        Raises:
            KeyError: the object has no `kind` or no `metadata.name`.
        """
        metadata = obj["metadata"]
        group, _, version = obj.get("apiVersion", "v1").rpartition("/")
        return cls(cluster, group if version else "", obj["kind"], metadata.get("namespace", ""), metadata["name"])
