"""Rules in code that nobody can configure away. Some deny, some leave it to two persons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
    for target in targets:
        key = key_of(case.world, target)
        pod = store.get(key) if key else None
        if pod is not None and (found := top_controller(store, pod)):
            workloads[target] = found[1]
    sizes = _sizes(store, {key.namespace for key in workloads.values()})
    return {target: (f"{key.resource} {key.namespace}/{key.name}", sizes[key]) for target, key in workloads.items()}


def _sizes(store: Store, namespaces: Iterable[str]) -> Counter[Key]:
    """The number of pods of each topmost controller. Pods with the same owners have the same one."""
    sizes, tops = Counter[Key](), dict[tuple[str, ...], Key | None]()
    for key, facts in (item for namespace in namespaces for item in store.known("pods", namespace)):
        if facts.owners not in tops:
            found = top_controller(store, store.get(key) or {"metadata": {}})
            tops[facts.owners] = found[1] if found else None
        top = tops[facts.owners]
        if top is not None:
            sizes[top] += 1
    return sizes
