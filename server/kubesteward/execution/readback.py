"""What became of a call whose answer never came: looked up in the live object, never guessed."""

from __future__ import annotations

from typing import Any, Literal

from kubesteward.execution.apply import Writing
from kubesteward_policies.change import JSON_PATCH, ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_tools.errors import AskAgain, SteadyError

Effect = Literal["applied", "absent", "unclear"]
_MOVING = {"resourceVersion", "managedFields", "generation", "creationTimestamp"}


async def effect(writer: Writing, call: ApiCall, resource_version: str, uid: str = "") -> tuple[Effect, str]:
    """Whether the call has taken effect, and a sentence on it. `resource_version` and `uid` are the object's before it.

    Raises:
        AskAgain: the server does not answer (yet).
    """
    if runs_command(call):
        return "unclear", "nobody can tell whether the command was run in the container"
    if call.verb == "create" and not call.path.endswith("/eviction"):
        return await _created(writer, call)
    subresource = call.path.endswith("/eviction")
    live = await writer.read(call.path.removesuffix("/eviction"))
    if call.verb == "delete" or subresource:
        return _gone(call, live, resource_version, uid)
    if live is None:
        return "absent", f"{call.target} is not there"
    if resource_version and live["metadata"].get("resourceVersion") == resource_version:
        return "absent", f"{call.target} has not moved"
    return await _changed(writer, call, live)


async def _created(writer: Writing, call: ApiCall) -> tuple[Effect, str]:
    if not call.target.name:
        return "unclear", "the server chooses the name, so that nobody can tell which object it is"
    live = await writer.read(f"{call.path.rstrip('/')}/{call.target.name}")
    return ("absent", f"{call.target} is not there") if live is None else ("applied", f"{call.target} is there")


def _gone(call: ApiCall, live: dict[str, Any] | None, resource_version: str, uid: str) -> tuple[Effect, str]:
    if live is None or live["metadata"].get("deletionTimestamp"):
        return "applied", f"{call.target} is gone or going"
    if uid and live["metadata"].get("uid") != uid:
        return "applied", f"{call.target} is another one by now"
    if live["metadata"].get("resourceVersion") == resource_version:
        return "absent", f"{call.target} has not moved"
    return "absent", f"{call.target} is there and not going"


async def _changed(writer: Writing, call: ApiCall, live: dict[str, Any]) -> tuple[Effect, str]:
    """A call that would change nothing any more has been made, by us or by somebody who wanted the same."""
    try:
        again = await writer.dry_run(call)
    except AskAgain:
        raise
    except SteadyError as error:
        return "unclear", f"{call.target} has moved, and asked again the server says: {error.message}"
    if _settled(again) == _settled(live):
        return "applied", f"{call.target} is as the call leaves it"
    if call.content_type == JSON_PATCH:
        return "unclear", f"{call.target} has moved, and a JSON patch made twice may leave it otherwise"
    return "absent", f"{call.target} has moved, but not to where the call leaves it"


def _settled(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name not in _MOVING}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}
