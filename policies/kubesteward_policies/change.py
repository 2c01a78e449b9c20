"""A change that somebody proposes: exactly the API calls that would be made, and nothing done yet.

Tier-4 tools return one, the twin rehearses it, people approve its digest, and only the executor turns it into requests.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    @property
    def evicts(self) -> bool:
        return self.verb == "create" and self.path.endswith("/eviction")

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
class Step:
    """A part of a change that is carried out and verified before the next one begins; `first` is its first call's
    place in the change, `number` counts from 0.
    """

    number: int
    first: int
    calls: tuple[ApiCall, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One proposed mutation of one cluster: the tool that proposes it, its target, and its calls in order.

    `steps` holds the number of calls of each step, () for a single one. `reverts` is the action that it takes back.
    """

    tool: str
    target: Ref
    calls: tuple[ApiCall, ...]
    summary: str
    steps: tuple[int, ...] = ()
    reverts: str = ""

    def __post_init__(self) -> None:
        if self.steps and (min(self.steps) < 1 or sum(self.steps) != len(self.calls)):
            raise ValueError(f"{self.steps} are no steps of {len(self.calls)} calls")

    @property
    def cluster(self) -> str:
        return self.target.cluster

    @property
    def digest(self) -> str:
        """Names the effect alone: two wordings of the same calls are the same change."""
        return digest({"tool": self.tool, "calls": self.calls, **self._parts()})

    def in_steps(self) -> Iterator[Step]:
        first = 0
        for number, count in enumerate(self.steps or (len(self.calls),)):
            yield Step(number, first, self.calls[first : first + count])
            first += count

    def as_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "target": self.target.as_json(),
            "calls": [call.as_json() for call in self.calls],
            "summary": self.summary,
            **self._parts(),
        }

    def _parts(self) -> dict[str, Any]:
        """Left out where there are none, so that the digests of simpler changes stay what they were."""
        steps = {"steps": list(self.steps)} if self.steps else {}
        return {**steps, **({"reverts": self.reverts} if self.reverts else {})}
