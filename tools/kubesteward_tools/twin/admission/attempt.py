"""One write on its way to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kubesteward_tools.twin.admission.calling import Caller, by_state
from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.names import Names
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object, Store

Operation = Literal["CREATE", "UPDATE", "DELETE"]
_MOST_UNKNOWN = 500


class Unknown(list[str]):
    """What nobody here can decide, each once. A cluster may live for long: the first of them are kept."""

    def append(self, text: str) -> None:
        if text and len(self) < _MOST_UNKNOWN and text not in self:
            super().append(text)


@dataclass(slots=True)
class Attempt:
    """`obj` is the new object, to be changed by mutating plugins; `old` the stored one on update and delete.

    On delete `obj` is the stored one too. For a subresource with an object of its own, `obj` is what stands in the
    store where the subresource is a view of that (scale, status), and the body of the request where it is not
    (eviction, binding). `charges` are quota objects with their new status, to be stored with the object unless it is
    a dry run. `unknown` takes what nobody here can decide, and the attempt goes on as if it were allowed.
    """

    store: Store
    operation: Operation
    kind: ResourceType
    obj: dict[str, Any]
    old: Object | None
    user: User
    names: Names
    warnings: list[str] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)
    subresource: str = ""
    dry_run: bool = False
    unknown: Unknown = field(default_factory=Unknown)
    caller: Caller = by_state
    parent: tuple[str, str] | None = None
    """Namespace and name of what a body of its own is about: the pod of an eviction."""

    @property
    def resource(self) -> str:
        return self.kind.resource

    @property
    def namespace(self) -> str:
        return self.parent[0] if self.parent else str(self.obj["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        return self.parent[1] if self.parent else str(self.obj["metadata"].get("name", ""))

    @property
    def creates_pod(self) -> bool:
        return self.resource == "pods" and self.operation == "CREATE" and not self.subresource
