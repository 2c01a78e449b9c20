"""The twin: what would follow. A blocking finding ends it here; what is unknown is told to whoever approves."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

from kubesteward.gate.case import Case, allow, ask, deny, warn
from kubesteward.gate.courtesy import COURTESY
from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.twin.custom.behind import behind
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.world.world import World

STAGE = "rehearsal"
log = logging.getLogger(__name__)


async def rehearsal(case: Case) -> Verdict:
    try:
        found = await played(case.world, case.change)
    except Exception:  # whatever the twin stumbles over, an unrehearsed change does not pass
        log.exception("the rehearsal of %s failed", case.change.target)
        remedy = "Make the change by hand, and report the fault: the server's log has the details."
        return deny(STAGE, "rehearsal.failed", "the twin could not play this change", remedy)
    case.rehearsal = found
    return opinion(found)


async def played(world: World, change: Change) -> Rehearsal:
    """The change on the cluster as it is now. Beside the event loop: a large cluster must not hold up other calls."""
    await world.ensure(*behind(change.calls))
    async with COURTESY.rehearsing() as between:
        fork = world.store.fork()
        unseen, kinds = tuple(world.forbidden), world.kinds.all()
        ask_twin = partial(rehearse, now=time.time(), unseen=unseen, kinds=kinds, paced=True, between=between)
        return await asyncio.to_thread(ask_twin, fork, change.calls)


def opinion(found: Rehearsal) -> Verdict:
    """What the gate makes of a rehearsal."""
    if found.verdict == "blocked":
        blocking = next(item for item in found.findings if item.severity == "block")
        return deny(STAGE, blocking.rule, blocking.message, blocking.remedy)
    if found.verdict == "unknown":
        reason = f"the rehearsal cannot tell: {found.assumptions[0] if found.assumptions else 'nothing was observed'}"
        return ask(STAGE, "rehearsal.unknown", reason, "Decide with that in mind.")
    if found.verdict == "warn":
        worst = next(item for item in found.findings if item.severity == "warn")
        return warn(STAGE, worst.rule, worst.message, worst.remedy)
    return allow(STAGE, "rehearsal.safe", "safe in the best and in the worst case")
