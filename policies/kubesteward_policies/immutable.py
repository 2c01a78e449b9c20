"""Rules in code, one function each, not configurable. They judge the calls of a change before anybody is asked.

What belongs to the cluster or to everybody is left to two persons. What takes down the API server, what a model must
not carry, and what goes too far at once is denied, whoever agrees; `vital` has the first of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_policies.vital import SYSTEM_NAMESPACES, vital

_ADMISSION = frozenset({"admissionregistration.k8s.io"})
_RBAC = frozenset({"rbac.authorization.k8s.io"})
_CLUSTERS_OWN = ("system:", "cluster-admin", "kubeadm:")
_EVERYBODYS = frozenset({"CustomResourceDefinition", "PersistentVolume", "APIService"})
_SECRET_NAME = re.compile(r"(?i)(passw(or)?d|secret|token|api[_-]?key|private[_-]?key|credential)s?$")
_TWO = "Two persons have to agree, on a terminal or on the approvals page; no form of a client is enough."
_MOST_PODS = 0.1


@dataclass(frozen=True, slots=True)
class Broken:
    """The rule that a change breaks, and how many persons can let it through all the same: two, or 0 for nobody."""

    rule: str
    reason: str
    remedy: str = _TWO
    persons: int = 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules know of the cluster: names of control-plane nodes, the namespace this program runs in ("" outside
    of a cluster), and for each pod that may be deleted its workload with the number of that workload's pods.
    """

    control_plane: frozenset[str] = frozenset()
    own_namespace: str = ""
    pods: Mapping[Ref, tuple[str, int]] = field(default_factory=dict)


Rule = Callable[[ApiCall, Surroundings], Broken | None]


def system_namespace(call: ApiCall, _: Surroundings) -> Broken | None:
    space = _namespace(call.target)
    if space in SYSTEM_NAMESPACES:
        return Broken("immutable.system_namespace", f"{space} belongs to the cluster itself")
    return None


def own_namespace(call: ApiCall, around: Surroundings) -> Broken | None:
    if around.own_namespace and _namespace(call.target) == around.own_namespace:
        return Broken("immutable.own_namespace", f"KubeSteward itself runs in {around.own_namespace}")
    return None


def control_plane(call: ApiCall, around: Surroundings) -> Broken | None:
    if call.target.kind == "Node" and call.target.name in around.control_plane:
        return Broken("immutable.control_plane", f"node {call.target.name} carries the control plane")
    return None


def whole_namespace(call: ApiCall, _: Surroundings) -> Broken | None:
    if call.target.kind == "Namespace" and (call.verb == "delete" or call.path.endswith("/finalize")):
        return Broken("immutable.namespace", "a namespace is deleted as a whole, with all that is in it")
    return None


def whole_collection(call: ApiCall, _: Surroundings) -> Broken | None:
    if call.verb == "delete" and not call.target.name:
        return Broken("immutable.collection", "objects are deleted by name, not all of a kind at once", "Name them.", 0)
    return None


def admission(call: ApiCall, _: Surroundings) -> Broken | None:
    if call.target.group in _ADMISSION:
        return Broken("immutable.admission", f"a {call.target.kind} decides about every other write")
    return None


def rights(call: ApiCall, _: Surroundings) -> Broken | None:
    """Rights only ever add up, so that a deletion widens nobody's; of anything else that cannot be told from here, for
    groups and aggregated roles stand between a rule and the one who has it.
    """
    if call.target.group not in _RBAC:
        return None
    if call.verb == "delete" and not call.target.name.startswith(_CLUSTERS_OWN):
        return None
    return Broken("immutable.rbac", f"a {call.target.kind} may widen rights, or take them from the cluster itself")


def everybodys(call: ApiCall, _: Surroundings) -> Broken | None:
    if call.target.kind in _EVERYBODYS:
        return Broken("immutable.cluster_scoped", f"a {call.target.kind} holds data or APIs of everybody")
    return None


def owners(call: ApiCall, _: Surroundings) -> Broken | None:
    """An owner that does not exist makes the garbage collector delete the object: a deletion that says "patch"."""
    if call.verb in {"patch", "update"} and _sets_owners(call.body):
        reason = "by its ownerReferences the garbage collector decides what to delete"
        return Broken("immutable.owners", reason, "Leave metadata.ownerReferences out.", 0)
    return None


def secret_values(call: ApiCall, _: Surroundings) -> Broken | None:
    """Also in the environment of a container or in a ConfigMap: what passes through a model has been seen by it."""
    if call.target.kind == "Secret" and call.verb != "delete":
        remedy = "Change the Secret where it is managed."
        return Broken("immutable.secret", "Secret values do not pass through a model", remedy, 0)
    settings = _secret_settings(call.body) if call.target.kind == "ConfigMap" else iter(())
    if name := next(chain(_secret_variables(call.body), settings), ""):
        remedy = "Put the value into a Secret by hand and refer to it with valueFrom.secretKeyRef."
        return Broken("immutable.secret", f"the patch carries a value for {name!r}", remedy, 0)
    return None


RULES: tuple[Rule, ...] = (
    system_namespace,
    own_namespace,
    control_plane,
    whole_namespace,
    whole_collection,
    admission,
    rights,
    everybodys,
    owners,
    secret_values,
)


def judge(change: Change, around: Surroundings) -> tuple[Broken, ...]:
    """The rules that the change breaks, each once and the strictest last; none when all hold."""
    found = [rule(call, around) for call in change.calls for rule in RULES]
    found += [_vital(change, around), _many_pods(change, around)]
    told = {item.rule: item for item in found if item is not None}
    return tuple(sorted(told.values(), key=lambda item: item.persons == 0))


def _vital(change: Change, around: Surroundings) -> Broken | None:
    reason = vital(change, around.control_plane)
    return Broken("immutable.vital", reason, "Make this change by hand, where you can mend it.", 0) if reason else None


def _many_pods(change: Change, around: Surroundings) -> Broken | None:
    """More than a tenth of a workload's pods at once; one is always allowed, for the rehearsal judges that.

    Evictions are none: they are sent one after the other, each when the one before is replaced.
    """
    gone = {call.target for call in change.calls if call.verb == "delete"}
    counts = Counter(around.pods[target] for target in gone if target in around.pods)
    for (workload, pods), count in sorted(counts.items()):
        if count > max(1, pods * _MOST_PODS):
            reason = f"{count} of the {pods} pods of {workload} would go at once"
            return Broken("immutable.pods", reason, "Restart the workload instead: it replaces its pods one by one.", 0)
    return None


def _namespace(target: Ref) -> str:
    return target.name if target.kind == "Namespace" else target.namespace


def _sets_owners(body: Any) -> bool:
    """In an object or in the operations of a JSON patch, which may also replace all of the metadata."""
    if isinstance(body, Mapping):
        metadata = body.get("metadata")
        return isinstance(metadata, Mapping) and any(
            key == "$patch" or str(key).endswith("ownerReferences") for key in metadata
        )
    operations = [item for item in body if isinstance(item, Mapping)] if isinstance(body, list | tuple) else []
    return any(_holds_owners(item) for item in operations if item.get("op") != "test")


def _holds_owners(operation: Mapping[str, Any]) -> bool:
    pointers = [operation.get("path"), operation.get("from") if operation.get("op") == "move" else None]
    return any(
        pointer in {"", "/metadata"} or pointer.startswith("/metadata/ownerReferences")
        for pointer in pointers
        if isinstance(pointer, str)
    )


def _secret_variables(body: Any) -> Iterator[str]:
    """Names of environment variables that look secret and are given a literal value, wherever they stand in a body."""
    if isinstance(body, Mapping):
        name = body.get("name")
        if isinstance(name, str) and _SECRET_NAME.search(name) and _telling(body.get("value")):
            yield name
        for value in body.values():
            yield from _secret_variables(value)
    elif isinstance(body, list | tuple):
        for item in body:
            yield from _secret_variables(item)


def _secret_settings(body: Any) -> Iterator[str]:
    """Keys of a ConfigMap's data that look secret and are given a literal value."""
    operations = body if isinstance(body, list | tuple) else [{"path": "", "value": body}]
    given = chain.from_iterable(_settings(item) for item in operations if isinstance(item, Mapping))
    return (key for key, value in given if _SECRET_NAME.search(key) and _telling(value))


def _settings(operation: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys and values that one operation of a JSON patch gives to the data of an object."""
    pointer, value = str(operation.get("path")), operation.get("value")
    if pointer.startswith("/data/"):
        yield pointer.removeprefix("/data/"), value
    elif pointer in {"", "/data"} and isinstance(value, Mapping):
        data = value if pointer else value.get("data")
        yield from ((str(key), item) for key, item in data.items()) if isinstance(data, Mapping) else ()


def _telling(value: Any) -> bool:
    """Whether a value could be a secret: `MAX_TOKENS=512` and `$(OTHER_VARIABLE)` are none."""
    return isinstance(value, str) and not re.fullmatch(r"|\d+|true|false|\$\(.*\)", value)
