"""The stages in their order: cheap ones first, people last. The first denial ends the walk."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from kubesteward.gate.case import Case, deny
from kubesteward.gate.courtesy import COURTESY
from kubesteward.gate.stages.approval import approval
from kubesteward.gate.stages.autonomy import autonomy
from kubesteward.gate.stages.commands import commands
from kubesteward.gate.stages.dry_run import dry_run
from kubesteward.gate.stages.guardrails import guardrails, guardrails_rehearsed
from kubesteward.gate.stages.immutable import immutable
from kubesteward.gate.stages.ladder import ladder
from kubesteward.gate.stages.limits import limits
from kubesteward.gate.stages.liveness import liveness
from kubesteward.gate.stages.rehearsal import rehearsal
from kubesteward.gate.stages.rights import rights
from kubesteward.gate.stages.validate import validate
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.errors import SteadyError

Stage = Callable[[Case], Awaitable[Verdict | tuple[Verdict, ...]]]
"""A stage with several verdicts gives the strictest last; one that has nothing to do with a change gives none."""

STAGES: tuple[Stage, ...] = (
    validate,
    liveness,
    autonomy,
    commands,
    rights,
    immutable,
    guardrails,
    dry_run,
    rehearsal,
    guardrails_rehearsed,
    limits,
    ladder,
    approval,
)

BEFORE_EXECUTION: tuple[Stage, ...] = (
    liveness,
    autonomy,
    commands,
    rights,
    immutable,
    guardrails,
    limits,
    ladder,
)
"""Asked again when an approved change is executed: minutes have passed, perhaps the server was started anew. If it
needs more persons than have agreed, it goes back to them.
"""

REHEARSED_AGAIN: tuple[Stage, ...] = (guardrails_rehearsed, limits)
"""Asked of each further rehearsal of an approved change."""


async def walk(case: Case, stages: tuple[Stage, ...] = STAGES) -> list[Verdict]:
    """The verdicts up to the first denial, with the milliseconds each took. What a stage cannot answer is a denial."""
    verdicts: list[Verdict] = []
    for stage in stages:
        await COURTESY.turn()
        started = time.perf_counter()
        try:
            found = await stage(case)
        except SteadyError as error:
            found = deny(stage.__name__, f"{stage.__name__}.unanswered", error.message, error.todo)
        took = round((time.perf_counter() - started) * 1000, 3)
        made = [replace(item, took_ms=took) for item in (found if isinstance(found, tuple) else (found,))]
        verdicts += made
        case.verdicts += made
        if verdicts[-1].decision is Decision.DENY:
            break
    return verdicts
