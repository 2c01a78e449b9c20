"""Tool calls of an investigation, through MCP alone: which are allowed, which were made before, what is too large."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward.reasoning.brains.base import Text, ToolCall, ToolResult, ToolSpec
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.hands import Result
from kubesteward.reasoning.loop.state import Call
from kubesteward.reasoning.loop.words import fenced, head_and_tail

NOT_FOR_BRAINS = frozenset({"investigate", "get_action", "draft_recommendation"})
"""An investigation starts no other one; recommendations are saved once, by the loop, when they are checked."""
SHOWN = 12_000
"""Characters of a result that a brain is shown; what is longer is kept beside."""
_OF_NO_MATTER = frozenset({"response_format", "limit", "tail", "cursor"})
_REFERS = frozenset({"kind", "resource", "target", "related_resource", "a", "b"})
"""Arguments that name an object or a kind."""
BUILT_IN = "builtin"


@dataclass(frozen=True)
class Said:
    """A result that comes from elsewhere than a tool."""

    text: str
    data: Mapping[str, Any]
    is_error: bool


def digest_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """Of a call, for the tape."""
    return hashlib.sha256(json.dumps([tool, dict(arguments)], sort_keys=True, default=str).encode()).hexdigest()


def meaning(tool: str, arguments: Mapping[str, Any]) -> str:
    """The same for calls that differ in form only."""
    kept = {
        name: " ".join(value.lower().split()) if isinstance(value, str) else value
        for name, value in arguments.items()
        if name not in _OF_NO_MATTER and value not in ("", None, [], {}, False)
    }
    if isinstance(kind := kept.get("kind"), str):
        kept["kind"] = kind.removesuffix("s")
    return digest_of(tool, kept)


async def at_once(asked: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results in the order of the calls, which are all under way together. Raises what the first one raises."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in asked]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


class Calls:
    """`offered` are the tools that the server lists for whoever asks; nothing else can be called."""

    def __init__(self, case: Case, offered: Sequence[ToolSpec]) -> None:
        self._case = case
        self.offered = tuple(spec for spec in offered if spec.name not in NOT_FOR_BRAINS)
        self._names = {spec.name for spec in self.offered}

    async def silent(self, tool: str, /, **arguments: Any) -> Result:
        """A call of the loop's own: on the tape, but not among what the brain asked."""
        result = await self._case.hands.call(tool, **arguments)
        self._case.state.spent.calls += 1
        kept: dict[str, Any] = {"tool": tool, "arguments": arguments, "text": result.text, "data": dict(result.data)}
        kept["is_error"] = result.is_error
        self._case.archive.record(self._case.state.id, "call", digest_of(tool, arguments), kept)
        return result

    async def do(self, wanted: Sequence[ToolCall], why: str) -> list[ToolResult]:
        """What the brain asked for in one answer, all at once, if it may; never raises for what a tool does. Numbers
        and results are in the order of asking, however long each one takes.
        """
        new = self._new(wanted)
        results = dict(zip(new, await at_once(self._allowed(wanted[at]) for at in new), strict=True))
        return [
            self._kept(call, results[at], why) if at in results else self._without(call)
            for at, call in enumerate(wanted)
        ]

    def _new(self, wanted: Sequence[ToolCall]) -> list[int]:
        """The places of those that are to be made: not refused, and asked neither before nor twice here."""
        places = dict[str, int]()
        for at, call in enumerate(wanted):
            if not self._refusal(call) and self._before(call) is None:
                places.setdefault(meaning(call.name, call.arguments), at)
        return list(places.values())

    def _without(self, call: ToolCall) -> ToolResult:
        """The answer to a call that is not made: it may not be, or was made before."""
        self._case.state.repeated += 1
        if refusal := self._refusal(call):
            self._case.note("guard", refusal)
            return ToolResult(call.id, refusal, is_error=True)
        before = self._before(call)
        assert before is not None  # noqa: S101 - else it would have been made
        stands = fenced(before.says, f"call {before.number}")
        said = f"Call {before.number} asked the same and its result stands. Ask something else.\n{stands}"
        self._case.note("guard", f"{call.name} was asked before, as call {before.number}", before.number)
        return ToolResult(call.id, self._form(before.number, Said(said, {}, is_error=False)))

    async def _allowed(self, call: ToolCall) -> Result:
        """The result, or why the brain is not told it; a call that names what stays on the premises is not made."""
        case = self._case
        kept_back = case.withheld(case.brain, call.arguments)
        if not kept_back:
            result = await self.silent(call.name, **call.arguments)
            kept_back = case.withheld(case.brain, call.arguments, result.text)
            if not kept_back:
                return result
        case.note("policy", f"{call.name}{_brief(call.arguments)}: {kept_back}")
        return Said(kept_back, {"message": kept_back}, is_error=True)

    def _refusal(self, call: ToolCall) -> str:
        if call.malformed:
            return f"{call.name} was not called: {call.malformed}"
        if call.name not in self._names:
            known = ", ".join(sorted(self._names))
            return (
                f"{call.name[:100]!r} is none of your tools. You only read and rehearse; people change and approve. "
                f"There are: {known}."
            )
        if call.name != "list_resources" and any(map(_names_secrets, call.arguments.items())):
            return "What is in Secrets is not shown. list_resources tells which there are."
        return ""

    def _before(self, call: ToolCall) -> Call | None:
        """Made by the same brain: another one that goes on has not seen the results."""
        wanted, mine = meaning(call.name, call.arguments), self._case.brain.name
        own = (made for made in self._case.state.calls if made.by == mine)
        return next((made for made in own if meaning(made.tool, made.arguments) == wanted), None)

    def _kept(self, call: ToolCall, result: Result, why: str) -> ToolResult:
        state = self._case.state
        number = str(len(state.calls) + 1)
        says = first_words(result)
        given = {"number": number, "tool": call.name, "arguments": call.arguments, "says": says, "why": why}
        made = Call(**given, is_error=result.is_error, by=self._case.brain.name)
        state.calls.append(made)
        state.spent.failed_calls += result.is_error
        self._case.note("evidence", f"{call.name}{_brief(call.arguments)}: {says}", number)
        shown = self._form(number, result)
        if len(shown) > SHOWN and self._case.brain.provider != BUILT_IN:
            made.spilled = str(self._case.archive.spill(state.id, result.text))
            where = f"kubesteward://investigations/{state.id}/results/{made.spilled}"
            shown = f"{head_and_tail(shown, SHOWN)}\n[cut; the whole result is at {where}. Ask for less instead.]"
        return ToolResult(call.id, shown, result.is_error)

    def _form(self, number: str, result: Result) -> str:
        """The built-in brain reads data, all others read text."""
        if self._case.brain.provider == BUILT_IN:
            return json.dumps({"call": number, "data": dict(result.data), "is_error": result.is_error})
        return f"[call {number}]\n{result.text}"


def first_words(result: Result) -> str:
    """One line that tells what came of a call."""
    if result.is_error:
        return str(result.data.get("message") or result.text)[:200]
    for name in ("findings", "items", "changes", "events", "log", "nodes", "problems"):
        found = result.data.get(name)
        if isinstance(found, list):
            total = result.data.get("total", len(found))
            best = str(found[0].get("diagnosis") or "")[:160] if found and isinstance(found[0], dict) else ""
            return f"{total} {name}{': ' if best else ''}{best}."
    lines = [line for line in result.text.splitlines() if line.strip() and not line.startswith("<<<")]
    return lines[min(1, len(lines) - 1)][:200] if lines else "nothing."


def _names_secrets(argument: tuple[str, Any]) -> bool:
    """Whether an argument is about Secrets, as `Secret`, `v1/secrets` or `secret/db`; not what is only called so."""
    name, value = argument
    if name not in _REFERS or not isinstance(value, str):
        return False
    parts = value.strip().lower().split("/")
    kinds = parts if name == "kind" else parts[:-1]
    return any(part.partition(".")[0].strip() in {"secret", "secrets"} for part in kinds)


def _brief(arguments: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in arguments.items() if value not in ("", None))
    return f"({shown[:160]})"


def thought_of(parts: Sequence[Any]) -> str:
    """The visible text of an answer."""
    return " ".join(part.text.strip() for part in parts if isinstance(part, Text)).strip()
