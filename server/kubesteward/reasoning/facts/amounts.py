"""Whether what is said of parts, shares, quotas and sizes is so: the claims that `phrases` words."""

from __future__ import annotations

import json
import re

from kubesteward.reasoning.facts import read
from kubesteward.reasoning.facts.kinds import kind_of
from kubesteward.reasoning.facts.lookup import Facts, Json
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, pods_of, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_SCALED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})
_OFF = 5
"""Percentage points by which a share may be rounded."""
_OTHERS = 3
_MANY = 300
"""Silent calls after which logs are not searched any more for what an answer makes up."""
_TAKEN_IN = {
    "ConfigMap": r'"configMap(?:Ref|KeyRef)?": ?\{[^{}]*"name": ?"%s"',
    "Secret": r'"(?:secret(?:Ref|KeyRef)?": ?\{[^{}]*"(?:name|secretName)|imagePullSecrets": ?\[[^\]]*"name)": ?"%s"',
    "PersistentVolumeClaim": r'"claimName": ?"%s"',
    "ServiceAccount": r'"serviceAccount(?:Name)?": ?"%s"',
}
"""Where a pod names what it takes."""


async def _ready_of(claim: Claim, facts: Facts) -> tuple[int, int]:
    """Raises LookupError where it has no pods."""
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is not None and one.kind in _SCALED:
        return read.ready_of(obj, one.kind)
    pods = await pods_of(claim, facts)
    return sum(map(read.is_ready, pods)), len(pods)


async def state_count(claim: Claim, facts: Facts) -> Verdict:
    """How many of the pods are in a state."""
    number, total, word = claim.value.split("/")
    pods = await pods_of(claim, facts)
    real = sum(word.lower() in read.states(pod) for pod in pods)
    said = len(pods) if number == "-1" else int(number)
    whole = int(total) in {-1, len(pods), (await _ready_of(claim, facts))[1]}
    return settled(said == real and whole, f"{real} of {len(pods)} pods of {subject_of(claim)} are {word}")


async def unready_of(claim: Claim, facts: Facts) -> Verdict:
    number, total = map(int, claim.value.split("/"))
    ready, wanted = await _ready_of(claim, facts)
    said = wanted if number == -1 else number
    pods = await pods_of(claim, facts)
    down = sum(not read.is_ready(pod) for pod in pods)
    right = (said, total) in {(wanted - ready, wanted), (down, len(pods))}
    return settled(right, f"{wanted - ready} of {wanted} of {subject_of(claim)} are not ready")


async def lost(claim: Claim, facts: Facts) -> Verdict:
    """That nothing is left."""
    ready, wanted = await _ready_of(claim, facts)
    return settled(ready == 0, f"{ready} of {wanted} of {subject_of(claim)} are ready")


async def existing(claim: Claim, facts: Facts) -> Verdict:
    """How many there are of those that are wanted, ready or not."""
    number, total = map(int, claim.value.split("/"))
    _, wanted = await _ready_of(claim, facts)
    pods = len(await facts.pods(subject_of(claim)))
    return settled(number == pods and total == wanted, f"{pods} of {wanted} of {subject_of(claim)} exist")


async def down(claim: Claim, facts: Facts) -> Verdict:
    """Who says that something is down may mean a part of it."""
    one = subject_of(claim)
    if one.kind == "Node":
        obj = await facts.object(one)
        return settled(not read.is_ready(obj), f"{one} is ready") if obj else UNKNOWN
    ready, wanted = await _ready_of(claim, facts)
    return ("false", f"{ready} of {wanted} of {one} are ready") if wanted and ready >= wanted else UNKNOWN


async def up(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    if one.kind == "Node":
        obj = await facts.object(one)
        return settled(read.is_ready(obj), f"{one} is not ready") if obj else UNKNOWN
    ready, wanted = await _ready_of(claim, facts)
    if (wanted and ready == 0) or (ready < wanted and claim.value.lower() != "up"):
        return "false", f"{ready} of {wanted} of {one} are ready"
    return settled(True, "") if ready == wanted else UNKNOWN


async def quota_pods(claim: Claim, facts: Facts) -> Verdict:
    _, hard = await _quota(subject_of(claim), facts)
    return (
        settled(claim.value == str(hard["pods"]), f"the quota has {hard['pods']} pods") if "pods" in hard else UNKNOWN
    )


async def percent(claim: Claim, facts: Facts) -> Verdict:
    ready, wanted = await _ready_of(claim, facts)
    if not wanted:
        return UNKNOWN
    return settled(abs(int(claim.value) - 100 * ready / wanted) <= _OFF, f"{ready} of {wanted} are ready")


async def selected(claim: Claim, facts: Facts) -> Verdict:
    one = await namesake(subject_of(claim), "Service", facts)
    if one is None:
        return UNKNOWN
    pods = await facts.pods(one)
    right = int(claim.value) in {len(pods), -1} or (int(claim.value) == sum(map(read.is_ready, pods)) and bool(pods))
    return settled(right, f"{one} selects {len(pods)} pods")


async def pods_on(claim: Claim, facts: Facts) -> Verdict:
    """On how many nodes the pods are; no number: on one."""
    pods = await pods_of(claim, facts)
    nodes = {str((pod.get("spec") or {}).get("nodeName", "")) for pod in pods} - {""}
    return settled(
        len(nodes) == int(claim.value or 1), f"pods of {subject_of(claim)} are on {', '.join(sorted(nodes))}"
    )


async def quota_used(claim: Claim, facts: Facts) -> Verdict:
    used, hard = await _quota(subject_of(claim), facts)
    if "pods" not in hard:
        return UNKNOWN
    real = f"{used.get('pods', 0)}/{hard['pods']}"
    return settled(claim.value == real, f"the quota has {real} pods")


async def quota_room(claim: Claim, facts: Facts) -> Verdict:
    """Other limits than that of pods may leave less room."""
    used, hard = await _quota(subject_of(claim), facts)
    if "pods" not in hard:
        return UNKNOWN
    left = int(hard["pods"]) - int(used.get("pods", 0))
    return ("false", f"the quota has room for {left} pods") if int(claim.value) > left else UNKNOWN


async def quota_full(claim: Claim, facts: Facts) -> Verdict:
    """Full where nothing more of anything that pods want is left, nearly: the smallest pod would not fit."""
    used, hard = await _quota(subject_of(claim), facts)
    spent = {name: (read.amount(str(used.get(name, "0"))), read.amount(str(value))) for name, value in hard.items()}
    known = [have / most for have, most in spent.values() if have is not None and most]
    if not known or (max(known) < 1 and float(max(known)) > 0.9):
        return UNKNOWN
    return settled(
        (max(known) >= 1) != bool(claim.value.strip()), f"{', '.join(f'{n}: {used.get(n)} of {hard[n]}' for n in hard)}"
    )


async def _quota(one: Culprit, facts: Facts) -> tuple[Json, Json]:
    found = await namesake(one, "ResourceQuota", facts)
    status = ((await facts.object(found) if found else None) or {}).get("status") or {}
    return status.get("used") or {}, status.get("hard") or {}


async def disruptions(claim: Claim, facts: Facts) -> Verdict:
    one = await namesake(subject_of(claim), "PodDisruptionBudget", facts)
    status = ((await facts.object(one) if one else None) or {}).get("status") or {}
    if "disruptionsAllowed" not in status:
        return UNKNOWN
    real = int(status["disruptionsAllowed"])
    return settled(int(claim.value) == real, f"{one} allows {real} disruptions")


async def size(claim: Claim, facts: Facts) -> Verdict:
    """CPUs or memory of a node."""
    one, said = subject_of(claim), read.amount(claim.value)
    status = ((await facts.object(one)) or {}).get("status") or {}
    resource = "memory" if claim.value[-1].isalpha() else "cpu"
    known = {read.amount(str((status.get(part) or {}).get(resource, ""))) for part in ("capacity", "allocatable")}
    known -= {None}
    if one.kind != "Node" or said is None or not known:
        return UNKNOWN
    right = any(abs(said - real) <= real / 10 for real in known if real is not None)
    return settled(right, f"{one} has {', '.join(str(float(real)) for real in known if real is not None)} {resource}")


async def probe_fails(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    pods = await pods_of(claim, facts)
    for each in (one, *(Culprit(kind="Pod", namespace=one.namespace, name=pod["metadata"]["name"]) for pod in pods)):
        if any(event.get("reason") == "Unhealthy" for event in await facts.events(each)):
            return UNKNOWN
    return ("false", f"no probe of {one} failed") if all(map(read.is_ready, pods)) else UNKNOWN


async def throttled(claim: Claim, facts: Facts) -> Verdict:
    """Only what has a limit is throttled: https://docs.kernel.org/scheduler/sched-bwc.html."""
    pods = await pods_of(claim, facts)
    if any(read.limits(pod, "cpu limit") for pod in pods):
        return UNKNOWN
    return "false", f"{subject_of(claim)} has no CPU limit that could throttle it"


async def any_of(claim: Claim, facts: Facts) -> Verdict:
    """Whether there is one of that kind at all, where the text speaks of *the* one."""
    word = "hpa" if claim.value.lower() == "autoscaler" else claim.value
    kind, space = kind_of(word), subject_of(claim).namespace
    count = await facts.count(kind, space) if kind and space else None
    return ("false", f"there is no {kind} in {space}") if count == 0 else UNKNOWN


async def namesake(one: Culprit, kind: str, facts: Facts) -> Culprit | None:
    """The one itself, or the one of that kind that is called so or is the only one beside it."""
    if one.kind == kind:
        return one
    near = [each for each in (await facts.index()).objects if each.kind == kind and each.namespace == one.namespace]
    named = [each for each in near if each.name == one.name]
    alone = near if len(near) == 1 and kind == "ResourceQuota" else []
    return next(iter(named or alone), None)


async def is_taken(lost_one: Culprit, culprit: Culprit | None, others: list[Culprit], facts: Facts) -> bool:
    """Whether anything that the text speaks of takes the object that is said to be missing. True where nobody can
    tell: for kinds that pods do not take by name, and where there are no pods.
    """
    if lost_one.kind and lost_one.kind not in _TAKEN_IN:
        return True
    found = await is_told(lost_one, culprit, others, facts)
    return found is None or found


async def is_told(lost_one: Culprit, culprit: Culprit | None, others: list[Culprit], facts: Facts) -> bool | None:
    """Whether what the text speaks of names it, in its objects, its events or its logs; None where it has no pods."""
    form = _TAKEN_IN.get(lost_one.kind, '"%s"')
    seen = False
    for one in [*([culprit] if culprit else []), *(one for one in others[:_OTHERS] if one != culprit)]:
        obj = await facts.object(one)
        told = [*([obj] if obj else []), *await facts.pods(one)]
        seen = seen or any(read.containers(each) for each in told)
        text = json.dumps(told)
        told_of = json.dumps([*await facts.events(one), *await facts.changes(one)])
        if re.search(form % re.escape(lost_one.name), text):
            return True
        if re.search(rf"{lost_one.kind}s?\W+(?:\w+\W+)?{re.escape(lost_one.name)}\b", told_of, re.I):
            return True
        if facts.calls < _MANY and await facts.logged(one, lost_one.name):
            return True
    return False if seen else None
