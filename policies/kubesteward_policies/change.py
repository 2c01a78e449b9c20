"""A change that somebody proposes: exactly the API calls that would be made, and nothing done yet.

Tier-4 tools return one, the twin rehearses it, people approve its digest, and only the executor turns it into requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kubesteward_policies.digest import digest
from kubesteward_policies.ref import Ref

Verb = Literal["create", "update", "patch", "delete"]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to the Kubernetes API.

    `path` is absolute ("/apis/apps/v1/namespaces/shop/deployments/web/scale"), `query` holds extra parameters without
    `dryRun`, which belongs to whoever sends the call. `body` is JSON or None.
    """

    verb: Verb
    path: str
    target: Ref
    body: Any = None
    content_type: str = JSON
    query: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "verb": self.verb,
            "path": self.path,
            "target": self.target.as_json(),
            "body": self.body,
            "content_type": self.content_type,
            "query": [list(pair) for pair in self.query],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One proposed mutation of one cluster: the tool that proposes it, its target, and its calls in order."""

    tool: str
    target: Ref
    calls: tuple[ApiCall, ...]
    summary: str

    @property
    def cluster(self) -> str:
        return self.target.cluster

    @property
    def digest(self) -> str:
        """Names the effect alone: two wordings of the same calls are the same change."""
        return digest({"tool": self.tool, "calls": self.calls})

    def as_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "target": self.target.as_json(),
            "calls": [call.as_json() for call in self.calls],
            "summary": self.summary,
        }
