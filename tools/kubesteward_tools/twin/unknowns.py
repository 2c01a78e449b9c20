"""What matters to a change and is not simulated. One of these is enough for a rehearsal not to say "safe"."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.backends import INGRESSES
from kubesteward_tools.twin.controllers.autoscalers import AUTOSCALERS, is_declared, scalers_of, target_of
from kubesteward_tools.twin.controllers.cronjobs import CRON_JOBS
from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.twin.scheduling.nodes import allocatable_of
from kubesteward_tools.twin.scheduling.usage import Room
from kubesteward_tools.twin.watcher import SIMULATED_OWNERS, top_controller
from kubesteward_tools.world.store import Key, Object, Store

_NOT_SIMULATED = {
    "replicationcontrollers": "what the change does to its pods",
}
_CONTROLLERS_OWN = (("annotations", "metadata"), ("ingressClassName", "spec"), ("tls", "spec"))
_UNKNOWN_CONTROLLER = "what its controller makes of the change is not known"
_SCHEDULER = "default-scheduler"
_PROVISIONED = "pv.kubernetes.io/provisioned-by"
_INERT = {"kubectl.kubernetes.io/last-applied-configuration"}
_KNOWN = {kind.resource for kind in BUILT_IN}


def unknowns(evidence: Evidence, *, alone: bool = False) -> list[str]:
    """`alone`: there is nothing but Kubernetes' own control plane, and nobody looks on until a later day."""
    rules = (*_OF_KUBERNETES, *(() if alone else _OF_OTHERS))
    return list(dict.fromkeys(text for rule in rules for text in rule(evidence)))


def _kinds(evidence: Evidence) -> Iterator[str]:
    for key in evidence.targets:
        if key.resource in _NOT_SIMULATED:
            yield f"{name(key)}: {_NOT_SIMULATED[key.resource]} is not simulated"


def _custom(evidence: Evidence) -> Iterator[str]:
    """What is changed, also in consequence, of custom resources: whoever acts on them is not part of Kubernetes."""
    for key in evidence.targets:
        if key.resource not in _KNOWN:
            yield f"{name(key)}: {_UNKNOWN_CONTROLLER}"
    touched = evidence.best.watcher.touched
    written = {key.resource for key, word in touched.items() if word and key.resource not in _KNOWN}
    for resource in sorted(written.difference(key.resource for key in evidence.targets)):
        yield f"{resource}: objects come, change or go; {_UNKNOWN_CONTROLLER}"


def _owners(evidence: Evidence) -> Iterator[str]:
    for run, _ in evidence.runs():
        for _, pod in sorted(run.watcher.stopped.items()):
            above = top_controller(evidence.origin, pod)
            if above is not None and above[0] not in SIMULATED_OWNERS:
                yield f"pods of {above[0]} {above[1].namespace}/{above[1].name} stop; their return is not simulated"


def _autoscalers(evidence: Evidence) -> Iterator[str]:
    """What pods will use is not known, so neither is what an autoscaler makes of it, unless it is declared."""
    store = evidence.best.store
    changed = {key for key in evidence.best.watcher.seen if _scale(evidence.origin.get(key)) != _scale(store.get(key))}
    scalers = {item for key in changed for item in scalers_of(store, key)}
    scalers |= {key for key in evidence.best.watcher.seen if key.resource == AUTOSCALERS}
    for key in sorted(scalers):
        if (scaler := store.get(key)) is None:
            continue
        before, target = evidence.origin.get(key), target_of(scaler)
        if target is not None and store.get(target) is None:
            continue
        own = before is None or before["spec"] != scaler["spec"]
        if (own or target in changed) and not is_declared(store, scaler):
            least, most = scaler["spec"].get("minReplicas", 1), scaler["spec"]["maxReplicas"]
            what = name(target) if target else "its target"
            yield f"{name(key)} scales {what} between {least} and {most} by usage, which is not known beforehand"


def _scale(obj: Object | None) -> tuple[object, ...]:
    """What autoscaling goes by: replicas, and the requests that usage is compared with."""
    spec = (obj or {}).get("spec") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    return spec.get("replicas"), [(item.get("resources") or {}).get("requests") for item in containers]


def _later_runs(evidence: Evidence) -> Iterator[str]:
    """A CronJob that is new or changed is followed to its next run only where that is near."""
    for key, before, after in evidence.touched(evidence.best, CRON_JOBS):
        if after is None or after["spec"].get("suspend") or (before and before["spec"] == after["spec"]):
            continue
        old, new = ((obj or {}).get("status") or {} for obj in (before, after))
        if old.get("lastScheduleTime") == new.get("lastScheduleTime"):
            yield f"{name(key)}: its next run comes later than what is rehearsed"


def _agents(evidence: Evidence) -> Iterator[str]:
    """Annotations of nodes are orders to whatever runs on them: some drain, reboot or silence the node."""
    for key, before, after in evidence.touched(evidence.best, "nodes"):
        if before is not None and after is not None:
            old, new = (item["metadata"].get("annotations") or {} for item in (before, after))
            for note in sorted(item for item in {*old, *new} - _INERT if old.get(item) != new.get(item)):
                yield f"{name(key)}: what the node and its agents make of annotation {note!r} is not known"


def _routing(evidence: Evidence) -> Iterator[str]:
    """Hosts, paths and backends are compared; the rest of an Ingress means what its controller makes of it.

    A new one's class and certificates are no matter to anybody yet; its annotations may be orders for all.
    """
    for key, before, after in evidence.touched(evidence.best, INGRESSES):
        if after is None:
            continue
        for part, of in _CONTROLLERS_OWN if before is not None else _CONTROLLERS_OWN[:1]:
            old, new = ((item or {}).get(of, {}).get(part) for item in (before, after))
            if (old or None) != (new or None):
                yield f"{name(key)}: what its controller makes of its {part} is not simulated"


def _networks(evidence: Evidence) -> Iterator[str]:
    yield from evidence.network.left_out


def _undecided(evidence: Evidence) -> Iterator[str]:
    """Rules, policies and webhooks that may refuse what is written, by the change or by controllers because of it."""
    for run, _ in evidence.runs():
        yield from sorted(set(run.cluster.api.unknown))


def _schedulers(evidence: Evidence) -> Iterator[str]:
    for key, before, pod in evidence.touched(evidence.best, "pods"):
        scheduler = (pod or {"spec": {}})["spec"].get("schedulerName", _SCHEDULER)
        if before is None and scheduler != _SCHEDULER:
            yield f"{name(key)}: what the scheduler {scheduler} makes of it is not known"


def _placed(evidence: Evidence) -> Iterator[str]:
    """Pods that go past the scheduler, so that it is for a kubelet to accept them."""
    for key, before, pod in evidence.touched(evidence.best, "pods"):
        node = (pod or {"spec": {}})["spec"].get("nodeName")
        if before is None and node and not _has_room(evidence.best.store, node):
            yield f"{name(key)} went to {node}, which has no room for it: whether its kubelet takes it is not known"


def _has_room(store: Store, node: str) -> bool:
    """Pods that name their node themselves are asked for no room by the scheduler."""
    found = store.get(Key("nodes", "", node))
    if found is None:
        return False
    room, allocatable = Room.on(store, node), allocatable_of(found)
    return all(value <= allocatable.get(item, 0) for item, value in room.used.items() if value)


def _devices(evidence: Evidence) -> Iterator[str]:
    """Pods that wait for claims of devices, which drivers allocate."""
    for key, before, pod in evidence.touched(evidence.best, "pods"):
        if before is None and pod is not None and pod["spec"].get("resourceClaims"):
            yield f"{name(key)}: whether the devices that it claims are there is not known"


def _provisioned(evidence: Evidence) -> Iterator[str]:
    """Volumes of a provisioner that nobody has seen at work."""
    store, origin = evidence.best.store, evidence.origin
    for key, before, claim in evidence.touched(evidence.best, "persistentvolumeclaims"):
        if claim is None or not claim["spec"].get("volumeName") or (before and before["spec"].get("volumeName")):
            continue
        volume = store.get(Key("persistentvolumes", "", claim["spec"]["volumeName"])) or {"metadata": {}}
        provisioner = (volume["metadata"].get("annotations") or {}).get(_PROVISIONED)
        if provisioner and provisioner not in _proven(origin):
            yield f"{name(key)}: whether the provisioner {provisioner} works is not known"


def _proven(origin: Store) -> set[str]:
    """Provisioners that have made volumes, or that make those of the default class."""
    volumes = (volume["metadata"].get("annotations") or {} for volume in origin.objects("persistentvolumes"))
    made = {notes[_PROVISIONED] for notes in volumes if _PROVISIONED in notes}
    for item in origin.objects("storageclasses.storage.k8s.io"):
        if (item["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true":
            made.add(item.get("provisioner", ""))
    return made


def _restless(evidence: Evidence) -> Iterator[str]:
    for run, words in evidence.runs():
        yield from (f"{what} makes its controller work without end" for what in _tireless(run))
        if not run.settled and not run.cluster.engine.given_up:
            yield f"the change does not come to rest within an hour of virtual time{words}"


def _tireless(run: Run) -> Iterator[str]:
    for _, key in run.cluster.engine.given_up:
        yield name(key) if isinstance(key, Key) else str(key)


_OF_KUBERNETES = (_kinds, _owners, _autoscalers, _placed, _devices, _provisioned, _undecided, _networks, _restless)
_OF_OTHERS = (_custom, _later_runs, _agents, _schedulers, _routing)
