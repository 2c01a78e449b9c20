"""Containers that are killed at their memory limit, and programs that run out of the memory they are given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import began
from kubesteward_tools.diagnosis.reading import command_line, ended, kind_of, limits, message_of, named, variables
from kubesteward_tools.diagnosis.scene import SERVERS, Ailing, Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.twin.quantity import format_binary
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.store import Object

_HEAP = re.compile(r"-Xmx\S+|--max[-_]old[-_]space[-_]size=?\d*|--vm-bytes[= ]\S+|GOMEMLIMIT=\S+|maxmemory \S+")


def analyse(scene: Scene) -> Iterator[Candidate]:
    for item in scene.ailing:
        end = ended(item.status)
        spoken = [sign for sign in scene.signs(item.pod_key, item.name) if sign.kind == "memory"]
        if end.get("reason") == "OOMKilled":
            yield _killed(scene, item, end.get("exitCode"), "OOMKilled", 0.97)
        elif end.get("exitCode") == 137 and spoken:
            yield _killed(scene, item, 137, spoken[0].line, 0.85)
        elif spoken and end.get("exitCode") and spoken[0].last:
            yield _killed(scene, item, end.get("exitCode"), spoken[0].line, 0.85)
        elif _shot(scene, item, end):
            yield _killed(scene, item, 137, "Error", 0.92)
        elif any(word in (told := message_of(end)).lower() for word in ("oom", "memory cgroup")):
            yield _killed(scene, item, end.get("exitCode"), told, 0.9)
    yield from _node_kills(scene)


def _shot(scene: Scene, item: Ailing, end: Object) -> bool:
    """Whether a process of a container with a memory limit was killed, as a shell tells, and by no probe of it."""
    last = scene.log(item.pod_key, item.name).rstrip().rpartition("\n")[2]
    probed = scene.warned(item.pod_key, "Unhealthy")
    return (
        end.get("exitCode") == 137 and not probed and last.endswith("Killed") and bool(limits(item.container, "memory"))
    )


def _killed(scene: Scene, item: Ailing, code: object, said: str, sure: float) -> Candidate:
    limit = limits(item.container, "memory")
    told = command_line(item.container) + " " + " ".join(f"{k}={v}" for k, v in variables(item.container).items())
    asked = f"; it is told to use {found[0]}" if (found := _HEAP.search(told)) else ""
    at = f"its memory limit of {limit}" if limit else "the memory it is allowed (no memory limit is set: the node's)"
    what = (
        f"is OOMKilled (out of memory): it needs more than {at} and is killed"
        if code == 137 or said == "OOMKilled"
        else f"runs out of memory by itself (its heap is full; {limit or 'no'} memory limit), and ends"
    )
    sentence = (
        f"container {item.name!r} of {named(item.workload)} {what} with exit code {code}, "
        f"{item.restarts} restarts{asked}."
    )
    fix = f"Raise resources.limits.memory above {limit or 'what it needs'}, or make the program use less memory."
    return Candidate(
        "OOMKilled",
        item.workload,
        sentence,
        sure,
        (f"last state: {said}, exit code {code}, restartCount {item.restarts}",),
        fix=fix,
        proposal=_raised(item, limit),
        since=began(scene, item),
        suffers=(item.pod_key,),
    )


def _raised(item: Ailing, limit: str) -> Proposal | None:
    """Twice the limit: what kills at once is rarely near."""
    key = item.workload
    if not limit or key.resource not in SERVERS or item.init:
        return None
    try:
        raised = format_binary(quantity(limit) * 2)
    except ValueError:
        return None
    resources = {"resources": {"limits": {"memory": raised}}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": item.name, **resources}]}}}}
    return Proposal("patch", kind_of(key.resource), key.name, key.namespace, {"patch": patch})


def _node_kills(scene: Scene) -> Iterator[Candidate]:
    """Processes that a node's kernel has killed: the node is short of memory as a whole."""
    for key, items in scene.warnings.items():
        for item in items:
            if key.resource == "nodes" and item.reason in {"SystemOOM", "OOMKilling"}:
                sentence = f"{named(key)} is out of memory: its kernel kills processes ({item.message})."
                fix = "Give the pods there memory requests and limits, or move some of them."
                yield Candidate("NodePressure", key, sentence, 0.7, (item.message,), fix=fix, since=item.first)
                break
