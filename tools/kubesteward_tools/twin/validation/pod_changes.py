"""What may change in a pod that is there. API doc: core/v1 PodSpec; KEP-3521 (gates), KEP-1287 (resize)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.quota import qos_class
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value

Obj = dict[str, Any]

_POD_WORDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_ADDED = "existing toleration can not be modified except its tolerationSeconds"
_FREE = {"tolerations", "activeDeadlineSeconds", "schedulingGates"}
_SIZES = {"cpu", "memory"}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod(new: Obj, old: Obj) -> Iterator[FieldError]:
    spec, before = new["spec"], old["spec"]
    now = [_unlimited(item) for item in spec.get("tolerations") or ()]
    if any(_unlimited(item) not in now for item in before.get("tolerations") or ()):
        yield forbidden_field("spec.tolerations", _ADDED)
        return
    yield from _gates(spec, before)
    yield from _deadline(spec, before)
    if _frozen(spec, gated=_gated(before), before=before) != _frozen(before):
        yield forbidden_field("spec", _POD_WORDS)


def _unlimited(toleration: Obj) -> Obj:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds" and value}


def _gated(spec: Obj) -> bool:
    return bool(spec.get("schedulingGates"))


def _gates(spec: Obj, before: Obj) -> Iterator[FieldError]:
    had = [gate.get("name") for gate in before.get("schedulingGates") or ()]
    if added := [gate["name"] for gate in spec.get("schedulingGates") or () if gate.get("name") not in had]:
        why = f"only deletion is allowed, but found new scheduling gate '{added[0]}'"
        yield forbidden_field("spec.schedulingGates", why)


def _deadline(spec: Obj, before: Obj) -> Iterator[FieldError]:
    now, was = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if was is None or now == was:
        return
    if now is None:
        yield invalid_value("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
    elif now > was:
        yield invalid_value("spec.activeDeadlineSeconds", now, "must be less than or equal to previous value")


def _frozen(spec: Obj, *, gated: bool = False, before: Obj | None = None) -> Obj:
    """A pod's spec without what may change. While it is gated, its place may be narrowed down."""
    rest = {key: value for key, value in spec.items() if key not in _FREE}
    for kind in ("containers", "initContainers"):
        if rest.get(kind):
            rest[kind] = [{key: value for key, value in item.items() if key != "image"} for item in rest[kind]]
    if gated and before is not None:
        if {**(spec.get("nodeSelector") or {}), **(before.get("nodeSelector") or {})} == (
            spec.get("nodeSelector") or {}
        ):
            rest = _as_before(rest, before, "nodeSelector")
        if _narrows(spec, before):
            rest = _as_before(rest, before, "affinity")
    return rest


def _as_before(spec: Obj, before: Obj, field: str) -> Obj:
    rest = {key: value for key, value in spec.items() if key != field}
    return {**rest, field: before[field]} if field in before else rest


def _narrows(spec: Obj, before: Obj) -> bool:
    """Node affinity may be set where there was none, and each of its terms may get more requirements."""

    def split(of: Obj) -> tuple[Obj, list[Obj]]:
        affinity = of.get("affinity") or {}
        nodes = affinity.get("nodeAffinity") or {}
        others = {key: value for key, value in affinity.items() if key != "nodeAffinity" and value}
        return others, (nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []

    (others, now), (other_before, was) = split(spec), split(before)
    if others != other_before or (was and len(was) != len(now)):
        return False
    parts = ("matchExpressions", "matchFields")
    return all(
        all(item in (new.get(part) or ()) for part in parts for item in old.get(part) or ())
        for new, old in zip(now, was, strict=False)
    )


def resize(new: Obj, old: Obj) -> Iterator[FieldError]:
    """Sizes may change, but not take the pod into another class, and none may be taken away."""
    if qos_class(new["spec"]) != qos_class(old["spec"]):
        yield invalid_value("spec", qos_class(new["spec"]), "Pod QOS Class may not change as a result of resizing")
    for at, (item, before) in enumerate(zip(new["spec"]["containers"], old["spec"]["containers"], strict=True)):
        for part in ("requests", "limits"):
            now, was = ((one.get("resources") or {}).get(part) or {} for one in (item, before))
            path = f"spec.containers[{at}].resources.{part}"
            if set(was) - set(now):
                yield forbidden_field(path, f"resource {part} cannot be removed")
            if any(now.get(name) != was.get(name) for name in {*now, *was} - _SIZES):
                yield forbidden_field(path, "only cpu and memory resources are mutable")


def resized(new: Obj, old: Obj) -> Obj:
    """The old spec with the sizes of the new one: nothing else goes through the `resize` subresource."""
    spec = {**old}
    for kind in ("containers", "initContainers"):
        asked = {item.get("name"): item.get("resources") for item in new.get(kind) or ()}
        if old.get(kind):
            spec[kind] = [{**item, "resources": asked.get(item["name"]) or {}} for item in old[kind]]
    if "resources" in new:
        spec["resources"] = new["resources"]
    return spec


def debugged(new: Obj, old: Obj) -> Obj:
    """The old spec with the ephemeral containers of the new one."""
    return {**old, "ephemeralContainers": new.get("ephemeralContainers") or []}


def ephemeral(new: Obj, old: Obj) -> Iterator[FieldError]:
    """They can be added, and never changed or taken away."""
    now = {item.get("name"): item for item in new["spec"].get("ephemeralContainers") or ()}
    for item in old["spec"].get("ephemeralContainers") or ():
        if now.get(item["name"]) != item:
            why = "existing ephemeral containers may not be changed or removed"
            yield forbidden_field("spec.ephemeralContainers", why)
