"""Makes a plan of several steps for a person to read and for `execute_plan` to carry out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.arguments import Cluster
from kubesteward_tools.lookup.scope import Scope, one
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.planning.diagnostics import Look, looks
from kubesteward_tools.planning.drafting import MOST_STEPS, Drafted, draft, ordered
from kubesteward_tools.planning.reading import read, told
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_GRAVITY = ("safe", "warn", "unknown", "blocked")
_CALLS, _CONCERNS = 5, 3


@tool(Tier.RECOMMEND, title="Plan a change")
async def plan_change(
    desk: Desk,
    *,
    intent: Annotated[str, Field(max_length=2000, description="drain node a, then b")] = "",
    steps: Annotated[
        list[dict[str, Any]] | None, Field(max_length=MOST_STEPS, description="As proposed_actions")
    ] = None,
    plan_id: Annotated[str, Field(description="To edit")] = "",
    cluster: Cluster = "",
) -> Answer:
    """Plan steps: what to look at, exact calls, risk, rollback."""
    if bool(intent) and steps is not None:
        raise InvalidArguments("intent and steps exclude each other.", todo="Give one of them.")
    earlier = await desk.records.plan(plan_id) if plan_id else {}
    wanted = steps if steps is not None else read(intent) if intent else list(earlier.get("proposals") or ())
    if not wanted:
        raise InvalidArguments("nothing is to be planned.", todo="Give intent or steps.")
    world = await one(desk, cluster or str(earlier.get("cluster", "")))
    await world.ensure("nodes")
    proposals, notes = ordered(world, wanted)
    at = float(int(desk.now()))
    drafted = await draft(world, proposals, at)
    diagnostics = await looks(desk, [item.change.target for item in drafted])
    kept = _kept(world, drafted, at, intent or str(earlier.get("intent", "")), int(earlier.get("version", 0)) + 1)
    saved = await desk.records.save_plan(kept, plan_id)
    shown = tidy(redact_object({"plan_id": saved, "notes": notes, **_shown(drafted, diagnostics, kept)}))
    lines = [*Scope([world]).lines(), *_lines(saved, shown)]
    return Answer("\n".join(lines), {"scope": Scope([world]).data(), **shown})


def _kept(world: World, drafted: Sequence[Drafted], at: float, intent: str, version: int) -> dict[str, Any]:
    """What makes the same calls again, and their digests to compare them with."""
    return {
        "cluster": world.cluster,
        "server": world.server,
        "at": at,
        "version": version,
        "intent": intent,
        "proposals": [dict(item.given) for item in drafted],
        "digests": [item.change.digest for item in drafted],
    }


def _shown(drafted: Sequence[Drafted], diagnostics: Sequence[Look], kept: dict[str, Any]) -> dict[str, Any]:
    steps = [_step(number, item) for number, item in enumerate(drafted, 1)]
    return {
        "version": kept["version"],
        "verdict": max((step["verdict"] for step in steps), key=_GRAVITY.index),
        "understood": [told(dict(item.given)) for item in drafted],
        "diagnostics": [{"tool": item.tool, "arguments": item.arguments, "says": item.says} for item in diagnostics],
        "steps": steps,
    }


def _step(number: int, item: Drafted) -> dict[str, Any]:
    assert item.rehearsal is not None  # noqa: S101 - they are asked for
    found = item.rehearsal
    concerns = [f"{one.severity}: {one.message} [{one.rule}]" for one in found.findings if one.severity != "info"]
    return {
        "step": number,
        "summary": item.change.summary,
        "calls": _calls(item.change),
        "scope": {"namespace": item.change.target.namespace or "*", "pods": found.blast_radius.pods},
        "verdict": found.verdict,
        "risk": [*concerns, *(f"unknown: {text}" for text in found.assumptions[:1] if found.verdict == "unknown")],
        "rollback": item.undoing,
    }


def _calls(change: Change) -> list[dict[str, Any]]:
    return [
        {"verb": call.verb, "path": call.path, **({} if call.evicts or call.body is None else {"body": call.body})}
        for call in change.calls
    ]


def _lines(plan_id: str, shown: dict[str, Any]) -> list[str]:
    count = len(shown["steps"])
    size = f"{count} step{'s' * (count != 1)}"
    lines = [f"Plan {plan_id}, version {shown['version']}: {size}, {shown['verdict']}"]
    lines += [f"Note: {note}" for note in shown["notes"]]
    lines.append("Look first:")
    lines += [f"  {item['tool']}({_arguments(item['arguments'])}): {item['says']}" for item in shown["diagnostics"]]
    for step in shown["steps"]:
        lines.append(f"{step['step']}. {sentence(step['summary'])} [{step['verdict']}, {step['scope']['pods']} pods]")
        calls = step["calls"]
        lines += [f"   {call['verb']} {call['path']}" for call in calls[:_CALLS]]
        lines += [f"   and {len(calls) - _CALLS} more calls"] * (len(calls) > _CALLS)
        lines += [f"   {sentence(text)}" for text in step["risk"][:_CONCERNS]]
        lines.append(f"   back: {sentence(step['rollback'])}")
    return [*lines, f"Nothing was executed. execute_plan(plan_id={plan_id!r}) proposes all of it as one action."]


def _arguments(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())
