"""Who a StatefulSet's pods are: a name, labels, a host name and claims of its own for each ordinal. Pure.

KEP-3335 (start ordinal), KEP-1847 (claim retention); docs: "StatefulSets: Pod Identity".
"""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.controllers.base import owner_reference
from kubesteward_tools.twin.controllers.revisions import POD_LABEL, template_of
from kubesteward_tools.world.store import Object

_NAME, _INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def wanted(stateful_set: Object) -> range:
    """The ordinals that shall have a pod."""
    first = (stateful_set["spec"].get("ordinals") or {}).get("start", 0)
    return range(first, first + stateful_set["spec"].get("replicas", 1))


def ordinal_of(stateful_set: Object, pod: Object) -> int | None:
    """None for a pod whose name is not of the set's making."""
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    if parent != stateful_set["metadata"]["name"] or not number.isdecimal() or str(int(number)) != number:
        return None
    return int(number)


def name_of(stateful_set: Object, ordinal: int) -> str:
    return f"{stateful_set['metadata']['name']}-{ordinal}"


def revision_of(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(POD_LABEL, ""))


def identity(stateful_set: Object, ordinal: int) -> dict[str, str]:
    """The labels that only this pod has."""
    return {_NAME: name_of(stateful_set, ordinal), _INDEX: str(ordinal)}


def pod(stateful_set: Object, ordinal: int, revision: Object) -> Object:
    """The pod of an ordinal as the revision's template describes it."""
    template, spec = template_of(revision), stateful_set["spec"]
    metadata = template.get("metadata") or {}
    name = name_of(stateful_set, ordinal)
    own = {**identity(stateful_set, ordinal), POD_LABEL: revision["metadata"]["name"]}
    return {
        "metadata": {
            "name": name,
            "generateName": f"{stateful_set['metadata']['name']}-",
            "labels": {**(metadata.get("labels") or {}), **own},
            **({"annotations": dict(metadata["annotations"])} if metadata.get("annotations") else {}),
            **({"finalizers": metadata["finalizers"]} if metadata.get("finalizers") else {}),
            "ownerReferences": [owner_reference(stateful_set)],
        },
        "spec": {
            **template["spec"],
            "hostname": name,
            **({"subdomain": spec["serviceName"]} if spec.get("serviceName") else {}),
            **_volumes(stateful_set, ordinal, template["spec"].get("volumes") or []),
        },
    }


def _volumes(stateful_set: Object, ordinal: int, others: list[dict[str, Any]]) -> dict[str, Any]:
    """A claim takes the place of a volume of the template that has its name."""
    own = [
        {"name": template, "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
        for template, claim in claims(stateful_set, ordinal).items()
    ]
    names = {item["name"] for item in own}
    volumes = own + [item for item in others if item["name"] not in names]
    return {"volumes": volumes} if volumes else {}


def claims(stateful_set: Object, ordinal: int) -> dict[str, Object]:
    """The claims of an ordinal, by the names of their templates."""
    return {
        template["metadata"]["name"]: _claim(stateful_set, template, ordinal)
        for template in stateful_set["spec"].get("volumeClaimTemplates") or ()
    }


def _claim(stateful_set: Object, template: Object, ordinal: int) -> Object:
    metadata = template["metadata"]
    labels = {**(metadata.get("labels") or {}), **(stateful_set["spec"]["selector"].get("matchLabels") or {})}
    name = f"{metadata['name']}-{name_of(stateful_set, ordinal)}"
    kept = {key: metadata[key] for key in ("annotations", "finalizers") if metadata.get(key)}
    return {"metadata": {**kept, "name": name, "labels": labels}, "spec": template["spec"]}


def claim_owners(stateful_set: Object, pod: Object, references: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claim's owner references, so that the garbage collector does what the retention policy says.

    A claim follows the set when sets' claims are deleted with them, and the pod when that is scaled away.
    """
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    condemned = ordinal_of(stateful_set, pod) not in wanted(stateful_set)
    with_pod = policy.get("whenScaled") == "Delete" and condemned
    with_set = policy.get("whenDeleted") == "Delete" and not with_pod
    ours = {stateful_set["metadata"]["uid"], pod["metadata"]["uid"]}
    others = [item for item in references if item["uid"] not in ours]
    if any(item.get("controller") for item in others):
        return references  # somebody else decides about this claim
    pod = {"apiVersion": "v1", "kind": "Pod", **pod}
    return others + [owner_reference(owner) for owner, is_so in ((stateful_set, with_set), (pod, with_pod)) if is_so]
