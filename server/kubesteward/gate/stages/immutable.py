"""Rules in code that nobody can configure away. Some deny, some leave it to two persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.case import Case, allow, ask, deny
from kubesteward_policies.immutable import Surroundings, judge
from kubesteward_policies.ref import Ref
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.text.redact import redact, redact_object
from kubesteward_tools.twin.watcher import top_controller
from kubesteward_tools.world.store import Key, Store

STAGE = "immutable"
_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_OWN = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


async def immutable(case: Case) -> Verdict | tuple[Verdict, ...]:
    broken = judge(case.change, _surroundings(case))
    if broken and not broken[-1].persons:
        return deny(STAGE, broken[-1].rule, broken[-1].reason, broken[-1].remedy)
    if any(_tells(call.body) for call in case.change.calls):
        reason = "the body carries what looks like a password or a token"
        return deny(STAGE, "immutable.secret", reason, "Put it into a Secret by hand and refer to that.")
    asking = tuple(ask(STAGE, item.rule, item.reason, item.remedy, item.persons) for item in broken)
    return asking or allow(STAGE, "immutable.ok", "no immutable rule speaks against it")


def _tells(body: Any) -> bool:
    """By what it looks like, or by the name of its field."""
    return any(redact(text) != text for text in _texts(body)) or REDACTED in _texts(redact_object(body))


def _texts(body: Any) -> Iterator[str]:
    """What stands in a body, but for names of fields."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping | list | tuple):
        for item in body.values() if isinstance(body, Mapping) else body:
            yield from _texts(item)


def _surroundings(case: Case) -> Surroundings:
    nodes = case.world.store.known("nodes")
    roles = frozenset(key.name for key, facts in nodes if any(role in facts.labels for role in _ROLES))
    return Surroundings(roles, own_namespace(), _pods(case))


@cache
def own_namespace() -> str:
    """Where this program runs, "" outside of a cluster."""
    return _OWN.read_text("utf-8").strip() if _OWN.exists() else ""


def _pods(case: Case) -> dict[Ref, tuple[str, int]]:
    """The workload of each pod that the change names, with the number of its pods."""
    store, targets = case.world.store, {call.target for call in case.change.calls if call.target.kind == "Pod"}
    workloads: dict[Ref, Key] = {}
    sizes: dict[Key, int] = {}
    for target in targets:
        key = key_of(case.world, target)
        pod = store.get(key) if key else None
        if pod is not None and (found := top_controller(store, pod)):
            workloads[target] = found[1]
            if key is not None and found[1] not in sizes:
                sizes[found[1]] = _size(store, found[1], key)
    return {target: (f"{key.resource} {key.namespace}/{key.name}", sizes[key]) for target, key in workloads.items()}


def _size(store: Store, workload: Key, pod: Key) -> int:
    """The number of pods under a controller; under one that is gone, those with the same owners as `pod`."""
    facts, own = store.facts(workload), store.facts(pod)
    owners = [facts.uid] if facts is not None else list(own.owners if own is not None else ())
    pods = set[Key]()
    for uid in owners:
        for key in store.owned_by(uid):
            if key.resource == "pods":
                pods.add(key)
            elif (found := store.facts(key)) is not None and found.uid not in owners:
                owners.append(found.uid)  # at most once: owner references may go in circles
    return len(pods)
