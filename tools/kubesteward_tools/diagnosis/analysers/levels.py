"""Workloads that have no pods and that the Pod Security level of their namespace would not let have any."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import listed, mapping, named, waiting
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.lookup.notes import everywhere
from kubesteward_tools.twin.psa import evaluate
from kubesteward_tools.world.store import Key

_ENFORCE = "pod-security.kubernetes.io/enforce"


def analyse(scene: Scene) -> Iterator[Candidate]:
    for resource in (*SERVERS, "jobs.batch"):
        for key, note in everywhere(scene.store, resource):
            if note.ready is False and not scene.pod_keys(key):
                yield from _violating(scene, key)
    for item in scene.ailing:
        reason, message = waiting(item.status)
        if reason == "CreateContainerConfigError" and (
            "runAsNonRoot" in message or "run as root" in message or "non-numeric user" in message
        ):
            sentence = (
                f"container {item.name!r} of {named(item.workload)} is refused by the kubelet: {message}: its "
                "securityContext says runAsNonRoot, and the image runs as root."
            )
            yield Candidate(
                "PodSecurity",
                item.workload,
                sentence,
                0.9,
                (message,),
                fix="Set runAsUser to a number other than 0, or use an image with such a user.",
                suffers=(item.pod_key,),
            )


def _violating(scene: Scene, key: Key) -> Iterator[Candidate]:
    level = mapping(scene.get(Key("namespaces", "", key.namespace)).get("metadata", {}).get("labels")).get(_ENFORCE, "")
    spec = scene.spec(key)
    if level not in {"baseline", "restricted"} or not spec:
        return
    found = evaluate({"metadata": {}, "spec": spec}, level)
    if found:
        sentence = (
            f"{named(key)} gets no pods: namespace {key.namespace} enforces the Pod Security level {level!r} "
            f"and they would violate it (violates PodSecurity): {listed(one.message for one in found)}."
        )
        yield Candidate(
            "PodSecurity",
            key,
            sentence,
            0.72,
            (f"{_ENFORCE}: {level}",),
            fix=f"Set the securityContext as {level!r} asks.",
            suffers=(key,),
        )
