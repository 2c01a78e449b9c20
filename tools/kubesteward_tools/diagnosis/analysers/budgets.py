"""PodDisruptionBudgets that let nobody evict a pod."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, is_ready, listed, mapping, named, pairs
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.twin import disruption
from kubesteward_tools.world.store import Key, Object


def analyse(scene: Scene) -> Iterator[Candidate]:
    covered: dict[Key, list[Key]] = {}
    for key, budget in scene.all("poddisruptionbudgets.policy"):
        spec, status = mapping(budget.get("spec")), mapping(budget.get("status"))
        pods = scene.selected("pods", key.namespace, spec.get("selector"))
        if scene.question.speaks_of("PDB"):
            for pod in pods:
                covered.setdefault(pod, []).append(key)
        if "disruptionsAllowed" not in status and pods:
            status = disruption.status(scene.store, budget)
        if not pods or status.get("disruptionsAllowed", 1):
            continue
        yield _blocked(scene, key, spec, status, pods)
    for pod, keys in covered.items():
        if len(keys) > 1:
            sentence = (
                f"{named(pod)} is covered by several PodDisruptionBudgets ({listed(key.name for key in keys)}): "
                "the eviction API refuses such pods (more than one PodDisruptionBudget, PDB)."
            )
            yield Candidate(
                "PDB", keys[0], sentence, 0.8, (), fix="Keep one budget for each pod.", suffers=(scene.owner(pod),)
            )
            return


def _blocked(scene: Scene, key: Key, spec: Object, status: Object, pods: Sequence[Key]) -> Candidate:
    owners = list(dict.fromkeys(map(scene.owner, pods)))
    field = "minAvailable" if "minAvailable" in spec else "maxUnavailable"
    value, healthy, wanted = spec.get(field), status.get("currentHealthy"), status.get("desiredHealthy")
    expected = status.get("expectedPods", len(pods))
    never = _never(field, value, expected)
    sick = [pod for pod in pods if not is_ready(scene.get(pod))]
    why = f"{field} is {value} and {expected} {'pod is' if expected == 1 else 'pods are'} expected, so it allows zero "
    why += "(0) disruptions whatever their state"
    if not never:
        why = f"{field} is {value}, and only {healthy} of the {wanted} pods that must be are healthy ({len(sick)} "
        why += "not ready), so it allows 0 disruptions now"
    sentence = (
        f"the PodDisruptionBudget (PDB, disruption budget) {key.namespace}/{key.name} blocks every eviction "
        f"of {listed(map(named, owners), 3)} "
        f"(selector {pairs(at(spec, 'selector', 'matchLabels')) or 'all pods'}): {why} (disruptionsAllowed "
        "0). So draining their nodes hangs."
    )
    draining = never and _is_drained(scene, pods)
    sure = 0.9 if scene.question.speaks_of("PDB") else 0.65 if draining else 0.4 if never else 0.3
    fix = (
        f"Set maxUnavailable: 1, or lower minAvailable below the {expected} replicas, or run more replicas."
        if never
        else "Repair the pods that are not ready."
    )
    params = {"patch": {"spec": {"maxUnavailable": 1, "minAvailable": None}}, "patch_type": "merge"}
    mended = Proposal("patch", "PodDisruptionBudget", key.name, key.namespace, params)
    return Candidate(
        "PDB",
        key,
        sentence,
        sure,
        (f"{field}: {value}, disruptionsAllowed: 0, currentHealthy: {healthy}, desiredHealthy: {wanted}",),
        fix=fix,
        proposal=mended if never else None,
        suffers=tuple(owners),
        needs=() if never else tuple(owners),
    )


def _is_drained(scene: Scene, pods: Sequence[Key]) -> bool:
    """Whether a node of them is cordoned."""
    names = (str(at(scene.get(pod), "spec").get("nodeName")) for pod in pods[:20])
    return any(at(scene.get(Key("nodes", "", name)), "spec").get("unschedulable") for name in names)


def _never(field: str, value: object, expected: int) -> bool:
    if field == "maxUnavailable":
        return str(value) in {"0", "0%"}
    if isinstance(value, int):
        return value >= expected
    share = str(value).removesuffix("%")
    return share.isdigit() and -(-int(share) * expected // 100) >= expected
