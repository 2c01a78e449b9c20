"""ConfigMaps, Secrets and keys of them that pods refer to and that are not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, every, kind_of, listed, mapping, mappings, named, text, waiting
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_ABSENT = re.compile(
    r'(?P<kind>configmap|secret) "?(?P<name>[\w./-]+?)"? not found|references non-existent '
    r"(?P<what>secret|config) key: (?P<bad>\S+)",
    re.I,
)
_NO_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) (?P<space>[\w.-]+)/(?P<name>[\w.-]+)"
)
_RESOURCES = {"configmap": "configmaps", "secret": "secrets"}
_STARTED = {"Running", "Succeeded"}


def analyse(scene: Scene) -> Iterator[Candidate]:
    told = set[Key]()
    for workload, messages, pod in _complaints(scene):
        for found in _said(scene, workload, messages, pod):
            told.add(workload)
            yield found
    for resource in _RESOURCES.values():
        for connection in scene.dangling(resource, "env_from", "mounts"):
            key = connection.source
            owner = scene.owner(key)
            if not connection.optional and owner not in told and scene.spec(key) and _counts(scene, owner, key):
                told.add(owner)
                yield _absent(scene, owner, connection.target, connection.detail, sure=_static(scene, owner))
    yield from _keys(scene, told)


def _complaints(scene: Scene) -> Iterator[tuple[Key, list[str], Key]]:
    """Workload, what was said about it, and a pod of it."""
    for item in scene.ailing:
        reason, message = waiting(item.status)
        if reason in {"CreateContainerConfigError", "CreateContainerError"}:
            yield item.workload, [message, *(one.message for one in scene.warned(item.pod_key, "Failed"))], item.pod_key
    for workload, pods, _ in scene.sick_pods:
        messages = [one.message for one in scene.warned(workload, "FailedMount")]
        stuck = [pod for pod in pods if at(pod, "status").get("phase") == "Pending"]
        if messages and stuck:
            yield workload, messages, Key("pods", workload.namespace, stuck[0]["metadata"]["name"])


def _said(scene: Scene, workload: Key, messages: list[str], pod: Key) -> Iterator[Candidate]:
    for message in messages:
        if match := _NO_KEY.search(message):
            target = Key(_RESOURCES[match["kind"].lower()], match["space"], match["name"])
            yield _no_key(scene, workload, target, match["key"], said=message)
            return
        if match := _ABSENT.search(message):
            if match["bad"]:
                yield _bad_key(scene, workload, match["bad"], message)
                return
            name = match["name"].rpartition("/")[2]
            target = Key(_RESOURCES[match["kind"].lower()], workload.namespace, name)
            yield _absent(scene, workload, target, _detail(scene, pod, target), said=message)
            return


def _bad_key(scene: Scene, workload: Key, key: str, message: str) -> Candidate:
    """A key that a volume takes: the volume tells of which ConfigMap or Secret."""
    target = next((one for one, taken in _mounted(workload, scene.spec(workload)) if taken == key), None)
    if target is not None:
        return _no_key(scene, workload, target, key, said=message)
    sentence = (
        f"a volume of {named(workload)} takes the key {key!r}, which does not exist (not found) in the "
        "ConfigMap or Secret."
    )
    return Candidate("ConfigMissing", workload, sentence, 0.95, (message,), fix=f"Add the missing key {key!r}.")


def _mounted(workload: Key, spec: Object) -> Iterator[tuple[Key, str]]:
    """The ConfigMaps and Secrets of volumes, each with a key that is taken from it."""
    for volume in mappings(spec.get("volumes")):
        for part in (volume, *mappings(at(volume, "projected").get("sources"))):
            for field, named_by in (("configMap", "name"), ("secret", "secretName"), ("secret", "name")):
                source = at(part, field)
                for item in mappings(source.get("items")) if source.get(named_by) else ():
                    resource = _RESOURCES[field.lower()]
                    yield Key(resource, workload.namespace, text(source[named_by])), text(item.get("key"))


def _detail(scene: Scene, pod: Key, target: Key) -> str:
    for connection in scene.graph.edges(pod, {"env_from", "mounts"}):
        if connection.target == target:
            return connection.detail
    return ""


def _absent(scene: Scene, owner: Key, target: Key, detail: str, *, said: str = "", sure: float = 0.97) -> Candidate:
    kind, other = kind_of(target.resource), _elsewhere(scene, target)
    why = f"the {kind} {target.name!r} that {named(owner)} refers to"
    sentence = (
        f"{why} ({detail or 'env, envFrom or volume'}) is missing: it does not exist (not found) in namespace "
        f"{target.namespace}, so its containers cannot be created.{other}"
    )
    fix = f"Create the {kind} {target.name!r} in namespace {target.namespace}, or correct the reference."
    return Candidate("ConfigMissing", owner, sentence, sure, (said,) if said else (), fix=fix, suffers=(target,))


def _elsewhere(scene: Scene, target: Key) -> str:
    """Where one of that name is, or one that is nearly called so, or one of the other kind."""
    twin = target._replace(resource="secrets" if target.resource == "configmaps" else "configmaps")
    if scene.exists(twin):
        return f" There is a {kind_of(twin.resource)} of that name: the reference takes the wrong kind."
    spaces = scene.store.spaces_with(target.resource, target.name)
    if spaces:
        return f" One of that name is in namespace {listed(spaces)} only."
    names = [key.name for key in scene.store.keys(target.resource, target.namespace)][:500]
    close = difflib.get_close_matches(target.name, names, n=1, cutoff=0.6)
    return f" There is {close[0]!r}: perhaps that is meant (typo)." if close else ""


def _counts(scene: Scene, owner: Key, key: Key) -> bool:
    """Whether the one that says it is in use: not an old ReplicaSet, not a pod that runs all the same."""
    if key.resource == "replicasets.apps":
        return False
    if key.resource == "pods":
        return owner == key and mapping(scene.get(key).get("status")).get("phase") not in _STARTED
    return True


def _static(scene: Scene, owner: Key) -> float:
    """A reference that nothing runs into is a trap, not an incident."""
    well = owner.resource != "pods" and mapping(scene.get(owner).get("status")).get("readyReplicas")
    idle = at(scene.get(owner), "spec").get("replicas") == 0 or owner.resource in {"cronjobs.batch", "jobs.batch"}
    return 0.5 if well or idle else 0.75


def _keys(scene: Scene, told: set[Key]) -> Iterator[Candidate]:
    """Keys that a template takes from a ConfigMap or Secret that is there and lacks them; only of what is sick."""
    for workload in dict.fromkeys(item.workload for item in scene.ailing):
        if workload in told:
            continue
        for target, key in _taken(workload, scene.spec(workload)):
            if scene.exists(target) and key not in _held(scene.get(target)):
                yield _no_key(scene, workload, target, key, sure=0.7)
                break


def _taken(workload: Key, spec: Object) -> Iterator[tuple[Key, str]]:
    for item in every(spec):
        for variable in mappings(item.get("env")):
            for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
                found = at(variable, "valueFrom", field)
                if found and not found.get("optional"):
                    yield Key(resource, workload.namespace, text(found.get("name"))), text(found.get("key"))


def _held(obj: Object) -> Iterable[str]:
    """Names of keys; those of Secrets are kept in a note where the data is not."""
    held = {*mapping(obj.get("data")), *mapping(obj.get("stringData")), *mapping(obj.get("binaryData"))}
    return held or {"*"}


def _no_key(scene: Scene, owner: Key, target: Key, key: str, *, said: str = "", sure: float = 0.97) -> Candidate:
    kind = kind_of(target.resource)
    held = sorted(set(_held(scene.get(target))) - {"*"})
    there = f" It has only: {listed(held)}." if held else ""
    sentence = (
        f"the key {key!r} that {named(owner)} takes from the {kind} {target.name!r} is missing there: "
        f"it does not exist (not found) in {kind} {target.namespace}/{target.name}.{there}"
    )
    fix = f"Add the key {key!r} to the {kind} {target.name!r}, or correct the key in the workload."
    return Candidate(
        "ConfigMissing",
        owner,
        sentence,
        sure if "*" not in _held(scene.get(target)) or said else 0.0,
        (said,) if said else (),
        fix=fix,
        suffers=(target,),
    )
