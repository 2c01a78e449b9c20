"""Init containers that do not finish: they wait for something that never comes, or fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import ending, needs
from kubesteward_tools.diagnosis.reading import at, command_line, ended, mappings, named, regular, seconds, waiting
from kubesteward_tools.diagnosis.scene import Ailing, Scene
from kubesteward_tools.world.relations.hosts import host
from kubesteward_tools.world.store import Key

_WAITS = re.compile(
    r"(?:nslookup|getent hosts|host|dig|ping(?: -c ?\d+)?|nc(?: -\w+)*(?: \d+)?|wait-for(?:-it)?(?:\.sh)?|"
    r"pg_isready -h|mysqladmin ping -h|redis-cli -h|"
    r"curl(?: -\S+)*|wget(?: -\S+)*|telnet|/dev/tcp/)[ '\"]*(?:\w+://)?(?P<host>[A-Za-z][\w.-]*)(?:[ "
    r":/]+(?P<port>\d{2,5}))?"
)
_BUSY = 300.0
"""Seconds that an init container may run before it counts as stuck."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    for item in scene.ailing:
        if not item.init or item.container.get("restartPolicy") == "Always":
            continue
        reason, _ = waiting(item.status)
        running = at(item.status, "state", "running")
        if running:
            yield from _running(scene, item, seconds(running.get("startedAt")))
        elif reason == "CrashLoopBackOff" or ended(item.status).get("exitCode"):
            yield _failing(scene, item)


def _running(scene: Scene, item: Ailing, started: float | None) -> Iterator[Candidate]:
    for_long = started is None or scene.now - started > _BUSY or scene.question.complains
    target, why, sure = _waits_for(scene, item)
    if not for_long and not target:
        return
    shown = command_line(item.container)
    sentence = (
        f"init container {item.name!r} of {named(item.workload)} does not finish (Init:0/{_inits(item)}), so the "
        f"main {'containers' if len(regular(at(item.pod, 'spec'))) > 1 else 'container'} never starts: {why}."
    )
    fix = (
        f"Create or repair {named(target)}, or correct the name it waits for."
        if target
        else "See what it waits for, in its log."
    )
    log = [line for line in scene.log(item.pod_key, item.name).splitlines() if line.strip()]
    evidence = (*(f"log: {line[:200]}" for line in log[-1:]), f"command: {shown[:200]}")
    wanted = (target,) if target else needs(scene, item)
    yield Candidate(
        "InitStuck",
        item.workload,
        sentence,
        sure,
        evidence,
        fix=fix,
        since=started,
        suffers=(item.pod_key,),
        needs=wanted,
    )


def _inits(item: Ailing) -> int:
    return len(mappings(at(item.pod, "spec").get("initContainers")))


def _waits_for(scene: Scene, item: Ailing) -> tuple[Key | None, str, float]:
    """What its command or its log names and waits for, in words what is wrong with that, and how sure that is."""
    space = item.workload.namespace
    told = command_line(item.container)
    names = [match["host"].rstrip(".") for match in _WAITS.finditer(told)]
    names += [
        sign.peer
        for sign in scene.signs(item.pod_key, item.name)
        if sign.peer and sign.kind in {"dns", "connection", "timeout"}
    ]
    for name in names:
        found = host(name, space, addressed=True)
        if found is None:
            continue
        key = Key("services", found.namespace, found.service)
        if scene.missing(key):
            return (
                key,
                f"it waits for the service {name!r}, which does not exist (not found, missing) in namespace "
                f"{key.namespace}",
                0.93,
            )
        if scene.exists(key):
            return key, f"it waits for the service {name!r}, which does not answer", 0.8
    if names:
        return None, f"it waits for {names[0]!r}, which does not answer or cannot be resolved", 0.8
    return None, f"its command {told[:160]!r} has not ended", 0.75


def _failing(scene: Scene, item: Ailing) -> Candidate:
    found = ending(scene, item)
    sentence = (
        f"init container {item.name!r} of {named(item.workload)} fails (Init:{waiting(item.status)[0] or 'Error'}, "
        f"{item.restarts} restarts) and never completes, so the pod does not start: {found.why}."
    )
    sure = 0.7 if found.start else 0.92
    wanted = needs(scene, item)
    return Candidate(
        "InitStuck", item.workload, sentence, sure, found.evidence, fix=found.fix, suffers=(item.pod_key,), needs=wanted
    )
