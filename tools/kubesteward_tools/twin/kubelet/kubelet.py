"""The kubelets of all nodes: takes each bound pod from state to state, with the reasons and messages of a real one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.kubelet import references, states
from kubesteward_tools.twin.kubelet.addresses import Addresses
from kubesteward_tools.twin.kubelet.outlook import Fate, Outlook
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.world.store import Event, Key, Object

_WAITED_FOR = 20.0
"""Seconds of work: a container that runs for longer is at rest while it runs."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that things take. `backoff` doubles up to `longest_backoff` (the kubelet's own are 10 s and 5 min)."""

    start: float = 0.4
    stop: float = 0.5
    crash_after: float = 1.0
    backoff: float = 10.0
    longest_backoff: float = 300.0
    config_retry: float = 2.0


REAL = Pace()
LIVELY = Pace(backoff=3.0, longest_backoff=30.0, config_retry=1.0)


class Kubelet(Base):
    component = "kubelet"
    hears = Hears("pods", "configmaps", "secrets")

    def __init__(self, engine: Engine, outlook: Outlook, pace: Pace = REAL) -> None:
        super().__init__(engine)
        self._outlook = outlook
        self._pace = pace
        self._waits: dict[Hashable, float] = {}
        self._failures: dict[str, int] = {}
        self._addresses = Addresses(self.store, self.api.names)

    def assume(self, outlook: Outlook) -> None:
        self._outlook = outlook

    def watches(self, event: Event) -> Iterable[Hashable]:
        key, obj = event.key, event.obj
        if key.resource == "pods" and event.type != "DELETED" and obj["spec"].get("nodeName"):
            bound = event.old is None or not event.old["spec"].get("nodeName")
            marked = "deletionTimestamp" in obj["metadata"]
            respecified = event.old is not None and event.old["spec"] != obj["spec"]
            if bound or marked or respecified:
                yield key
        elif key.resource == "pods" and event.type == "DELETED":
            self._failures.pop(obj["metadata"].get("uid", ""), None)
        elif key.resource in {"configmaps", "secrets"} and event.type == "ADDED":
            yield from (item for item in list(self._waits) if isinstance(item, Key) and item.namespace == key.namespace)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (pod := self.store.get(key)) is None:
            return
        self._waits.pop(key, None)
        node = self.store.get(Key("nodes", "", pod["spec"].get("nodeName", "")))
        if node is None or not _answers(node):
            return
        if "deletionTimestamp" in pod["metadata"]:
            self._stop(key, pod)
        elif not is_terminal(pod):
            self._advance(key, pod, node)

    def _stop(self, key: Key, pod: Object) -> None:
        """Stopping takes a moment, at most the grace period; then the object goes."""
        marked = parse_timestamp(pod["metadata"]["deletionTimestamp"])
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        due = min(self._pace.stop, grace)
        if grace and self.api.clock.now < marked - grace + due:
            status = pod.get("status") or {}
            if status.get("phase") == "Running" and not self._waits.get(key):
                for item in pod["spec"]["containers"]:
                    self.event(pod, "Normal", "Killing", f"Stopping container {item['name']}")
            self._waits[key] = marked
            self.after(due, key)
            return
        if pod["metadata"].get("finalizers") and not is_terminal(pod):
            self._write(key, states.ended(pod["status"], self.api.clock.timestamp, 137, "Error"))
        self.api.remove(*key)

    def _advance(self, key: Key, pod: Object, node: Object) -> None:
        status = pod.get("status") or {}
        if not status.get("startTime"):
            self._accept(key, pod, node)
        elif status["phase"] == "Pending":
            self._start(key, pod)
        else:
            self._run(key, pod)

    def _accept(self, key: Key, pod: Object, node: Object) -> None:
        address = next(
            (item["address"] for item in node.get("status", {}).get("addresses") or () if item["type"] == "InternalIP"),
            "10.200.0.1",
        )
        self._write(key, states.accepted(pod, self.api.clock.timestamp, address))
        self.after(self._pace.start, key)

    def _start(self, key: Key, pod: Object) -> None:
        """Volumes, then images, then the environment, then the containers, each able to fail in its own way."""
        lacking = references.missing(self.store, pod)
        fate = self._outlook.fate(pod)
        if lacking and lacking[0].mounted:
            volume, why = lacking[0].mounted, lacking[1]
            self._wait(key, pod)
            self.event(pod, "Warning", "FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : {why}')
        elif (image := references.unreadable_image(pod)) is not None:
            self._refuse_image(key, pod, image)
        elif fate.mode == "imagepull":
            self._fail_to_pull(key, pod)
        elif lacking:
            self._pulled(pod)
            self._hold(key, pod, "CreateContainerConfigError", lacking[1])
            self._wait(key, pod)
            self.event(pod, "Warning", "Failed", f"Error: {lacking[1]}")
        else:
            self._pulled(pod)
            self._started(key, pod, fate)

    def _wait(self, key: Key, pod: Object) -> None:
        """Try again later, or as soon as a ConfigMap or Secret appears in the namespace."""
        self.after(self._pace.config_retry, key, idle=True)
        self._waits[key] = self.api.clock.now

    def _pulled(self, pod: Object) -> None:
        for item in pod["spec"]["containers"]:
            message = f'Container image "{item["image"]}" already present on machine'
            self.event(pod, "Normal", "Pulled", message)

    def _fail_to_pull(self, key: Key, pod: Object) -> None:
        image = pod["spec"]["containers"][0]["image"]
        uid = pod["metadata"]["uid"]
        why = (
            f'Failed to pull image "{image}": failed to pull and unpack image "{image}": failed to resolve reference '
            f'"{image}": {image}: not found'
        )
        tries = self._failures[uid] = self._failures.get(uid, 0) + 1
        waiting = (pod["status"].get("containerStatuses") or [{}])[0].get("state", {}).get("waiting", {})
        if waiting.get("reason") == "ErrImagePull":
            self._hold(key, pod, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
            self.event(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"')
            self.event(pod, "Warning", "Failed", "Error: ImagePullBackOff")
            self.after(self._backoff(tries // 2), key, idle=True)
            return
        self.event(pod, "Normal", "Pulling", f'Pulling image "{image}"')
        self.event(pod, "Warning", "Failed", why)
        self.event(pod, "Warning", "Failed", "Error: ErrImagePull")
        self._hold(key, pod, "ErrImagePull", why)
        self.after(1.0, key, idle=tries > 1)

    def _refuse_image(self, key: Key, pod: Object, image: str) -> None:
        why = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {references.NO_NAME}'
        self._hold(key, pod, "InvalidImageName", why)
        self.event(pod, "Warning", "InspectFailed", why)
        self.event(pod, "Warning", "Failed", "Error: InvalidImageName")

    def _backoff(self, tries: int) -> float:
        return float(min(self._pace.backoff * 2 ** max(0, tries - 1), self._pace.longest_backoff))

    def _hold(self, key: Key, pod: Object, reason: str, message: str) -> None:
        old = states.container_statuses(pod["status"])
        waiting = [
            states.waiting_container(item, reason, message, old.get(item["name"])) for item in pod["spec"]["containers"]
        ]
        self._write(key, {**pod["status"], "containerStatuses": waiting})

    def _started(self, key: Key, pod: Object, fate: Fate) -> None:
        now, old = self.api.clock.timestamp, states.container_statuses(pod["status"])
        delay = self._ready_delay(pod, fate)
        ready = delay == 0 and fate.mode in {"run", "crash", "oom"} and fate.mode == "run"
        running = [
            states.running_container(item, now, ready=ready, old=old.get(item["name"]), names=self.api.names)
            for item in pod["spec"]["containers"]
        ]
        for item in pod["spec"]["containers"]:
            self.event(pod, "Normal", "Created", f"Created container: {item['name']}")
            self.event(pod, "Normal", "Started", f"Started container {item['name']}")
        status = {**pod["status"], "phase": "Running", "containerStatuses": running}
        if not status.get("podIP"):
            status["podIP"] = self._addresses.draw(pod)
            status["podIPs"] = [{"ip": status["podIP"]}]
        self._write(key, self._ready_conditions(status, now, ready=ready))
        self._plan(key, pod, fate, delay)

    def _ready_conditions(self, status: dict[str, Any], now: str, *, ready: bool) -> dict[str, Any]:
        return states.with_conditions(
            status, now, PodReadyToStartContainers=True, Initialized=True, Ready=ready, ContainersReady=ready
        )

    def _ready_delay(self, pod: Object, fate: Fate) -> float:
        probes = [item.get("readinessProbe") or item.get("startupProbe") for item in pod["spec"]["containers"]]
        delays = [float(probe.get("initialDelaySeconds", 0)) for probe in probes if probe]
        return max([fate.ready_after, *delays])

    def _plan(self, key: Key, pod: Object, fate: Fate, delay: float) -> None:
        """What comes next for containers that have just started."""
        if fate.mode in {"crash", "oom", "liveness"}:
            self.after(fate.run_for or self._pace.crash_after, key)
        elif fate.mode == "unready":
            self.after(self._pace.crash_after, key)
        elif delay:
            self.after(delay, key)
        if fate.mode == "run" and fate.run_for is not None:
            self.after(fate.run_for, key, idle=fate.run_for > _WAITED_FOR)

    def _run(self, key: Key, pod: Object) -> None:
        """A running pod: time to become ready, to fail, to be restarted, or nothing."""
        fate, status = self._outlook.fate(pod), pod["status"]
        first = (status.get("containerStatuses") or [{}])[0]
        if "waiting" in first.get("state", {}):
            self._restart(key, pod, fate)
            return
        started = first.get("state", {}).get("running", {}).get("startedAt")
        if started is None:
            return
        age = self.api.clock.now - parse_timestamp(started)
        if fate.mode in {"crash", "oom", "liveness"}:
            if age + 1 >= (fate.run_for or self._pace.crash_after):
                self._crash(key, pod, fate, started)
        elif fate.mode == "unready":
            self._report_probe(pod, "Readiness")
        elif fate.run_for is not None and age + 1 >= fate.run_for:
            self._exit(key, pod)
        elif not first.get("ready") and age + 1 >= self._ready_delay(pod, fate):
            self._become_ready(key, pod)

    def _report_probe(self, pod: Object, kind: str) -> None:
        for item in pod["spec"]["containers"]:
            probe = item.get(f"{kind.lower()}Probe")
            if probe and "httpGet" in probe:
                self.event(pod, "Warning", "Unhealthy", f"{kind} probe failed: HTTP probe failed with statuscode: 503")
            elif probe:
                self.event(pod, "Warning", "Unhealthy", f"{kind} probe failed: command failed")

    def _become_ready(self, key: Key, pod: Object) -> None:
        now, status = self.api.clock.timestamp, pod["status"]
        ready = [{**item, "ready": True} for item in status["containerStatuses"]]
        self._write(key, self._ready_conditions({**status, "containerStatuses": ready}, now, ready=True))

    def _crash(self, key: Key, pod: Object, fate: Fate, started: str) -> None:
        code, reason = (137, "OOMKilled") if fate.mode == "oom" else (fate.exit_code, "Error")
        if fate.mode == "liveness":
            code = 137
            self._report_probe(pod, "Liveness")
        now, uid = self.api.clock.timestamp, pod["metadata"]["uid"]
        if pod["spec"].get("restartPolicy") == "Never":
            self._write(key, states.ended(pod["status"], now, code, reason))
            return
        tries = self._failures[uid] = self._failures.get(uid, 0) + 1
        container, old = pod["spec"]["containers"][0], states.container_statuses(pod["status"])
        name = container["name"]
        wait = self._backoff(tries)
        why = (
            f"back-off {_go_duration(min(10 * 2 ** min(tries - 1, 9), 300))} restarting failed container={name} "
            f"pod={pod['metadata']['name']}_{key.namespace}({uid})"
        )
        held = states.waiting_container(container, "CrashLoopBackOff", why, old.get(name))
        held["lastState"] = states.terminated(code, reason, started, now)
        held["restartCount"] = old.get(name, {}).get("restartCount", 0)
        statuses = [held, *(item for other, item in old.items() if other != name)]
        self._write(key, self._ready_conditions({**pod["status"], "containerStatuses": statuses}, now, ready=False))
        self.event(pod, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {_long_name(pod)}")
        self.after(wait, key, idle=tries > _patience(pod))

    def _restart(self, key: Key, pod: Object, fate: Fate) -> None:
        now, old = self.api.clock.timestamp, states.container_statuses(pod["status"])
        statuses = []
        for item in pod["spec"]["containers"]:
            before = old.get(item["name"]) or {}
            if "waiting" in before.get("state", {}):
                before = {**before, "restartCount": before.get("restartCount", 0) + 1}
                statuses.append(
                    states.running_container(item, now, ready=fate.mode == "run", old=before, names=self.api.names)
                )
            else:
                statuses.append(before)
        ready = all(item.get("ready") for item in statuses)
        self._write(key, self._ready_conditions({**pod["status"], "containerStatuses": statuses}, now, ready=ready))
        self.event(pod, "Normal", "Started", f"Started container {pod['spec']['containers'][0]['name']}")
        if fate.mode in {"crash", "oom", "liveness"}:
            tries = self._failures.get(pod["metadata"]["uid"], 0)
            self.after(fate.run_for or self._pace.crash_after, key, idle=tries > _patience(pod))

    def _exit(self, key: Key, pod: Object) -> None:
        """The containers have ended well; whether they are started again is the restart policy's to say."""
        if pod["spec"].get("restartPolicy", "Always") == "Always":
            return
        self._write(key, states.ended(pod["status"], self.api.clock.timestamp, 0, "Completed"))

    def _write(self, key: Key, status: dict[str, Any]) -> None:
        self.api.update_status(*key, {**status, "observedGeneration": 1})


def _patience(pod: Object) -> int:
    """Crashes that are waited for: one shows what a pod does for ever, but a Job counts them up to its limit."""
    return 7 if pod["spec"].get("restartPolicy") == "OnFailure" else 1


def _go_duration(seconds: int) -> str:
    """As Go prints durations: 40s, 1m20s, 5m0s."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _answers(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return all(item["status"] == "True" for item in conditions if item["type"] == "Ready")


def _long_name(pod: Object) -> str:
    metadata = pod["metadata"]
    return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
