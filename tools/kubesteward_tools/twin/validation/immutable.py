"""What may not change once an object is there, each refusal worded as the API server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value

Obj = dict[str, Any]

_FIXED = "field is immutable"
_STATEFUL_SET = {
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
}
_STATEFUL_SET_WORDS = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_JOB = ("selector", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy")
_CLAIM_WORDS = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def selector(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", new["spec"].get("selector"), _FIXED)


def stateful_set(new: Obj, old: Obj) -> Iterator[FieldError]:
    if _without(new["spec"], _STATEFUL_SET) != _without(old["spec"], _STATEFUL_SET):
        yield forbidden_field("spec", _STATEFUL_SET_WORDS)


def _without(spec: Obj, names: set[str]) -> Obj:
    return {key: value for key, value in spec.items() if key not in names}


def job(new: Obj, old: Obj) -> Iterator[FieldError]:
    spec, before = new["spec"], old["spec"]
    if spec.get("completions") != before.get("completions"):
        yield from _completions(spec, before)
    for field in (
        "selector",
        "completionMode",
        "podFailurePolicy",
        "successPolicy",
        "backoffLimitPerIndex",
        "managedBy",
    ):
        if spec.get(field) != before.get(field):
            yield invalid_value(f"spec.{field}", spec.get(field), _FIXED)
    not_started = before.get("suspend") and not (old.get("status") or {}).get("startTime")
    if not_started:
        directives = {"nodeSelector", "affinity", "tolerations", "schedulingGates"}
        if _without(_pod(spec), directives) != _without(_pod(before), directives):
            yield invalid_value("spec.template.spec", _pod(spec), _FIXED)
    elif spec.get("template") != before.get("template"):
        yield invalid_value("spec.template", spec.get("template"), _FIXED)


def _pod(spec: Obj) -> Obj:
    return (spec.get("template") or {}).get("spec") or {}


def _completions(spec: Obj, before: Obj) -> Iterator[FieldError]:
    if before.get("completionMode") != "Indexed":
        yield invalid_value("spec.completions", spec.get("completions"), _FIXED)
    elif spec.get("completions") != spec.get("parallelism"):
        why = "can only be modified in tandem with spec.parallelism"
        yield invalid_value("spec.completions", spec.get("completions"), why)


def service(new: Obj, old: Obj) -> Iterator[FieldError]:
    was, now = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    stays = old["spec"].get("type") != "ExternalName" and new["spec"].get("type") != "ExternalName"
    if was and stays and now != was:
        yield invalid_value("spec.clusterIPs[0]", [now] if now else [], "may not change once set")
    family, other = (((obj["spec"].get("ipFamilies") or [None])[0]) for obj in (old, new))
    if stays and family and other and family != other:
        yield invalid_value("spec.ipFamilies[0]", new["spec"]["ipFamilies"], "may not change once set")
    both = all(obj["spec"].get("type") == "LoadBalancer" for obj in (old, new))
    if both and old["spec"].get("loadBalancerClass") != new["spec"].get("loadBalancerClass"):
        why = "may not change once set"
        yield invalid_value("spec.loadBalancerClass", new["spec"].get("loadBalancerClass"), why)


def volume(new: Obj, old: Obj) -> Iterator[FieldError]:
    free = {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
    if _without(new["spec"], free) != _without(old["spec"], free):
        why = "spec.persistentvolumesource is immutable after creation"
        yield forbidden_field("spec.persistentvolumesource", why)
    if new["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        yield invalid_value("spec.volumeMode", new["spec"].get("volumeMode"), _FIXED)
    if old["spec"].get("nodeAffinity") and new["spec"].get("nodeAffinity") != old["spec"]["nodeAffinity"]:
        yield invalid_value("spec.nodeAffinity", new["spec"].get("nodeAffinity"), _FIXED)


def node(new: Obj, old: Obj) -> Iterator[FieldError]:
    for field in ("podCIDR", "podCIDRs", "providerID"):
        if old["spec"].get(field) and new["spec"].get(field) != old["spec"][field]:
            yield forbidden_field(f"spec.{field}", "node updates may not change it once it is set")


def endpoint_slice(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new.get("addressType") != old.get("addressType"):
        yield invalid_value("addressType", new.get("addressType"), _FIXED)


def config(new: Obj, old: Obj) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden_field("immutable", "field is immutable when `immutable` is set")
    for field in ("data", "binaryData"):
        if new.get(field) != old.get(field):
            yield forbidden_field(field, "field is immutable when `immutable` is set")


def revision(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new.get("data") != old.get("data"):
        yield invalid_value("data", new.get("data"), _FIXED)


def secret(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new.get("type") != old.get("type"):
        yield invalid_value("type", new.get("type"), _FIXED)
    yield from config(new, old)


def claim(new: Obj, old: Obj) -> Iterator[FieldError]:
    spec, before = new["spec"], old["spec"]
    bound = (old.get("status") or {}).get("phase") == "Bound"
    allowed = {"resources", "volumeAttributesClassName"} if bound else {"volumeName"}
    if (not bound and spec.get("resources") != before.get("resources")) or _without(spec, allowed) != _without(
        before, allowed
    ):
        yield forbidden_field("spec", _CLAIM_WORDS)
    elif bound:
        yield from _shrunk(spec, old)


def _shrunk(spec: Obj, old: Obj) -> Iterator[FieldError]:
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
    has = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
    if parse(asked) < parse(has):
        yield forbidden_field("spec.resources.requests.storage", "field can not be less than status.capacity")


def role_ref(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new.get("roleRef") != old.get("roleRef"):
        ref = new.get("roleRef") or {}
        shown = {"APIGroup": ref.get("apiGroup", ""), "Kind": ref.get("kind", ""), "Name": ref.get("name", "")}
        yield invalid_value("roleRef", shown, "cannot change roleRef")


def storage_class(new: Obj, old: Obj) -> Iterator[FieldError]:
    for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if new.get(field) != old.get(field):
            yield invalid_value(field, new.get(field), _FIXED)


def priority_class(new: Obj, old: Obj) -> Iterator[FieldError]:
    if new.get("value") != old.get("value"):
        yield forbidden_field("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid_value("preemptionPolicy", new.get("preemptionPolicy"), _FIXED)
