"""The end of the list: the tool itself runs here, and a Change that it returns goes to the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubesteward.middleware.call import Call, Reply
from kubesteward.middleware.handover import Handover
from kubesteward_tools.tool import Answer

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.mcp.arguments import Arguments

TERMS = ("justification", "dry_run", "idempotency_key")


class Endpoint:
    """Arguments are validated before anything else happens, so that a misspelt one changes nothing."""

    def __init__(self, app: App, arguments: dict[str, Arguments]) -> None:
        self._app = app
        self._arguments = arguments
        self._handover = Handover(app)

    async def __call__(self, call: Call) -> Reply:
        """Run the tool.

        Raises:
            InvalidArguments: the arguments do not fit.
            SteadyError: whatever the tool or the gate has to say.
        """
        tool = call.tool
        assert tool is not None  # noqa: S101 - `Reach` stands before and refuses unknown names
        given = self._arguments[call.name].validate(call.arguments)
        if call.answered is not None:
            return await self._handover.resume(call, call.answered)
        terms: dict[str, Any] = {name: given.pop(name) for name in TERMS if name in given}
        await self._app.ready()
        with self._app.people.held(call.caller.who):
            result = await tool.function(self._app.desk(call.caller, call.tell, agreed=call.agreed), **given)
            if isinstance(result, Answer):
                return Reply(result.text, result.data, untrusted=result.untrusted, source=result.source)
            return await self._handover.propose(call, result, terms)
