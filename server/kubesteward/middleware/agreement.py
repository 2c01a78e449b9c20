"""Asks a person before a call that may cost money, in the form of either era, and lets the call go on after it.

Where nobody can be asked the call is refused with what it may cost: whoever calls can then agree to an amount.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from kubesteward.middleware.call import Answered, Call, Handler, Question, Reply
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import Refused

OPEN_QUESTIONS = 1000


class Costly(Refused):
    """`question` is what a person is asked, of figures and our own words alone."""

    code = "COST_NOT_AGREED"

    def __init__(self, question: str) -> None:
        self.question = question
        super().__init__(question, todo="Name a budget in dollars, which agrees to spend as much.")


class Agreement:
    """Keeps the tokens of open questions; each is good for one answer of the principal it was made for."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, str]] = {}

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        """Changes are agreed to elsewhere: the gate alone decides what an answer about one is worth.

        Raises:
            Costly: nobody can be asked. Refused: somebody was, and said no; or the answer is to no open question.
        """
        if call.tool is None or call.tool.tier == Tier.EXECUTE:
            return await proceed(call)
        if call.answered is not None:
            return await self._go_on(call, self._burn(call, call.answered), call.answered, proceed)
        try:
            return await proceed(call)
        except Costly as error:
            if not call.caller.can_be_asked:
                raise
            if call.ask is None:
                return Reply("", question=Question(error.question, self._mint(call, error.question)))
            return await self._go_on(call, error.question, await call.ask(error.question), proceed)

    async def _go_on(self, call: Call, question: str, answered: Answered, proceed: Handler) -> Reply:
        if answered.action != "accept" or not answered.approve:
            raise Refused(
                "Nobody agreed to what it may cost.", todo="Nothing was spent. Name a budget, or ask for less."
            )
        reply = await proceed(replace(call, answered=None, agreed=True))
        return replace(reply, note={**reply.note, "agreed": question})

    def _mint(self, call: Call, question: str) -> str:
        while len(self._open) >= OPEN_QUESTIONS:
            del self._open[next(iter(self._open))]
        token = secrets.token_urlsafe(16)
        self._open[token] = (call.caller.principal, question)
        return token

    def _burn(self, call: Call, answered: Answered) -> str:
        principal, question = self._open.pop(answered.token, ("", ""))
        if not question or principal != call.caller.principal:
            todo = f"Call {call.name} again, without an answer, to be asked anew."
            raise Refused("This answer was already used, has expired, or is somebody else's.", todo=todo)
        return question
