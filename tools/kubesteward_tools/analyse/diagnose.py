"""Root causes found by rules alone: of one object, a namespace or the whole cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.scope import alone, one
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.diagnosis.report import Finding
    from kubesteward_tools.world.world import World

_LONGEST = 8_000
_SHOWN = 5


@tool(Tier.ANALYSE, title="Diagnose", open_world=True)
async def diagnose(
    desk: Desk,
    *,
    target: Annotated[str, Field(max_length=2 * NAME, description="kind/name; default: all")] = "",
    namespace: Namespace = "",
    question: Annotated[str, Field(max_length=2000, description="The complaint")] = "",
    cluster: Cluster = "",
) -> Answer:
    """Ranked root causes by rules: culprit, evidence, fix."""
    from kubesteward_tools.diagnosis.asking import ask  # its many patterns are compiled when somebody asks

    world = await one(desk, cluster)
    verdict = await ask(world, desk.now(), target=target, namespace=namespace, question=question)
    scope = alone(world, namespace)
    shown = verdict.findings[:_SHOWN]
    rest = len(verdict.findings) - len(shown)
    more = [f"Looked at: {'; '.join(verdict.looked)}."]
    more += [f"{rest} more root causes; a target or a namespace shows them."] if rest else []
    unread = [f"NOT READ {what}" for what in verdict.unread]
    records = [{**found.as_json(), **await _rehearsable(world, found, desk.now())} for found in shown]
    data = tidy(
        {
            "scope": scope.data(),
            "findings": records,
            "not_shown": rest,
            "not_read": list(verdict.unread),
            "looked_at": list(verdict.looked),
        }
    )
    found = cap(redact(clean("\n".join([*map(_line, shown, records), *unread]), _LONGEST * 4)), _LONGEST)
    return Answer("\n".join([*scope.lines(), *more]), data, untrusted=found, source="the diagnosis")


def _line(found: Finding, record: dict[str, Any]) -> str:
    who = str(found.culprit) if found.culprit else "nothing"
    told = found.diagnosis.removeprefix(f"{found.category}: ")
    line = f"{found.category} | {who} | confidence {found.confidence:.2f} | {told}"
    if "proposed" not in record:
        return line
    return f"{line}\nto rehearse it: simulate_impact {json.dumps(record['proposed'], separators=(',', ':'))}"


async def _rehearsable(world: World, found: Finding, now: float) -> dict[str, Any]:
    """The fix as the arguments of simulate_impact, and in words; nothing where it cannot be made so."""
    from kubesteward_tools.proposals.offered import offered  # with all that makes changes, when there is one

    return await offered(world, found.proposal, now) if found.proposal else {}
