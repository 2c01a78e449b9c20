"""Volume claims that are missing, stay unbound, or cannot be attached or mounted where the pod is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    amount,
    at,
    condition,
    listed,
    mapping,
    mappings,
    message_of,
    named,
    phase,
    text,
)
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_CLASSES = "storageclasses.storage.k8s.io"


def analyse(scene: Scene) -> Iterator[Candidate]:
    blamed = set[Key]()
    for workload, pods, _ in scene.sick_pods:
        for pod in pods[:1]:
            for found in _of_pod(scene, workload, pod):
                if found.culprit not in blamed:
                    blamed.add(found.culprit)
                    yield found
    for resource in ("persistentvolumeclaims",):
        for key, claim in scene.all(resource):
            phase = mapping(claim.get("status")).get("phase")
            if key not in blamed and phase in {"Pending", "Lost"}:
                yield from _unbound(scene, key, claim, ())


def _of_pod(scene: Scene, workload: Key, pod: Object) -> Iterator[Candidate]:
    space, name = workload.namespace, pod["metadata"]["name"]
    pod_key = Key("pods", space, name)
    if phase(pod) not in {"Pending", ""}:
        return
    names = [
        text(at(volume, "persistentVolumeClaim").get("claimName"))
        for volume in mappings(at(pod, "spec").get("volumes"))
    ]
    for key in (Key("persistentvolumeclaims", space, one) for one in names if one):
        if scene.missing(key):
            yield _missing(scene, workload, key, pod_key)
        elif scene.exists(key) and mapping(scene.get(key).get("status")).get("phase") != "Bound":
            yield from _unbound(scene, key, scene.get(key), (workload, pod_key))
    told = [one.message for one in scene.warned(pod_key, "FailedScheduling")] or [
        message_of(condition(pod, "PodScheduled"))
    ]
    if any("volume node affinity conflict" in one for one in told):
        yield _elsewhere(scene, workload, names, told[0], pod_key)
    for one in scene.warned(pod_key, "FailedAttachVolume", "FailedMount", "FailedMapVolume"):
        if (found := _mount(scene, workload, one.message, names, pod_key)) is not None:
            yield found
            return


def _missing(scene: Scene, workload: Key, key: Key, pod: Key) -> Candidate:
    there = [one.name for one in scene.store.keys("persistentvolumeclaims", key.namespace)]
    near = f" There is: {listed(there)}." if there else ""
    sentence = (
        f"the PersistentVolumeClaim {key.name!r} that {named(workload)} mounts does not exist (not found, missing) in "
        f"namespace {key.namespace}, so its pod stays Pending.{near}"
    )
    message = f'persistentvolumeclaim "{key.name}" not found'
    return Candidate(
        "PVC",
        workload,
        sentence,
        0.97,
        (message,),
        fix=f"Create the PVC {key.name!r}, or correct claimName.",
        suffers=(key, pod),
    )


def _unbound(scene: Scene, key: Key, claim: Object, users: tuple[Key, ...]) -> Iterator[Candidate]:
    spec, told = (
        mapping(claim.get("spec")),
        scene.warned(key, "ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost"),
    )
    why, fix = _why(scene, key, spec, " ".join(one.message for one in told))
    if not why and not told and (not users or _waits(scene, spec)):
        return
    lost = mapping(claim.get("status")).get("phase") == "Lost"
    state = "has lost its volume (Lost)" if lost else "is Pending (unbound)"
    whose = f" Pods of {named(users[0])} wait for it." if users else ""
    sentence = (
        f"the PersistentVolumeClaim {key.namespace}/{key.name} {state}: "
        f"{why or (told[0].message if told else 'no volume fits it')}.{whose}"
    )
    sure = 0.95 if users and (why or told) else 0.7 if why or told else 0.6
    since = told[-1].first if told else None
    yield Candidate(
        "PVC",
        key,
        sentence,
        sure,
        tuple(one.message for one in told[:2]),
        fix=fix or "Provide a volume for it.",
        since=since,
        suffers=users,
    )


def _waits(scene: Scene, spec: Object) -> bool:
    """Whether its class binds it only once a pod has found a place: what keeps the pod is then the cause."""
    found = scene.get(Key(_CLASSES, "", text(spec.get("storageClassName"))))
    return found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _why(scene: Scene, key: Key, spec: Object, told: str) -> tuple[str, str]:
    name = spec.get("storageClassName")
    classes = {one.name: obj for one, obj in scene.all(_CLASSES)}
    if text(name) and scene.missing(Key(_CLASSES, "", text(name))) and not _volume_for(scene, spec):
        if _same_class(scene, text(name)):
            return _no_volume(scene, spec)
        return (
            f"its StorageClass (storage class) {name!r} does not exist (not found, missing); there is "
            f"{listed(classes) or 'none'}",
            f"Create the StorageClass {name!r}, or use one that is there: {listed(classes) or 'none yet'}.",
        )
    if (
        name is None
        and classes
        and not any(mapping(obj["metadata"].get("annotations")).get(_DEFAULT) == "true" for obj in classes.values())
        and not _volume_for(scene, spec)
    ):
        return (
            "it names no storageClassName and no StorageClass is the default",
            "Set storageClassName, or mark a default StorageClass.",
        )
    volume = text(spec.get("volumeName"))
    if volume:
        return _named_volume(scene, key, volume, spec)
    if told:
        return told[:300], "Correct what the provisioner complains about."
    if (
        text(name)
        and name in classes
        and classes[name].get("provisioner") not in {"kubernetes.io/no-provisioner", None}
    ):
        waits = classes[name].get("volumeBindingMode") == "WaitForFirstConsumer"
        return (
            ("", "")
            if waits
            else (
                f"its provisioner {classes[name].get('provisioner')!r} has made no volume yet",
                "Look whether the provisioner runs.",
            )
        )
    return _no_volume(scene, spec)


def _same_class(scene: Scene, name: str) -> bool:
    """Whether volumes are made by hand for this class, which then need not exist as an object."""
    return any(at(volume, "spec").get("storageClassName") == name for _, volume in scene.all("persistentvolumes"))


def _volume_for(scene: Scene, spec: Object) -> bool:
    return any(_misfit(volume, spec) == "" for _, volume in scene.all("persistentvolumes"))


def _named_volume(scene: Scene, key: Key, name: str, spec: Object) -> tuple[str, str]:
    volume = scene.get(Key("persistentvolumes", "", name))
    if not volume:
        return (
            f"the PersistentVolume {name!r} that it names does not exist (not found)",
            "Correct volumeName or create that volume.",
        )
    owner = at(volume, "spec", "claimRef")
    if owner and (owner.get("namespace"), owner.get("name")) != (key.namespace, key.name):
        return (
            f"the PersistentVolume {name!r} is bound to another claim, {owner.get('namespace')}/{owner.get('name')}",
            "Use another volume.",
        )
    why = _misfit(volume, spec)
    return (
        (f"it cannot bind to the PersistentVolume {name!r}: {why}", "Make claim and volume agree.") if why else ("", "")
    )


def _misfit(volume: Object, spec: Object) -> str:
    """Why a volume does not fit a claim, "" when it does."""
    has, status = mapping(volume.get("spec")), mapping(volume.get("status"))
    if text(has.get("storageClassName")) != text(spec.get("storageClassName")):
        return (
            f"its storageClassName is {text(has.get('storageClassName'))!r}, the claim wants "
            f"{text(spec.get('storageClassName'))!r}"
        )
    lacking = set(spec.get("accessModes") or ()) - set(has.get("accessModes") or ())
    if lacking:
        return f"its accessModes are {listed(has.get('accessModes') or ())}, the claim wants {listed(sorted(lacking))}"
    offered, wanted = at(has, "capacity").get("storage"), at(spec, "resources", "requests").get("storage")
    if amount(offered) < amount(wanted):
        return f"its capacity is {offered}, the claim requests {wanted} (too small)"
    if status.get("phase") in {"Released", "Failed", "Bound"}:
        return f"it is {status['phase']}"
    wanted_labels = at(spec, "selector", "matchLabels")
    if not wanted_labels.items() <= mapping(volume["metadata"].get("labels")).items():
        return "its labels do not match the claim's selector"
    return ""


def _no_volume(scene: Scene, spec: Object) -> tuple[str, str]:
    volumes = [(key.name, _misfit(volume, spec)) for key, volume in scene.all("persistentvolumes")]
    if not volumes:
        return (
            f"no PersistentVolume is available for it (storageClassName {text(spec.get('storageClassName'))!r})",
            "Create a PersistentVolume that fits, or use a class with a provisioner.",
        )
    shown = "; ".join(f"PersistentVolume {name!r}: {why}" for name, why in volumes[:3] if why)
    return (
        f"no PersistentVolume matches it ({shown})" if shown else ""
    ), "Make accessModes, size and storageClassName of claim and volume agree."


def _elsewhere(scene: Scene, workload: Key, names: list[str], message: str, pod: Key) -> Candidate:
    claims = [Key("persistentvolumeclaims", workload.namespace, name) for name in names if name]
    shown = listed(f"{key.name} (volume {text(at(scene.get(key), 'spec').get('volumeName'))})" for key in claims)
    sentence = (
        f"the volume of PersistentVolumeClaim {shown} can only be used on other nodes than those "
        f"{named(workload)} may run on (volume node affinity conflict)."
    )
    return Candidate(
        "PVC",
        claims[0] if claims else workload,
        sentence,
        0.93,
        (message,),
        fix="Let the pod run in the volume's zone or node, or make a new volume there.",
        suffers=(workload, pod),
    )


def _mount(scene: Scene, workload: Key, message: str, names: list[str], pod: Key) -> Candidate | None:
    if re.search(r"(?:configmap|secret) .*not found|references non-existent", message, re.I):
        return None
    claims = [Key("persistentvolumeclaims", workload.namespace, name) for name in names if name]
    if re.search(r"Multi-Attach", message):
        why = (
            "its volume is still attached to another node (Multi-Attach error): it is ReadWriteOnce and "
            "another pod uses it there"
        )
        fix = "Delete the pod that holds it, use the Recreate strategy, or a ReadWriteMany volume."
    elif re.search(
        r"timed out waiting|MountVolume|AttachVolume|Unable to attach|mount failed|hostPath type check failed", message
    ):
        why = "its volume cannot be attached or mounted"
        fix = "See what the volume plugin says; correct the volume, the path or the driver."
    else:
        return None
    culprit = claims[0] if len(claims) == 1 else workload
    sentence = f"pods of {named(workload)} cannot start: {why}: {message[:300]}."
    return Candidate("PVC", culprit, sentence, 0.85, (message,), fix=fix, suffers=(workload, pod, *claims))
