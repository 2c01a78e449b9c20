"""Hypotheses and evidence: the brain's turns. What it asks is called, what it notes is noted, until it concludes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby

from kubesteward.reasoning.brains.base import (
    Ask,
    BrainMisconfigured,
    BrainOffline,
    BrainRefused,
    Done,
    Event,
    Message,
    PromptTooLong,
    Switched,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    Waiting,
)
from kubesteward.reasoning.loop import guards, notes, words
from kubesteward.reasoning.loop.calls import Calls, thought_of
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.memory import shortened
from kubesteward.reasoning.loop.packet import shown
from kubesteward.reasoning.loop.tape import digest_of
from kubesteward.reasoning.loop.tidy import MOST_CALLS, tidied

LATER = "Ask again later, or give it more seconds."
MAX_TOKENS = 4096
DOUBLED = 2
"""How often an answer that was cut gets twice the room, at most."""
CONTEXT = 100_000
"""Tokens of a conversation from which on the oldest half becomes a summary."""


async def think(case: Case, calls: Calls) -> None:
    """Turn after turn, until there is a conclusion. State is stored after each answer, which is paid, and after what
    it asked for.

    Raises:
        Enough: a limit is met. Interrupted. BrainError: the brain does not go on.
    """
    if not case.state.messages:
        case.state.say(Message("user", (Text(shown(case)),)))
    while case.state.draft is None:
        message = _unanswered(case)
        if message is None:
            message = await _asked(case, calls)
            case.save()
        await _answer(case, calls, message)
        case.save()


def _unanswered(case: Case) -> Message | None:
    """What a brain said before the process ended that should have answered."""
    last = case.state.talk[-1]
    return last if last.role == "assistant" else None


async def _asked(case: Case, calls: Calls) -> Message:
    state = case.state
    last = guards.is_last(state)
    offered = notes.NOTES if last else (*notes.NOTES, *calls.offered)
    ask = _ask(case, offered, last=last)
    if case.brain.count(ask) > CONTEXT and shortened(case):
        ask = _ask(case, offered, last=last)
    size = case.brain.count(ask)
    guards.check(state, size, case.priced(Usage(input=size, output=ask.max_tokens)))
    try:
        done = await _in_time(case, ask)
    except (PromptTooLong, BrainMisconfigured) as error:
        usual = ask.max_tokens == MAX_TOKENS  # else it may be the room for the answer that the model does not have
        if usual and (isinstance(error, BrainMisconfigured) or not shortened(case)):
            raise
        done = await _in_time(case, replace(_ask(case, offered, last=last), max_tokens=MAX_TOKENS))
    state.spent.turns += 1
    if done.stop == "refused":
        raise BrainRefused("the model would not answer this", "Ask differently, or use another brain.")
    state.say(done.message)
    if done.stop == "truncated" and not done.message.calls:
        state.say(Message("user", (Text(words.CUT),)))
        return Message("user", ())
    return done.message


def _ask(case: Case, offered: tuple[ToolSpec, ...], *, last: bool) -> Ask:
    system = f"{words.SYSTEM}\n{words.LAST}" if last else words.SYSTEM
    talk = case.state.talk
    return Ask(system, talk, offered, MAX_TOKENS * 2 ** min(_cut(talk), DOUBLED))


def _cut(talk: tuple[Message, ...]) -> int:
    """How many answers in a row were cut: thinking counts too, and a model that thinks long would never come to a
    word.
    """
    said = [message.text for message in talk if message.role != "assistant"]
    return next((number for number, text in enumerate(reversed(said)) if text != words.CUT), len(said))


async def _in_time(case: Case, ask: Ask) -> Done:
    """Raises Enough: the brain is still talking when the time is over."""
    left = case.state.budget.seconds - case.worked
    try:
        async with asyncio.timeout(max(left, 0.0)):
            return await _heard(case, ask, left)
    except TimeoutError:
        raise guards.Enough(f"its {case.state.budget.seconds:g} seconds are over") from None


async def _heard(case: Case, ask: Ask, left: float) -> Done:
    """The whole answer, of a size that can be kept; what it cost is written into the state.

    Raises:
        BrainOffline: the provider wants to be asked again when the time is over, `left` seconds from the beginning.
    """
    until = time.monotonic() + left
    state, done = case.state, None
    full = case.brain.count(ask) / CONTEXT
    state.spent.saturation = round(max(state.spent.saturation, full), 3)
    case.saturated(full)
    async with aclosing(case.brain.stream(ask)) as events:
        async for event in events:
            _tell(case, event)
            if isinstance(event, Waiting) and event.seconds > until - time.monotonic():
                raise BrainOffline(f"{event.reason}, for longer than this investigation may take", LATER)
            if isinstance(event, Done):
                done = event
    assert done is not None  # noqa: S101 - every stream ends with one
    _pay(case, done.usage)
    done, beyond = tidied(done)
    if beyond:
        case.note("guard", f"{beyond} calls beyond the first {MOST_CALLS} of one answer were left out")
    state.brain, state.model = done.brain or case.brain.name, done.model or case.brain.model
    case.archive.record(state.id, "ask", digest_of(ask), done.to_json())
    return done


def _pay(case: Case, usage: Usage) -> None:
    spent = case.state.spent
    spent.add(usage)
    money = case.priced(usage)
    spent.money = None if money is None or spent.money is None else spent.money + money


def _tell(case: Case, event: Event) -> None:
    match event:
        case TextDelta(text):
            case.tell("text", text)
        case Waiting(seconds, reason, attempt):
            case.tell("waiting", f"{seconds:.0f} s until attempt {attempt}: {reason}")
        case Switched(brain, other, reason, offline):
            how = "offline" if offline else "not asked"
            case.state.brain_status = f"brain {how}: {brain}: {reason}"
            case.note("brain", f"{brain} is {how} ({reason}); {other} goes on")


async def _answer(case: Case, calls: Calls, message: Message) -> None:
    """Do what the brain asked for, all of it, and give it the results."""
    state = case.state
    thought = thought_of(message.parts)
    if message.role == "user":
        return
    if not message.calls:
        case.note("thought", thought)
        state.say(Message("user", (Text(words.GO_ON),)))
        return
    if not thought and _sent_back(case, message):
        return
    if thought:
        case.note("thought", thought)
    results = list[ToolResult]()
    for noted, group in groupby(message.calls, lambda call: call.name in notes.NAMES):
        wanted = tuple(group)
        results += _noted(case, wanted) if noted else await _called(case, calls, wanted, thought[:300])
    state.say(Message("tool", tuple(results)))
    if len(message.calls) == MOST_CALLS:
        state.say(Message("user", (Text(words.MANY.format(most=MOST_CALLS)),)))


def _sent_back(case: Case, message: Message) -> bool:
    """Once, calls without a thought are not made; later they count against it."""
    case.state.unexplained += 1
    case.note("thought", "none was given before the calls")
    if case.state.unexplained > 1:
        return False
    back = tuple(ToolResult(call.id, words.THINK_FIRST, is_error=True) for call in message.calls)
    case.state.say(Message("tool", back))
    return True


def _noted(case: Case, wanted: Sequence[ToolCall]) -> list[ToolResult]:
    over = case.worked >= case.state.budget.seconds
    return [ToolResult(call.id, words.LATE, True) if over else notes.take(case, call) for call in wanted]


async def _called(case: Case, calls: Calls, wanted: Sequence[ToolCall], why: str) -> list[ToolResult]:
    """What is asked between two notes, all at once: notes may rest on what was called before them."""
    if case.worked >= case.state.budget.seconds:
        return [ToolResult(call.id, words.LATE, True) for call in wanted]
    return await calls.do(wanted, why)
