"""What a tool is: a function plus its tier. One file a tool (or a tight family), found by folder in `catalog`.

A tool is an async function whose first parameter is the `Desk` (all it may reach) and whose other parameters are its
arguments, each annotated with a type and a `pydantic.Field` that says what it means. Tiers 1 to 3 return an `Answer`,
tier 4 returns a `Change` and leaves the rest to the gate.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kubesteward_policies.tiers import Tier

if TYPE_CHECKING:
    from kubesteward_policies.change import Change
    from kubesteward_policies.rules import RuleSet
    from kubesteward_tools.cluster.clusters import Clusters


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool found: `text` is a compact table or YAML, `data` the same as typed JSON; each stands alone.

    `untrusted` is text that came out of a cluster (logs, event messages, annotations); it is fenced under `text`.
    """

    text: str
    data: Mapping[str, Any]
    untrusted: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action has done: the first `made` calls of its `change`. `before` are its targets as they were, `after`
    what its calls left, by number; both without status and secrets, `after` without what was deleted.
    """

    action: str
    change: Change
    made: int
    before: tuple[Mapping[str, Any], ...]
    after: Mapping[int, Mapping[str, Any]]
    reverted_by: str = ""


class Records(Protocol):
    """What tools may ask of KubeSteward's own store. Implemented by the server."""

    async def save_recommendation(self, recommendation: Mapping[str, Any]) -> str:
        """Persist it and return its id."""
        ...

    async def action(self, action_id: str, wait: float) -> Mapping[str, Any]:
        """The action's public record, after at most `wait` seconds or as soon as it is final.

        Raises:
            ObjectNotFound: no such action, or it belongs to somebody else.
        """
        ...

    async def done(self, action_id: str) -> Done:
        """What the caller's own action has done.

        Raises:
            ObjectNotFound: no such action, or it belongs to somebody else. AskAgain: it is not over yet.
        """
        ...

    async def save_plan(self, plan: Mapping[str, Any], plan_id: str = "") -> str:
        """Persist a plan, in place of an earlier version where `plan_id` names one, and return its id."""
        ...

    async def plan(self, plan_id: str) -> Mapping[str, Any]:
        """The caller's own plan. Raises ObjectNotFound."""
        ...


class Investigations(Protocol):
    """The reasoning inside, for one caller. Implemented by the server."""

    async def begin(self, question: str, target: str, namespace: str, cluster: str, usd: float | None) -> str:
        """Start one in the background; its id.

        Raises:
            Refused: it may cost more than may be spent without asking, or too many run already.
        """
        ...

    async def order(self, investigation: str, order: str) -> None:
        """`pause`, `resume` or `cancel` the caller's own. Raises ObjectNotFound, Refused."""
        ...

    async def look(self, investigation: str, wait: float) -> Mapping[str, Any]:
        """The caller's own, after at most `wait` seconds or as soon as it is over; progress is told meanwhile.

        Raises:
            ObjectNotFound: no such investigation, or it belongs to somebody else.
        """
        ...


class Desk(Protocol):
    """Everything a tool may reach."""

    @property
    def investigations(self) -> Investigations: ...

    @property
    def clusters(self) -> Clusters: ...

    @property
    def records(self) -> Records: ...

    def rules(self) -> RuleSet:
        """The guardrails in force.

        Raises:
            Refused: they cannot be read.
        """
        ...

    async def safe_mode(self, cluster: str = "") -> Sequence[str]:
        """Sentences that say why nothing is changed at present, on any cluster or on this one; none if all is well."""
        ...

    def brain_troubles(self) -> Sequence[str]:
        """Why the caller's brain was offline when it was last asked; none if it was not."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


ToolFunction = Callable[..., "Awaitable[Answer | Change]"]


@dataclass(frozen=True, slots=True)
class Tool:
    """One entry of the catalogue. The hints are MCP's annotations."""

    name: str
    title: str
    description: str
    tier: Tier
    function: ToolFunction
    destructive: bool
    idempotent: bool
    open_world: bool

    @property
    def read_only(self) -> bool:
        return self.tier <= Tier.ANALYSE


def tool(
    tier: Tier, *, title: str, destructive: bool = False, idempotent: bool | None = None, open_world: bool = False
) -> Callable[[ToolFunction], Tool]:
    """Make a function a Tool. Its name is the function's, its description the docstring.

    `open_world` is for tools whose answers carry text that strangers wrote (logs, events).
    """

    def wrap(function: ToolFunction) -> Tool:
        reads = tier <= Tier.ANALYSE
        return Tool(
            name=function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            tier=tier,
            function=function,
            destructive=destructive,
            idempotent=reads if idempotent is None else idempotent,
            open_world=open_world,
        )

    return wrap
