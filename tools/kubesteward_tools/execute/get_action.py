"""Tells what has become of a proposed change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Format
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp

_BULK = frozenset({"snapshot", "rehearsal"})
_CONCERNS = 5


@tool(Tier.OBSERVE, title="Follow an action")
async def get_action(
    desk: Desk,
    *,
    action_id: Annotated[str, Field(min_length=1, max_length=100)],
    wait: Annotated[float, Field(ge=0, le=25, description="Seconds to wait for its end")] = 0,
    response_format: Format = "concise",
) -> Answer:
    """Status of a proposed change: verdicts, rehearsal, approvals, outcome."""
    record: dict[str, Any] = tidy(redact_object(dict(await desk.records.action(action_id, wait))))
    shown = record if response_format == "detailed" else _brief(record)
    return Answer("\n".join(_lines(record)), shown)


def _brief(record: Mapping[str, Any]) -> dict[str, Any]:
    """Without the snapshot and the rehearsal's details."""
    kept = {key: value for key, value in record.items() if key not in _BULK}
    rehearsal = record.get("rehearsal") or {}
    return kept | {"rehearsal": {key: rehearsal[key] for key in ("verdict", "findings") if key in rehearsal}}


def _lines(record: Mapping[str, Any]) -> list[str]:
    change, rehearsal = record.get("change") or {}, record.get("rehearsal") or {}
    lines = [f"{record.get('id')}: {record.get('status')}; {sentence(change.get('summary', ''))}"]
    lines += [f"  {_verdict(item)}" for item in record.get("verdicts") or ()]
    if rehearsal:
        lines.append(f"Rehearsal: {rehearsal.get('verdict')}")
        lines += [f"  {item['severity']}: {sentence(item['message'])}" for item in rehearsal["findings"][:_CONCERNS]]
    for item in record.get("approvals") or ():
        word = "Approved" if item.get("approved") else "Rejected"
        lines.append(
            f"{word} by {sentence(item.get('approver'))} ({item.get('channel')}) {sentence(item.get('comment'))}"
        )
    if record.get("outcome"):
        lines.append(f"Outcome: {sentence(record['outcome'], 600)}")
    if record.get("status") in {"executing", "unknown"}:
        lines.append(f"{record.get('done', 0)} of {len(change.get('calls') or ())} calls were made so far.")
    if record.get("reverted_by"):
        lines.append(f"Rolled back by {record['reverted_by']}.")
    if record.get("status") == "pending_approval":
        until = timestamp(float(record.get("expires") or 0))
        lines.append(f"Waits for a person until {until}: `kubesteward approve {record.get('id')}`.")
    return lines


def _verdict(item: Mapping[str, Any]) -> str:
    return f"{item.get('stage')}: {item.get('decision')} - {sentence(item.get('reason'))}"
