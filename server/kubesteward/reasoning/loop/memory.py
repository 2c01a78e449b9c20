"""When a conversation grows too long, its oldest half becomes a list of what is known: what was asked, what it said,
what was concluded from it. Nobody has to be asked for that: the state has it all.
"""

from __future__ import annotations

from kubesteward.reasoning.brains.base import Message, Text
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.words import fenced

HEAD = "What is known so far (the conversation until here was too long to keep):"


def shortened(case: Case) -> bool:
    """Whether there was anything to leave out. The first message stays, for it has the question and the context."""
    talk = case.state.talk
    cut = next((at for at in range(max(len(talk) // 2, 2), len(talk)) if talk[at].role == "assistant"), 0)
    if cut < 2 or (cut == 2 and talk[1].text.startswith(HEAD)):
        return False
    block = Message("user", (Text(f"{HEAD}\n{fenced(chr(10).join(_bullets(case)), 'notes')}"),))
    case.state.messages = [item.to_json() for item in (talk[0], block, *talk[cut:])]
    case.note("memory", f"{cut - 1} messages became a summary of {len(_bullets(case))} points")
    return True


def _bullets(case: Case) -> list[str]:
    state = case.state
    made = [f"- call {call.number}, {call.tool} {_of(call.arguments)}: {call.says}" for call in state.calls]
    ideas = [
        f"- hypothesis {item.id} {item.category}{f' of {item.culprit}' if item.culprit else ''} stands at "
        f"{item.standing:.2f}: {item.because}"
        for item in state.hypotheses
    ]
    weighed = [f"- call {item.call} {item.verdict} {item.hypothesis}: {item.says}" for item in state.evidence]
    return [*ideas, *made, *weighed]


def _of(arguments: dict[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())[:160]
