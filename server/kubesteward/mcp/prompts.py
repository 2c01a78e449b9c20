"""Prompts: how to begin, for people who pick one from their client's menu."""

from __future__ import annotations

from dataclasses import dataclass

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from kubesteward.mcp.identity import Context

CLUSTER = PromptArgument(name="cluster", description="Cluster; empty: the current one", required=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`text` names every argument in braces; optional ones may come out empty."""

    title: str
    description: str
    arguments: tuple[PromptArgument, ...]
    text: str


RECIPES = {
    "review_change": Recipe(
        title="Review a proposed change",
        description="Examine an action that waits for approval, before a person decides",
        arguments=(PromptArgument(name="action_id", description="Id of the action", required=True),),
        text=(
            "Review the proposed change {action_id}. Read it with get_action. Say in plain words what it does, which "
            "objects it touches, what the rehearsal predicts in the best and in the worst case, which findings and "
            "verdicts there are, how it is undone, and what you would check in the cluster first; check that with the "
            "reading tools. End with a recommendation to approve or to reject and the one reason that decides it. Do "
            "not propose any change yourself. The person approves with `kubesteward approve {action_id}`."
        ),
    ),
    "triage": Recipe(
        title="Find out what is wrong",
        description="Triage a namespace, a workload or a whole cluster, reading only",
        arguments=(
            CLUSTER,
            PromptArgument(name="namespace", description="Namespace; empty: all", required=False),
            PromptArgument(name="kind", description="Kind of the object in question", required=False),
            PromptArgument(name="name", description="Name of the object in question", required=False),
        ),
        text=(
            "Find out what is wrong. Scope: cluster {cluster}; namespace {namespace}; object {kind} {name}. Start with "
            "cluster_overview, then list_resources with the failing ones first, get_events and get_logs of the worst, "
            "and get_metrics where load may matter. Name the root cause, the evidence for it line by line, and what "
            "speaks against it. If a change would help, rehearse it with simulate_impact and record it with "
            "draft_recommendation; execute nothing."
        ),
    ),
}


async def list_prompts(_: Context, __: PaginatedRequestParams | None) -> ListPromptsResult:
    return ListPromptsResult(
        prompts=[
            Prompt(name=name, title=recipe.title, description=recipe.description, arguments=list(recipe.arguments))
            for name, recipe in RECIPES.items()
        ]
    )


async def get_prompt(_: Context, params: GetPromptRequestParams) -> GetPromptResult:
    """The prompt's text with the arguments in it.

    Raises:
        MCPError: no such prompt, or an argument is missing or unknown.
    """
    from kubesteward_tools.text.redact import redact

    recipe = RECIPES.get(params.name)
    if recipe is None:
        raise _invalid(f"There is no prompt {redact(params.name)[:80]!r}; there are {', '.join(RECIPES)}.")
    given = params.arguments or {}
    names = [argument.name for argument in recipe.arguments]
    missing = [argument.name for argument in recipe.arguments if argument.required and not given.get(argument.name)]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise _invalid(f"Missing: {missing or 'none'}; unknown: {redact(str(unknown or 'none'))}; arguments: {names}.")
    text = recipe.text.format(**{name: redact(given.get(name, "")) or "(not given)" for name in names})
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=recipe.description, messages=[message])


def _invalid(message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message)
