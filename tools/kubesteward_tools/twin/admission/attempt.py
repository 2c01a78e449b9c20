"""One write on its way to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.names import Names
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object, Store


@dataclass(slots=True)
class Attempt:
    """`obj` is the new object, to be changed by mutating plugins; `old` the stored one on update.

    `charges` are quota objects with their new status, to be stored with the object unless it is a dry run.
    """

    store: Store
    operation: Literal["CREATE", "UPDATE"]
    kind: ResourceType
    obj: dict[str, Any]
    old: Object | None
    user: User
    names: Names
    warnings: list[str] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)
    subresource: str = ""

    @property
    def resource(self) -> str:
        return self.kind.resource

    @property
    def namespace(self) -> str:
        return str(self.obj["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        return str(self.obj["metadata"].get("name", ""))

    @property
    def creates_pod(self) -> bool:
        return self.resource == "pods" and self.operation == "CREATE"
