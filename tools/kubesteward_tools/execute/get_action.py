"""What became of a proposed change. It reads KubeSteward's own records and nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.tool import Answer, Desk, tool


@tool(Tier.OBSERVE, title="Follow an action")
async def get_action(
    desk: Desk,
    *,
    action_id: Annotated[str, Field(max_length=40)],
    wait: Annotated[float, Field(ge=0, le=25, description="Seconds to wait for an end")] = 0,
) -> Answer:
    """Status, verdicts, approvals, rehearsal and outcome of a proposed change."""
    record = await desk.records.action(action_id, wait)
    change = record["change"]
    lines = [f"{record['id']} {record['status']}: {change['summary']}"]
    lines += [f"  {item['decision']} {item['stage']}: {item['reason']}" for item in record["verdicts"]]
    lines += [f"  decided by {item['approver']} ({item['channel']})" for item in record["approvals"]]
    return Answer("\n".join(filter(None, [*lines, record["outcome"]])), record)
