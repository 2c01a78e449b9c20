"""Rollouts that do not get on: beyond their deadline, or for kinds without one, longer than such take."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, mapping, message_of, seconds, text
from kubesteward_tools.lookup import states
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key, Object

_DEADLINE = 600.0
"""Seconds. API doc: apps/v1 DeploymentSpec.progressDeadlineSeconds; the other kinds have none."""
_PATIENCE = 300.0
_REVISIONS = "controllerrevisions.apps"


def find(view: View) -> Iterator[Anomaly]:
    for key, note in view.notes("deployments.apps"):
        if note.ready is False:
            yield from _deployment(view, key, view.get(key))
    for resource in ("statefulsets.apps", "daemonsets.apps"):
        for key, note in view.notes(resource):
            if note.ready is False:
                yield from _set(view, key, view.get(key))


def _deployment(view: View, key: Key, obj: Object) -> Iterator[Anomaly]:
    failing, refused = states.condition(obj, "Progressing"), states.condition(obj, "ReplicaFailure")
    if failing.get("status") != "False":
        yield from _refused(view, key, refused, _counts(obj))
        return
    since = seconds(failing.get("lastTransitionTime"))
    deadline = at(obj, "spec").get("progressDeadlineSeconds") or _DEADLINE
    why = message_of(refused) if refused.get("status") == "True" else _counts(obj)
    waited = f" for {ago(view.now - since)}" if since is not None else ""
    sentence = f"its rollout has been beyond its deadline of {deadline}s{waited} ({text(failing.get('reason'))}): {why}"
    yield _stuck(view, key, sentence, since)


def _refused(view: View, key: Key, refused: Object, counts: str) -> Iterator[Anomaly]:
    """Pods that nobody lets in: a quota, Pod Security, a webhook."""
    since = seconds(refused.get("lastTransitionTime"))
    if refused.get("status") == "True" and since is not None and since + _PATIENCE < view.now:
        said = message_of(refused) or text(refused.get("reason"))
        late = view.now - since
        sentence = f"its pods have been refused for {ago(late)} ({counts}): {said}"
        numbers = {"seconds": round(late)}
        yield Anomaly("stuck.refused", "warning", key, sentence, scored(late / _PATIENCE, 90.0), numbers, since)


def _counts(obj: Object) -> str:
    ready, wanted = states.counts(obj)
    return f"{mapping(obj.get('status')).get('updatedReplicas') or 0} of {wanted} pods are new, {ready} are ready"


def _set(view: View, key: Key, obj: Object) -> Iterator[Anomaly]:
    """The newest of its revisions tells when the rollout began."""
    facts = view.store.facts(key)
    owned = [child for child in view.store.owned_by(facts.uid) if child.resource == _REVISIONS] if facts else []
    if len(owned) < 2 or text(at(obj, "spec", "updateStrategy").get("type")) == "OnDelete":
        return
    began = max(seconds(view.created(child)) or 0.0 for child in owned)
    status = mapping(obj.get("status"))
    new = status.get("updatedNumberScheduled" if "daemonsets" in key.resource else "updatedReplicas") or 0
    ready, wanted = states.counts(obj)
    held = at(obj, "spec", "updateStrategy", "rollingUpdate").get("partition") or 0
    if not isinstance(new, int) or not isinstance(held, int) or new >= wanted - held or began + _DEADLINE > view.now:
        return
    sentence = (
        f"its rollout began {ago(view.now - began)} ago and does not get on: {new} of {wanted} pods are new, {ready} "
        "are ready; the next pod is not replaced before the last one is ready"
    )
    yield _stuck(view, key, sentence, began)


def _stuck(view: View, key: Key, sentence: str, since: float | None) -> Anomaly:
    late = view.now - since if since is not None else 0.0
    score = scored(late / _DEADLINE, 90.0)
    return Anomaly("stuck.rollout", "warning", key, sentence, score, {"seconds": round(late)}, since)
