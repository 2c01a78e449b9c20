"""The parameters of a policy's binding. API doc: ParamKind, ParamRef."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.cel import Failed, Undecided
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object

_CRDS = "customresourcedefinitions.apiextensions.k8s.io"


def parameters(policy: Object, binding: Object, attempt: Attempt) -> list[Object | None]:
    """One evaluation each; [None] where there are none to be had, [] where that means that the binding does not count.

    Raises:
        Failed: the binding is not configured as it must be, in the API server's words.
        Undecided: parameters of this kind cannot be seen here.
    """
    wanted, reference = policy["spec"].get("paramKind"), binding["spec"].get("paramRef")
    if not wanted or not reference:
        return [None]
    resource, namespaced = _kind(wanted, attempt)
    if reference.get("namespace") and not namespaced:
        raise Failed("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    namespace = (reference.get("namespace") or attempt.namespace) if namespaced else ""
    if namespaced and not namespace:
        raise Failed("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    found = _found(attempt, resource, namespace, reference)
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise Failed("no params found for policy binding with `Deny` parameterNotFoundAction")
    return [{"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], **item} for item in found]


def _found(attempt: Attempt, resource: str, namespace: str, reference: dict[str, Any]) -> list[Object]:
    if reference.get("name"):
        one = attempt.store.get(Key(resource, namespace, reference["name"]))
        return [one] if one is not None else []
    items = attempt.store.objects(resource, namespace)
    return [item for item in items if matches(reference.get("selector") or {}, item["metadata"].get("labels"))]


def _kind(wanted: dict[str, str], attempt: Attempt) -> tuple[str, bool]:
    """Resource and whether it lives in namespaces. What was never read is no evidence that there is none."""
    group = wanted["apiVersion"].rpartition("/")[0]
    built_in = resources.by_kind(group, wanted["kind"])
    if built_in is not None:
        if built_in.resource == "secrets":
            raise Undecided("its parameters are Secrets, whose contents are not read")
        return built_in.resource, built_in.namespaced
    for definition in attempt.store.objects(_CRDS):
        spec = definition["spec"]
        if spec["group"] == group and spec["names"]["kind"] == wanted["kind"]:
            resource = f"{spec['names']['plural']}.{group}"
            if attempt.store.count(resource):
                return resource, spec.get("scope") == "Namespaced"
    raise Undecided(f"its parameters, of kind {wanted['kind']}, were not read")
