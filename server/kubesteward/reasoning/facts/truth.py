"""Whether a claim is true, by looking. What cannot be looked up is unknown, which is neither held against anybody nor
counted.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from kubesteward.reasoning.facts import amounts, belonging, read, times, wider
from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, pods_of, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_ALIKE: Mapping[str, set[str]] = {
    word: {"imagepullbackoff", "errimagepull", "errimageneverpull"} for word in ("imagepullbackoff", "errimagepull")
}
_REASON = re.compile(r"[A-Za-z][A-Za-z0-9]{0,60}")
"""Anybody who may write events may write sentences where their reasons belong."""
_OF_NEIGHBOURS = frozenset({"label", "port", "image", "container"})
"""Claims that a sentence makes of one object and means of another one that it names: a Service and its pods."""


async def verdict(claim: Claim, facts: Facts) -> Verdict:
    """And, where it is false, what is so instead."""
    check = _CHECKS.get(claim.kind)
    if check is None or (claim.subject is None and claim.kind not in {"count", "nodes"}):
        return UNKNOWN
    try:
        found = await check(claim, facts)
        for other in claim.others if found[0] == "false" and claim.kind in _OF_NEIGHBOURS else ():
            if (await check(claim.model_copy(update={"subject": other}), facts))[0] == "true":
                return "true", ""
    except (LookupError, ValueError, TypeError, AttributeError):
        return UNKNOWN
    return found


_UNLISTED = ("Secret", "ServiceAccount")
"""Kinds that an index of names does not list."""


async def _exists(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    if not one.kind:
        known = [await facts.object(one.model_copy(update={"kind": kind})) for kind in _UNLISTED]
        return settled(any(known), f"there is nothing called {one.name!r} in {one.namespace}")
    found = await facts.object(one)
    return settled(found is not None, f"there is no {one}")


async def _state(claim: Claim, facts: Facts) -> Verdict:
    one, word = subject_of(claim), claim.value.lstrip("!*").lower()
    if one.kind == "Node":
        return await _node_state(one, word, claim.value.startswith("!"), facts)
    if one.kind not in {"Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Service"}:
        obj = await facts.object(one)
        phase = str(((obj or {}).get("status") or {}).get("phase", "")).lower()
        return settled((word == phase) != claim.value.startswith("!"), f"{one} is {phase}") if phase else UNKNOWN
    if word in {"ready", "not ready"} and one.kind != "Pod":
        return await _ready_word(claim, word, facts)
    pods = await pods_of(claim, facts)
    found = [read.states(pod) for pod in pods]
    alike = _ALIKE.get(word, {word})
    has = any(alike & states for states in found)
    if claim.value.startswith("*") and has:
        different = sum(not alike & states for states in found)
        return settled(not different, f"{different} of {len(found)} pods of {one} are not {word}")
    if word in {"failed", "unschedulable"} and not has:
        return UNKNOWN
    if claim.value.startswith("!"):
        return settled(not has, f"a pod of {one} is {word}")
    every = ", ".join(sorted(set().union(*found)))
    return settled(has, f"{one} is: {every}")


async def _ready_word(claim: Claim, word: str, facts: Facts) -> Verdict:
    one, negated, every = subject_of(claim), claim.value.startswith("!"), claim.value.startswith("*")
    obj = await facts.object(one)
    if obj is None or "replicas" not in (obj.get("spec") or {}):
        return UNKNOWN
    ready, wanted = read.ready_of(obj, one.kind)
    wants_ready = (word == "ready") != negated
    if every:
        whole = ready == (wanted if wants_ready else 0)
        there = await facts.pods(one) if whole and wants_ready and "pods" in claim.sentence else []
        down = sum(not read.is_ready(pod) for pod in there)
        return settled(whole and not down, f"{ready} of {max(wanted, len(there))} are ready")
    if not wants_ready:
        down = ready < wanted or not all(map(read.is_ready, await facts.pods(one)))
        return settled(down, f"{ready} of {wanted} are ready")
    return settled(ready > 0, f"{ready} of {wanted} are ready")


async def _node_state(one: Culprit, word: str, negated: bool, facts: Facts) -> Verdict:
    obj = await facts.object(one)
    if obj is None:
        return UNKNOWN
    if word not in {"ready", "not ready", "oomkilled", "crashloopbackoff"}:
        return UNKNOWN
    if word not in {"ready", "not ready"}:
        states = [read.states(pod) for pod in await facts.placed(one.name)]
        has = any(_ALIKE.get(word, {word}) & found for found in states)
        return settled(has != negated, f"{'a' if has else 'no'} pod of {one} is {word}") if states else UNKNOWN
    wants = (word == "ready") != negated
    return settled(read.is_ready(obj) == wants, f"{one} is {'ready' if read.is_ready(obj) else 'not ready'}")


async def _ready(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    said = [int(part) for part in claim.value.split("/")]
    if len(said) != 2:
        return UNKNOWN
    obj = await facts.object(one)
    if obj is None:
        return UNKNOWN
    known = (
        [read.ready_of(obj, one.kind)]
        if one.kind in {"Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"}
        else []
    )
    if one.kind == "Pod":
        return settled(tuple(said) == known[0], f"{known[0][0]}/{known[0][1]} containers of {one} are ready")
    pods = await facts.pods(one)
    if not known and not pods:
        return UNKNOWN  # a quota has no pods to be ready
    known.append((sum(map(read.is_ready, pods)), len(pods)))
    if said[0] == -1:
        return settled(all(ready == wanted for ready, wanted in known), f"{known[0][0]}/{known[0][1]} are ready")
    return settled(tuple(said) in known, f"{known[0][0]}/{known[0][1]} of {one} are ready")


async def _desired(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    spec, status = (obj or {}).get("spec") or {}, (obj or {}).get("status") or {}
    if "replicas" not in spec or claim.value == "-1":
        return UNKNOWN
    known = {int(spec["replicas"]), int(status.get("replicas") or 0)}
    return settled(int(claim.value) in known, f"{one} wants {spec['replicas']} replicas")


async def _unready(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    if one.kind in {"Node", "Namespace"}:
        return UNKNOWN
    obj = await facts.object(one)
    ready, wanted = read.ready_of(obj or {}, one.kind)
    pods = await facts.pods(one)
    known = {wanted - ready, sum(not read.is_ready(pod) for pod in pods)}
    return settled(int(claim.value) in known, f"{wanted - ready} of {one} are not ready")


async def _restarts(claim: Claim, facts: Facts) -> Verdict:
    known = read.restarts(await pods_of(claim, facts))
    said = int(claim.value)
    near = any(said == count or (count >= 20 and said <= count <= said + 3) for count in known)
    return settled(near, f"{subject_of(claim)} has {max(known)} restarts")


async def _exit(claim: Claim, facts: Facts) -> Verdict:
    known = read.exits(await pods_of(claim, facts))
    if not known:
        return "false", f"no container of {subject_of(claim)} has ended"
    return settled(int(claim.value) in known, f"containers of {subject_of(claim)} ended with {sorted(known)}")


async def _image(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    pods = await facts.pods(one)
    known = read.images([*([obj] if obj else []), *pods]) - {""}
    if not known:
        return UNKNOWN
    if any(read.same_image(claim.value, image) for image in known):
        return "true", ""
    if any(claim.value in str(change.get("what", "")) for change in await facts.changes(one)):
        return "true", ""
    return "false", f"{one} has {', '.join(sorted(known))}"


async def _absent(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    if not one.kind:
        return UNKNOWN
    return settled(await facts.object(one) is None, f"there is {one}")


async def _endpoints(claim: Claim, facts: Facts) -> Verdict:
    """Ready pods behind it. A port that no pod has leaves it without endpoints, whatever its pods are like."""
    said = int(claim.value)
    one = await amounts.namesake(subject_of(claim), "Service", facts)
    obj = await facts.object(one) if one else None
    if one is None or obj is None:
        return UNKNOWN
    pods = await facts.pods(one)
    real = sum(map(read.is_ready, pods))
    targets = {str(port.get("targetPort", port.get("port"))) for port in (obj.get("spec") or {}).get("ports") or []}
    if pods and not any(targets <= read.ports(pod) | read.port_names(pod) for pod in pods):
        return UNKNOWN
    return settled(said == real or (said == -1 and real > 0), f"{one} has {real} ready endpoints")


async def _ready_count(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or "replicas" not in (obj.get("spec") or {}):
        return UNKNOWN
    ready, _ = read.ready_of(obj, one.kind)
    return settled(int(claim.value) in {ready, -1}, f"{ready} of {one} are ready")


async def _node(claim: Claim, facts: Facts) -> Verdict:
    if await facts.object(Culprit(kind="Node", name=claim.value)) is None:
        return "false", f"there is no node {claim.value}"
    pods = await pods_of(claim, facts)
    known = {str((pod.get("spec") or {}).get("nodeName", "")) for pod in pods}
    return settled(claim.value in known, f"{subject_of(claim)} is on {', '.join(sorted(known - {''})) or 'no node'}")


async def _label(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    known = read.labels(obj or {})
    for pod in await facts.pods(one):
        known |= read.labels(pod)
    return settled(claim.value in known, f"{one} has {', '.join(sorted(known))[:200]}") if known else UNKNOWN


async def _port(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    known = read.ports(obj or {})
    for pod in await facts.pods(one):
        known |= read.ports(pod)
    return settled(claim.value in known, f"{one} has the ports {', '.join(sorted(known))}") if known else UNKNOWN


async def _limit(claim: Claim, facts: Facts) -> Verdict:
    one, said = subject_of(claim), read.amount(claim.value)
    obj = await facts.object(one)
    found = read.limits(obj or {}, claim.kind)
    for pod in await facts.pods(one):
        found |= read.limits(pod, claim.kind)
    if not found and read.containers(obj or {}):
        return "false", f"{one} has no {claim.kind}"
    if not found or said is None:
        return UNKNOWN
    known = {read.amount(value) for value in found}
    return settled(said in known, f"the {claim.kind} of {one} is {', '.join(sorted(found))}")


async def _event(claim: Claim, facts: Facts) -> Verdict:
    events = await facts.events(subject_of(claim))
    known = {reason for event in events if _REASON.fullmatch(reason := str(event.get("reason", "")))}
    return (
        settled(claim.value in known, f"events of {subject_of(claim)}: {', '.join(sorted(known))}")
        if known
        else UNKNOWN
    )


async def _log(claim: Claim, facts: Facts) -> Verdict:
    seen = await facts.logged(subject_of(claim), claim.value)
    return UNKNOWN if seen is None else settled(seen, f"no log of {subject_of(claim)} has a line with {claim.value!r}")


async def _revision(claim: Claim, facts: Facts) -> Verdict:
    obj = await facts.object(subject_of(claim))
    notes: Mapping[str, str] = ((obj or {}).get("metadata") or {}).get("annotations") or {}
    real = notes.get("deployment.kubernetes.io/revision", "")
    return settled(real == claim.value, f"{subject_of(claim)} is at revision {real}") if real else UNKNOWN


async def _container(claim: Claim, facts: Facts) -> Verdict:
    obj = await facts.object(subject_of(claim))
    known = {str(one.get("name")) for one in read.containers(obj or {})}
    return (
        settled(claim.value in known, f"{subject_of(claim)} has the containers {', '.join(sorted(known))}")
        if known
        else UNKNOWN
    )


async def _count(claim: Claim, facts: Facts) -> Verdict:
    number, _, kind = claim.value.partition(" ")
    one = claim.subject
    if one is not None and one.kind != "Namespace":
        if kind != "pod":
            return UNKNOWN
        real: int | None = await facts.on_node(one.name) if one.kind == "Node" else len(await facts.pods(one))
    else:
        real = await facts.count(kind, one.name if one else "")
    if real is None or number == "-1":
        return UNKNOWN
    return settled(int(number) == real, f"there are {real} {kind}s")


async def _matched(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    pods = await facts.pods(one)
    return settled(not pods, f"{one} selects {len(pods)} pods") if one.kind == "Service" else UNKNOWN


_CHECKS: Mapping[str, Callable[[Claim, Facts], Awaitable[Verdict]]] = {
    "exists": _exists,
    "state": _state,
    "ready": _ready,
    "desired": _desired,
    "unready": _unready,
    "restarts": _restarts,
    "exit": _exit,
    "image": _image,
    "since": times.since,
    "created": times.created,
    "changed": times.changed,
    "scaled": times.changed,
    "running": times.running,
    "ended": times.ended,
    "absent": _absent,
    "endpoints": _endpoints,
    "ready count": _ready_count,
    "node": _node,
    "label": _label,
    "port": _port,
    "memory limit": _limit,
    "memory request": _limit,
    "cpu limit": _limit,
    "cpu request": _limit,
    "event": _event,
    "log": _log,
    "revision": _revision,
    "container": _container,
    "count": _count,
    "matched": _matched,
    "share": wider.share,
    "moved": wider.moved,
    "version": wider.version,
    "probe": wider.probe,
    "pressure": wider.pressure,
    "nodes": wider.nodes,
    "last changed": times.last_changed,
    "downed": times.downed,
    "lasting": times.lasting,
    "state count": amounts.state_count,
    "unready of": amounts.unready_of,
    "lost": amounts.lost,
    "existing": amounts.existing,
    "quota pods": amounts.quota_pods,
    "quota room": amounts.quota_room,
    "down": amounts.down,
    "up": amounts.up,
    "percent": amounts.percent,
    "selected": amounts.selected,
    "pods on": amounts.pods_on,
    "quota used": amounts.quota_used,
    "quota full": amounts.quota_full,
    "disruptions": amounts.disruptions,
    "size": amounts.size,
    "probe fails": amounts.probe_fails,
    "throttled": amounts.throttled,
    "any": amounts.any_of,
    "moment": times.moment,
    "owner": belonging.owner,
    "its node": belonging.its_node,
    "part": belonging.part,
    "not made": belonging.not_made,
    "updated": belonging.updated,
    "last one": belonging.last_one,
}
KINDS = frozenset(_CHECKS)
