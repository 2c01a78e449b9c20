"""Whether what is said in freer words is so: whose a pod is, on which node it is, and parts of a whole."""

from __future__ import annotations

from kubesteward.reasoning.facts import read
from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, pods_of, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_SCALED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})
_OFF = 0.09
"""By how much a fraction may be rounded."""
_DOWN = ("down", "not", "un", "fail", "broken", "off", "out", "dead", "crash", "gone", "missing", "lost", "in trouble")


async def owner(claim: Claim, facts: Facts) -> Verdict:
    """Whose a pod is."""
    one = subject_of(claim)
    index = await facts.index()
    found = [index.find(claim.value, kind, one.namespace) for kind in (*sorted(_SCALED), "Job", "Service")]
    owners = [each for each in found if each is not None]
    if one.kind != "Pod" or not owners:
        return UNKNOWN
    names = {pod["metadata"]["name"] for each in owners for pod in await facts.pods(each)}
    return settled(one.name in names, f"{one} is none of the pods of {claim.value}")


async def its_node(claim: Claim, facts: Facts) -> Verdict:
    """On which node the pod is that is not well; where all are well, any of them."""
    if await facts.object(Culprit(kind="Node", name=claim.value)) is None:
        return "false", f"there is no node {claim.value}"
    pods = await pods_of(claim, facts)
    ill = [pod for pod in pods if not read.is_ready(pod)] or pods
    known = {str((pod.get("spec") or {}).get("nodeName", "")) for pod in ill} - {""}
    return settled(claim.value in known, f"it is on {', '.join(sorted(known)) or 'no node'}")


async def _told(claim: Claim, facts: Facts) -> tuple[int, int, int]:
    """Ready, wanted, and there. Raises LookupError where nothing is wanted of it."""
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or one.kind not in _SCALED:
        raise LookupError("no workload")
    return (*read.ready_of(obj, one.kind), len(await facts.pods(one)))


async def part(claim: Claim, facts: Facts) -> Verdict:
    """A fraction of the pods, of those that are wanted or of those that are there."""
    share, _, word = claim.value.partition("/")
    ready, wanted, there = await _told(claim, facts)
    if not wanted:
        return UNKNOWN
    down = word.startswith(_DOWN)
    known = {(wanted - ready) / wanted, (there - ready) / max(there, 1)} if down else {ready / wanted}
    return settled(any(abs(float(share) - real) <= _OFF for real in known), f"{ready} of {wanted} are ready")


async def not_made(claim: Claim, facts: Facts) -> Verdict:
    ready, wanted, there = await _told(claim, facts)
    known = {wanted - there, wanted - ready}
    return settled(int(claim.value) in known, f"{there} of {wanted} are there")


async def updated(claim: Claim, facts: Facts) -> Verdict:
    """How many pods are made from the newest template."""
    _, wanted, _ = await _told(claim, facts)
    real = int(((await facts.object(subject_of(claim)) or {}).get("status") or {}).get("updatedReplicas") or 0)
    said = wanted if claim.value.lower() in {"-1", "both"} else int(claim.value)
    return settled(said == real, f"{real} of {wanted} are updated")


async def last_one(claim: Claim, facts: Facts) -> Verdict:
    """That only one is left."""
    ready, wanted, _ = await _told(claim, facts)
    return settled(ready <= 1, f"{ready} of {wanted} are ready")
