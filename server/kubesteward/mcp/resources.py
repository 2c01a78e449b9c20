"""What clients may attach to a conversation: the clusters and how well they are, records, what brains cost."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from kubesteward.mcp.asking import is_modern
from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.overlays import SCHEME, looking
from kubesteward_tools.errors import ObjectNotFound, SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.gate import Caller

JSON = "application/json"
NOT_FOUND_LEGACY = -32002
"""The code of the specification up to 2025-11-25; from 2026-07-28 on it is "invalid params"."""

LISTED = {
    "clusters": "The clusters this server knows, and what it knows about each",
    "investigations": "Investigations, newest first: what was asked and what came of it",
    "recommendations": "Recommendations that were drafted, newest first",
    "usage": "What brains were asked and what it cost: today, this week, this month, and the budgets",
    "world/-/summary": "How well the current cluster is: score, anomalies, one sentence; can be subscribed to",
}
TEMPLATES = {
    "actions/{id}": "One proposed change: verdicts, rehearsal, approvals, outcome",
    "investigations/{id}": "One investigation: hypotheses, evidence, trace, answer",
    "investigations/{id}/results/{n}": "A result of its calls that was too large to be shown",
    "world/{cluster}/summary": "How well a cluster is: score, anomalies, one sentence; can be subscribed to",
    "analysis/{kind}/{namespace}/{name}{?cluster}": (
        "How well one object is, with what it is made of and needs; namespace - for kinds without; can be subscribed to"
    ),
}


class Resources:
    def __init__(self, app: App, identity: Identity) -> None:
        self._app = app
        self._identity = identity

    async def list_resources(self, _: Context, __: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult(
            resources=[
                Resource(uri=SCHEME + path, name=path, description=words, mime_type=JSON)
                for path, words in LISTED.items()
            ]
        )

    async def list_templates(self, _: Context, __: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(uri_template=SCHEME + path, name=path.split("/")[0], description=words, mime_type=JSON)
                for path, words in TEMPLATES.items()
            ]
        )

    async def read(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """The resource as redacted JSON.

        Raises:
            MCPError: there is no such resource, with the code of the client's protocol era.
        """
        from kubesteward.middleware.output import MOST
        from kubesteward_tools.text.budget import fit
        from kubesteward_tools.text.redact import redact, redact_object

        uri = str(params.uri)
        try:
            await self._app.ready()
            found = await self._find(ctx, uri)
        except SteadyError as error:
            absent = isinstance(error, ObjectNotFound)
            code = NOT_FOUND_LEGACY if absent and not is_modern(ctx) else INVALID_PARAMS
            raise MCPError(code=code, message=redact(str(error)), data={"uri": redact(uri)}) from None
        data = fit(redact_object(json.loads(json.dumps(found, default=_plain))), MOST)
        text = json.dumps(data, indent=1, ensure_ascii=False)
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=JSON, text=text)])

    async def _find(self, ctx: Context, uri: str) -> Any:
        caller = self._identity.reader(ctx)
        self._app.rates.read(caller.principal)
        desk = self._app.desk(caller)
        look = looking(uri)
        if look is not None:
            return (await look(desk)).data
        path = uri.removeprefix(SCHEME) if uri.startswith(SCHEME) else ""
        if path == "clusters":
            return {"clusters": [_plain(cluster) for cluster in desk.clusters.describe()]}
        if path == "recommendations":
            return {"recommendations": await desk.records.recommendations()}
        if path == "usage":
            return self._usage(caller)
        kind, _, name = path.partition("/")
        if kind == "actions" and name and "/" not in name:
            return await desk.records.action(name, 0.0)
        if kind == "investigations":
            return self._investigation(name, caller.principal)
        raise ObjectNotFound(
            "Resource not found.", todo="resources/list and resources/templates/list name what there is."
        )

    def _investigation(self, path: str, principal: str) -> dict[str, Any]:
        """All of one's own, one of them, or one of its results."""
        if not path:
            return {"investigations": self._app.investigator.brief(principal)}
        name, _, rest = path.partition("/")
        if not rest:
            return self._app.investigator.record(name, principal)
        number = rest.removeprefix("results/")
        if not number.isdecimal():
            raise ObjectNotFound("Resource not found.", todo="Its calls say which results there are.")
        return {"result": self._app.investigator.result(name, int(number), principal)}

    def _usage(self, caller: Caller) -> dict[str, Any]:
        """One's own; everybody's for whoever sits at the machine, who can read the store's file anyway."""
        from kubesteward.reasoning.ledger.report import told

        app, whose = self._app, None if caller.channel == "stdio" else caller.principal
        return told(app.store, app.ledger.budgets, time.time(), whose)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
