"""Whether what is said without a number is so: parts of a whole, what something was before, and nodes."""

from __future__ import annotations

import re

from kubesteward.reasoning.facts import read
from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_CONDITION = {"memory": "MemoryPressure", "disk": "DiskPressure", "pid": "PIDPressure"}
_DOWN = frozenset({"not ready", "notready", "unready", "down"})
_FEW = 4
"""Pods of which less than one is no half."""


async def share(claim: Claim, facts: Facts) -> Verdict:
    """Which part of the pods is ready."""
    one = subject_of(claim)
    pods = await facts.pods(one)
    ready, wanted = sum(map(read.is_ready, pods)), len(pods)
    if one.kind in {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"}:
        ready, wanted = read.ready_of(await facts.object(one) or {}, one.kind)
    if not wanted:
        return UNKNOWN
    right = {
        "none": ready == 0,
        "all": ready == wanted,
        "half": 2 * ready == wanted or (wanted > _FEW and abs(2 * ready - wanted) == 1),
        "most": 2 * ready > wanted,
        "few": 2 * ready < wanted,
    }
    return settled(right[claim.value], f"{ready} of {wanted} of {one} are ready")


async def moved(claim: Claim, facts: Facts) -> Verdict:
    """From one value to another, in a change that is on record."""
    one = subject_of(claim)
    told = " ; ".join(str(change.get("what", "")) for change in await facts.changes(one))
    before, after = map(re.escape, claim.value.split("/"))
    if "->" not in told:
        return UNKNOWN
    found = re.search(rf"(?<![\d.]){before}(?![\w.]) -> [^ ;]*?(?<![\d.]){after}(?![\w.])", told, re.I)
    return settled(found is not None, f"no change of {one} went that way")


async def version(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    known = read.images([*([obj] if obj else []), *await facts.pods(one)]) - {""}
    tags = {image.partition("@")[0].rpartition(":")[2].removeprefix("v") for image in known}
    said = claim.value.removeprefix("v")
    told = [str(change.get("what", "")) for change in await facts.changes(one)]
    if any(re.search(rf"(?<![\w.]){re.escape(said)}(?![\w.]\w)", text) for text in told):
        return "true", ""
    return settled(said in tags, f"{one} has {', '.join(sorted(known))}") if tags else UNKNOWN


async def probe(claim: Claim, facts: Facts) -> Verdict:
    """Whether there is such a probe at all: what is said of it may be so then."""
    one = subject_of(claim)
    own = read.containers(await facts.object(one) or {})
    if one.kind == "Service" or not own:
        return UNKNOWN
    has = any(f"{claim.value.lower()}Probe" in container for container in own)
    return UNKNOWN if has else ("false", f"{one} has no {claim.value.lower()} probe")


async def pressure(claim: Claim, facts: Facts) -> Verdict:
    one, word = subject_of(claim), claim.value.lower()
    obj = await facts.object(one)
    if one.kind != "Node" or obj is None:
        return UNKNOWN
    if word in {"up", "down"}:
        return settled(read.is_ready(obj) == (word == "up"), f"{one} is {'' if read.is_ready(obj) else 'not '}ready")
    if word not in _CONDITION:
        return settled(bool((obj.get("spec") or {}).get("unschedulable")), f"{one} is not cordoned")
    conditions = (obj.get("status") or {}).get("conditions") or []
    has = any(item.get("type") == _CONDITION[word] and item.get("status") == "True" for item in conditions)
    return settled(has, f"{one} is not under {word} pressure")


async def nodes(claim: Claim, facts: Facts) -> Verdict:
    """How many nodes are ready, or are not."""
    number, total, word = claim.value.split("/")
    listed = [one for one in (await facts.index()).objects if one.kind == "Node"]
    found = [await facts.object(Culprit(kind="Node", name=one.name)) for one in listed]
    ready = sum(read.is_ready(obj) for obj in found if obj)
    real = len(listed) - ready if word in _DOWN else ready
    said = len(listed) if number == "-1" else int(number)
    whole = not total or total == "-1" or int(total) == len(listed)
    return settled(said == real and whole, f"{ready} of {len(listed)} nodes are ready")
