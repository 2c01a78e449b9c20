"""Tells what has become of a proposed change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Format
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.text.fence import fence
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
    transcripts = record.pop("transcripts", ())
    shown = record if response_format == "detailed" else _brief(record)
    told = _told(record)
    if not transcripts:
        return Answer("\n".join(_lines(record)), shown, "\n".join(told), f"the record of {record.get('id')}")
    heads = [_ending(item) for item in transcripts]
    source = f"output of {record.get('id')}"
    fenced = [{**item, **{name: fence(item[name], source) for name in ("stdout", "stderr")}} for item in transcripts]
    printed = "\n".join([*told, *filter(None, map(_printed, transcripts))])
    return Answer("\n".join([*_lines(record), *heads]), {**shown, "transcripts": fenced}, printed, source)


def _ending(transcript: Mapping[str, Any]) -> str:
    """How a command ended, in words of our own but for the runtime's error."""
    took, dropped = f"{transcript['seconds']:g} s", transcript["dropped"]
    cut = f"; {dropped} bytes more were dropped" if dropped else ""
    if transcript["error"]:
        return f"The command could not be run: {sentence(transcript['error'], 600)}"
    if transcript["ended"] == "exit":
        return f"The command ended with exit code {transcript['exit_code']} after {took}{cut}."
    what = "printed nothing for too long" if transcript["ended"] == "idle" else "took too long"
    return f"The command {what} and was left after {took}; it may still run in the container{cut}."


def _printed(transcript: Mapping[str, Any]) -> str:
    """For people and models alike: standard error under its own heading."""
    error = transcript["stderr"]
    return "\n".join(filter(None, (transcript["stdout"].rstrip("\n"), f"stderr:\n{error.rstrip()}" if error else "")))


def _brief(record: Mapping[str, Any]) -> dict[str, Any]:
    """Without the snapshot and the rehearsal's details."""
    kept = {key: value for key, value in record.items() if key not in _BULK}
    rehearsal = record.get("rehearsal") or {}
    return kept | {"rehearsal": {key: rehearsal[key] for key in ("verdict", "findings") if key in rehearsal}}


def _lines(record: Mapping[str, Any]) -> list[str]:
    """In our own words."""
    change, rehearsal = record.get("change") or {}, record.get("rehearsal") or {}
    lines = [f"{record.get('id')}: {record.get('status')}; {sentence(change.get('summary', ''))}"]
    if rehearsal:
        lines.append(f"Rehearsal: {rehearsal.get('verdict')}")
    if record.get("exception"):
        lines.append(f"Somebody other than the requester can grant an exception: `{record['exception']}`.")
    if record.get("status") == "pending_approval":
        until = timestamp(float(record.get("expires") or 0))
        waiting = sentence(record.get("waiting") or "it waits for a person")
        lines.append(f"{waiting[:1].upper()}{waiting[1:]}, until {until}: `kubesteward approve {record.get('id')}`.")
    return lines


def _told(record: Mapping[str, Any]) -> list[str]:
    """What may quote the cluster, or whoever else wrote a text."""
    lines = [f"{_verdict(item)}" for item in record.get("verdicts") or ()]
    findings = (record.get("rehearsal") or {}).get("findings") or ()
    lines += [f"rehearsal, {item['severity']}: {sentence(item['message'])}" for item in findings[:_CONCERNS]]
    for item in record.get("approvals") or ():
        word = "Approved" if item.get("approved") else "Rejected"
        lines.append(
            f"{word} by {sentence(item.get('approver'))} ({item.get('channel')}) {sentence(item.get('comment'))}"
        )
    if record.get("outcome"):
        lines.append(f"Outcome: {sentence(record['outcome'], 600)}")
    if record.get("status") in {"executing", "unknown"}:
        total = len((record.get("change") or {}).get("calls") or ())
        lines.append(f"{record.get('done', 0)} of {total} calls were made so far.")
    if record.get("reverted_by"):
        lines.append(f"Rolled back by {record['reverted_by']}.")
    return lines


def _verdict(item: Mapping[str, Any]) -> str:
    return f"{item.get('stage')}: {item.get('decision')} - {sentence(item.get('reason'))}"
