"""The HorizontalPodAutoscaler controller: looks at what pods use every fifteen seconds, and scales what they belong to.

Sources: API doc of autoscaling/v2; Kubernetes docs, "Horizontal Pod Autoscaling".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from kubesteward_tools.twin import resources, scale
from kubesteward_tools.twin.controllers import scaling_limits, scaling_metrics
from kubesteward_tools.twin.controllers.base import Base, condition
from kubesteward_tools.twin.controllers.scaling_limits import History, Word
from kubesteward_tools.twin.controllers.scaling_metrics import NoMetric, Proposal
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.usage import declared_usage, measured_usage
from kubesteward_tools.world.store import Event, Key, Object, Store

AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
_PERIOD = 15.0
_LOOKS = 3
"""So many looks after something has changed are waited for: new pods are not measured at once."""
_GOT = Word(True, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
_FOUND = "the HPA was able to successfully calculate a replica count from"
_SCALED = {"deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers"}
_OFF = Word(False, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")


class _Tick(NamedTuple):
    """One appointed look at an autoscaler; only the one appointed last counts."""

    key: Key
    number: int


class Autoscalers(Base):
    """`measured` is False in a rehearsal: only what annotations declare is known then, nothing is made up."""

    component = "horizontal-pod-autoscaler"
    hears = Hears(AUTOSCALERS, *_SCALED)

    def __init__(self, engine: Engine, *, measured: bool = True) -> None:
        super().__init__(engine)
        self._measure = measured_usage if measured else declared_usage
        self._measured = measured
        self._histories: dict[str, History] = {}
        self._appointed: dict[Key, tuple[int, float, bool]] = {}
        self._looks: dict[Key, int] = {}
        self._number = 0

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == AUTOSCALERS:
            if event.type == "DELETED":
                self._histories.pop(event.obj["metadata"]["uid"], None)
            elif event.old is None or event.old["spec"] != event.obj["spec"]:
                yield event.key
        elif event.key.resource in _SCALED and _size(event.obj) != _size(event.old):
            yield from scalers_of(self.store, event.key)

    def reconcile(self, key: Hashable) -> None:
        if isinstance(key, Key):
            self._looks[key] = _LOOKS
            self._appoint(key, waited_for=True)
        elif isinstance(key, _Tick) and self._appointed.get(key.key, (0, 0.0, False))[0] == key.number:
            scaler = self.store.get(key.key)
            busy = scaler is not None and self._look(key.key, scaler)
            del self._appointed[key.key]
            left = self._looks[key.key] = self._looks.get(key.key, 0) - 1
            if scaler is not None:
                self._appoint(key.key, waited_for=busy or left > 0)

    def _appoint(self, key: Key, *, waited_for: bool) -> None:
        """The next look, at the time that it was to be anyway."""
        now = self.api.clock.now
        _, due, already = self._appointed.get(key, (0, now + _PERIOD, False))
        if not already or waited_for != already:
            self._number += 1
            self._appointed[key] = self._number, due, waited_for or already
            self.after(due - now, _Tick(key, self._number), idle=not (waited_for or already))

    def _look(self, key: Key, scaler: Object) -> bool:
        """Decide and scale; whether it is not yet where it wants to be."""
        target = target_of(scaler)
        obj = self.store.get(target) if target else None
        if target is None or obj is None:
            self._cannot_scale(key, scaler, target)
            return False
        current, spec = int(obj["spec"].get("replicas", 1)), scaler["spec"]
        least = spec.get("minReplicas", 1)
        if current == 0 and least:
            self._write(key, scaler, current, 0, [], {"AbleToScale": _GOT, "ScalingActive": _OFF})
        elif current > spec["maxReplicas"]:
            why = "Current number of replicas above Spec.MaxReplicas"
            self._rescale(key, scaler, obj, spec["maxReplicas"], why, [], {})
        elif current < least:
            self._rescale(key, scaler, obj, least, "Current number of replicas below Spec.MinReplicas", [], {})
        else:
            return self._follow_metrics(key, scaler, obj, current)
        return False

    def _follow_metrics(self, key: Key, scaler: Object, obj: Object, current: int) -> bool:
        if not self._measured and not is_declared(self.store, scaler):
            return False
        spec, now = scaler["spec"], self.api.clock.now
        try:
            best, shown = self._proposals(scaler, obj, current)
        except NoMetric as error:
            self._no_metric(key, scaler, current, str(error))
            return False
        history = self._histories.setdefault(scaler["metadata"]["uid"], History([(now, current)]))
        wanted, able = scaling_limits.stabilized(spec, history, best.replicas, current, now)
        allowed, limit = scaling_limits.limited(spec, history, wanted, current, now)
        history.forget(now - scaling_limits.longest_memory(spec))
        found = Word(True, "ValidMetricFound", f"{_FOUND} {best.name}")
        words = {"AbleToScale": able, "ScalingActive": found, "ScalingLimited": limit}
        if allowed != current:
            why = f"{best.name} above target" if best.replicas > current else "All metrics below target"
            self._rescale(key, scaler, obj, allowed, why, shown, words)
        else:
            self._write(key, scaler, current, current, shown, words)
        bounded = limit.reason in {"TooManyReplicas", "TooFewReplicas"}
        return allowed != best.replicas and not bounded and not _is_barred(spec, best.replicas, current)

    def _proposals(self, scaler: Object, obj: Object, current: int) -> tuple[Proposal, list[dict[str, Any]]]:
        """The highest of all metrics' proposals, and the metrics as they are. One that fails only bars scaling down."""
        pods = _pods_of(self.store, obj)
        tolerances = scaling_limits.tolerances(scaler["spec"])
        found, shown, failure = [], [], None
        for metric in scaler["spec"].get("metrics") or ():
            try:
                now = self.api.clock.now
                one = scaling_metrics.proposed(metric, pods, current, now, self._measure, tolerances)
            except NoMetric as error:
                failure = failure or error
                continue
            found.append(one)
            part = scaling_metrics.PARTS[metric["type"]]
            names = {name: metric[part][name] for name in ("name", "container") if name in metric[part]}
            shown.append({"type": metric["type"], part: {**names, "current": one.current}})
        best = max(found, key=lambda one: one.replicas, default=None)
        if best is None or (failure is not None and best.replicas < current):
            raise failure or NoMetric("no metrics")
        return best, shown

    def _rescale(  # noqa: PLR0917 - a decision and its reasons
        self,
        key: Key,
        scaler: Object,
        obj: Object,
        size: int,
        why: str,
        shown: list[dict[str, Any]],
        words: dict[str, Word],
    ) -> None:
        before, metadata = int(obj["spec"].get("replicas", 1)), obj["metadata"]
        target = target_of(scaler)
        try:
            new = scale.written(obj, {"spec": {"replicas": size}})
            self.api.update(target.resource if target else "", key.namespace, metadata["name"], new, user=self.user)
        except ApiError as error:
            self.event(scaler, "Warning", "FailedRescale", f"New size: {size}; reason: {why}; error: {error.message}")
            failed = f"the HPA controller was unable to update the target scale: {error.message}"
            self._write(key, scaler, before, before, shown, {"AbleToScale": Word(False, "FailedUpdateScale", failed)})
            return
        self._histories.setdefault(scaler["metadata"]["uid"], History()).changes.append(
            (self.api.clock.now, size - before)
        )
        self.event(scaler, "Normal", "SuccessfulRescale", f"New size: {size}; reason: {why}")
        able = Word(True, "SucceededRescale", f"the HPA controller was able to update the target scale to {size}")
        self._write(key, scaler, before, size, shown, {**words, "AbleToScale": able}, scaled=True)

    def _no_metric(self, key: Key, scaler: Object, current: int, why: str) -> None:
        self.event(scaler, "Warning", "FailedGetResourceMetric", why)
        first = f"invalid metrics (1 invalid out of 1), first error is: {why}"
        self.event(scaler, "Warning", "FailedComputeMetricsReplicas", first)
        message = f"the HPA was unable to compute the replica count: {why}"
        words = {"AbleToScale": _GOT, "ScalingActive": Word(False, "FailedGetResourceMetric", message)}
        self._write(key, scaler, current, (scaler.get("status") or {}).get("desiredReplicas", 0), [], words)

    def _cannot_scale(self, key: Key, scaler: Object, target: Key | None) -> None:
        reference = scaler["spec"]["scaleTargetRef"]
        why = f'{target.resource if target else reference["kind"]} "{reference["name"]}" not found'
        self.event(scaler, "Warning", "FailedGetScale", why)
        message = f"the HPA controller was unable to get the target's current scale: {why}"
        self._write(key, scaler, 0, 0, [], {"AbleToScale": Word(False, "FailedGetScale", message)})

    def _write(  # noqa: PLR0917 - the fields of the status
        self,
        key: Key,
        scaler: Object,
        current: int,
        desired: int,
        shown: list[dict[str, Any]],
        words: dict[str, Word],
        *,
        scaled: bool = False,
    ) -> None:
        old, now = scaler.get("status") or {}, self.api.clock.timestamp
        conditions = old.get("conditions") or []
        for kind in ("AbleToScale", "ScalingActive", "ScalingLimited"):
            if kind in words:
                value, reason, message = words[kind]
                conditions = _in_place(conditions, now, kind, str(value), reason, message)
        status = {"lastScaleTime": now if scaled else old.get("lastScaleTime"), "currentReplicas": current}
        status |= {"desiredReplicas": desired, "currentMetrics": shown, "conditions": conditions}
        kept = {name: value for name, value in status.items() if value or name == "desiredReplicas"}
        self.api.update_status(*key, kept)


def _in_place(  # noqa: PLR0917 - a condition's fields in the order of the API
    conditions: list[dict[str, Any]], now: str, kind: str, value: str, reason: str, message: str
) -> list[dict[str, Any]]:
    """The conditions with one set, in the order that they have."""
    order = [item["type"] for item in conditions]
    new = condition(conditions, now, kind=kind, value=value, reason=reason, message=message, updates=False)
    return sorted(new, key=lambda item: order.index(item["type"]) if item["type"] in order else len(order))


def _size(obj: Object | None) -> tuple[Any, ...]:
    if obj is None:
        return ()
    status = obj.get("status") or {}
    return obj["spec"].get("replicas"), status.get("replicas", 0), status.get("readyReplicas", 0)


def scalers_of(store: Store, target: Key) -> Iterator[Key]:
    """Keys of the autoscalers that scale it."""
    for key, facts in store.known(AUTOSCALERS, target.namespace):
        named = isinstance(facts.gist, tuple) and facts.gist[1] == target.name
        scaler = store.get(key) if named else None
        if scaler is not None and target_of(scaler) == target:
            yield key


def target_of(scaler: Object) -> Key | None:
    """What an autoscaler scales; None for a kind that has no scale here."""
    reference = scaler["spec"].get("scaleTargetRef") or {}
    kind = resources.of(reference.get("apiVersion", ""), reference.get("kind", ""))
    if kind is None or kind.resource not in _SCALED:
        return None
    return Key(kind.resource, scaler["metadata"]["namespace"], reference.get("name", ""))


def _pods_of(store: Store, obj: Object) -> list[Object]:
    keys = store.selected("pods", obj["metadata"]["namespace"], obj["spec"].get("selector"))
    return [pod for key in keys if (pod := store.get(key)) is not None]


def is_declared(store: Store, scaler: Object) -> bool:
    """Whether annotations say what every pod of its target uses, for each of its metrics."""
    target = target_of(scaler)
    obj = store.get(target) if target else None
    if obj is None:
        return False
    notes = {"metadata": obj["spec"]["template"].get("metadata") or {}, "spec": obj["spec"]["template"]["spec"]}
    metrics = scaler["spec"].get("metrics") or ()
    for metric in metrics:
        part = scaling_metrics.PARTS.get(metric["type"])
        if part is None or declared_usage(notes, metric[part]["name"], None) is None:
            return False
    return bool(metrics)


def _is_barred(spec: dict[str, Any], wanted: int, current: int) -> bool:
    """Whether `behavior` never lets it go that way, so that there is nothing to wait for."""
    way = "scaleUp" if wanted > current else "scaleDown"
    return bool(((spec.get("behavior") or {}).get(way) or {}).get("selectPolicy") == "Disabled")
