"""The restart ladder: a workload that came back three times in a day is looked at by a person before the fourth."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.automatic import Automatic
from kubesteward.gate.case import Case, allow, ask
from kubesteward_policies.change import ApiCall
from kubesteward_policies.ladder import DAY, MOST, climbed, restarts
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.twin.watcher import top_controller
from kubesteward_tools.world.store import Key

STAGE = "ladder"
_ENDED = frozenset({"Failed", "Succeeded"})


async def ladder(case: Case) -> Verdict:
    case.restarts = tuple(sorted(set(_restarted(case))))
    if case.dry_run or not case.restarts:
        return allow(STAGE, "ladder.ok", "nothing is restarted")
    return low_enough(case)


def low_enough(case: Case) -> Verdict:
    """Also asked in the transaction that adds what runs alone."""
    counts = Automatic(case.store).restarts(case.world.server, case.restarts, time.time() - DAY, case.action)
    if workload := climbed(counts):
        reason = f"{workload} was restarted without a person {counts[workload]} times in 24 h, and is back"
        return ask(STAGE, "ladder.restarts", reason, "Find out why it comes back; a restart does not mend it.")
    return allow(STAGE, "ladder.ok", f"fewer than {MOST} restarts without a person in 24 h")


def _restarted(case: Case) -> Iterator[str]:
    """The topmost controllers of what the calls restart: pods that run, and workloads whose template is rolled."""
    for call in case.change.calls:
        key = key_of(case.world, call.target)
        if key is not None and (restarts(call) or _stops_pod(case, call, key)):
            found = case.world.store.get(key)
            top = top_controller(case.world.store, found) if found is not None else None
            yield _named(top[1] if top else key)


def _stops_pod(case: Case, call: ApiCall, key: Key) -> bool:
    if key.resource != "pods" or not (call.verb == "delete" or call.path.endswith("/eviction")):
        return False
    pod = case.world.store.get(key) or {}
    return (pod.get("status") or {}).get("phase") not in _ENDED


def _named(key: Key) -> str:
    return f"{key.resource} {key.namespace}/{key.name}"
