"""What is so, by silent calls through MCP: each object is asked for once for each check of an answer."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from kubesteward.reasoning.facts.kinds import CLUSTER_WIDE
from kubesteward.reasoning.facts.subjects import Index
from kubesteward.reasoning.loop.hands import Result
from kubesteward.reasoning.loop.state import Culprit

Asking = Callable[..., Awaitable[Result]]
Json = dict[str, Any]
INDEXED = (
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod", "Service", "Ingress", "ConfigMap",
    "PersistentVolumeClaim", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "ResourceQuota",
    "Node", "Namespace",
)  # fmt: skip
MOST_PODS = 30
_PAGE = 500


def seconds(text: str) -> float:
    """Epoch seconds of an RFC 3339 time in UTC; 0.0 where it is none."""
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d))?", text or "")
    if match is None:
        return 0.0
    try:
        return float(calendar.timegm(time.strptime(f"{match[1]}:{match[2] or '00'}", "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0


class Facts:
    """`namespaces` are those that a text is likely to speak of; none: all."""

    def __init__(self, ask: Asking, cluster: str = "") -> None:
        self._ask = ask
        self._where = {"cluster": cluster} if cluster else {}
        self._kept: dict[tuple[Any, ...], Any] = {}
        self.now = 0.0
        self.calls = 0

    async def _get(self, tool: str, **arguments: Any) -> Result:
        given = {name: value for name, value in arguments.items() if value not in ("", None)}
        key = (tool, *sorted((name, str(value)) for name, value in given.items()))
        if key not in self._kept:
            self._kept[key] = await self._ask(tool, **given, **self._where)
            self.calls += 1
            self._heard(self._kept[key])
        found: Result = self._kept[key]
        return found

    def _heard(self, result: Result) -> None:
        clusters = (result.data.get("scope") or {}).get("clusters") or [{}]
        self.now = seconds(str(clusters[0].get("as_of", ""))) or self.now

    async def index(self) -> Index:
        objects = list[Culprit]()
        for kind in INDEXED:
            answer = await self._get("list_resources", kind=kind, limit=_PAGE)
            objects += [
                Culprit(kind=kind, namespace=str(item.get("namespace") or ""), name=str(item["name"]))
                for item in answer.data.get("items") or []
                if "name" in item
            ]
        return Index(objects)

    async def count(self, kind: str, namespace: str = "") -> int | None:
        """None where they cannot be counted."""
        answer = await self._get("list_resources", kind=kind, namespace=namespace, limit=_PAGE)
        total = answer.data.get("total")
        return total if isinstance(total, int) and answer.data.get("complete", True) else None

    async def on_node(self, name: str) -> int | None:
        """How many pods a node has."""
        answer = await self._get("list_resources", kind="Pod", field_selector=f"spec.nodeName={name}", limit=_PAGE)
        total = answer.data.get("total")
        return total if isinstance(total, int) else None

    async def object(self, one: Culprit) -> Json | None:
        """None where there is none; raises LookupError where nobody can tell."""
        space = "" if one.kind in CLUSTER_WIDE else one.namespace
        wanted = {"kind": one.kind or "Pod", "name": one.name, "namespace": space}
        answer = await self._get("get_resource_yaml", **wanted, response_format="detailed")
        if not answer.is_error:
            objects = answer.data.get("objects") or [None]
            return dict(objects[0]) if objects[0] else None
        if answer.data.get("code") in {"NOT_FOUND", "UNKNOWN_KIND"}:
            return None
        raise LookupError(str(answer.data.get("message") or answer.text)[:200])

    async def pods(self, one: Culprit) -> list[Json]:
        """The pods of a workload or Service, or the pod itself."""
        if one.kind == "Pod":
            found = await self.object(one)
            return [found] if found else []
        obj = await self.object(one)
        selector = _selector(obj or {})
        if not selector:
            return []
        answer = await self._get(
            "list_resources", kind="Pod", namespace=one.namespace, label_selector=selector, limit=_PAGE
        )
        names = [str(item["name"]) for item in answer.data.get("items") or []][:MOST_PODS]
        pods = [await self.object(Culprit(kind="Pod", namespace=one.namespace, name=name)) for name in names]
        return [pod for pod in pods if pod]

    async def events(self, one: Culprit) -> list[Json]:
        """Of the last two days, with `first` as a time."""
        return await self._lately("get_events", "events", one, related_resource=f"{one.kind}/{one.name}")

    async def changes(self, one: Culprit) -> list[Json]:
        """Of the last two days, also of what it owns and needs."""
        return await self._lately("what_changed", "changes", one, resource=f"{one.kind}/{one.name}")

    async def _lately(self, tool: str, name: str, one: Culprit, **about: str) -> list[Json]:
        answer = await self._get(
            tool, namespace=one.namespace, since="48h", limit=200, response_format="detailed", **about
        )
        return list(answer.data.get(name) or [])

    async def logged(self, one: Culprit, words: str) -> bool | None:
        """Whether a line of its logs has these words, in this run or in the one before; None where nobody can tell."""
        seen = None
        for previous in (False, True):
            answer = await self._get(
                "get_logs",
                target=f"{one.kind}/{one.name}",
                namespace=one.namespace,
                pattern="(?i)" + re.sub(r"\\ ", r"\\s+", re.escape(words)).replace(r"\-", "-"),
                previous=previous,
                tail=5000,
            )
            if not answer.is_error:
                lines = [line for line in answer.data.get("log") or [] if not line.get("context")]
                seen = bool(lines) or bool(seen)
        return seen

    async def judged(self, one: Culprit) -> str:
        """What the rules say of it, as JSON: for what is not to be read off objects, as when trouble began."""
        target = f"{one.kind}/{one.name}"
        answer = await self._get("diagnose", target=target, namespace=one.namespace)
        return str(dict(answer.data))


def _selector(obj: Mapping[str, Any]) -> str:
    given = (obj.get("spec") or {}).get("selector") or {}
    labels = given.get("matchLabels", given if "matchExpressions" not in given else {})
    return ",".join(f"{name}={value}" for name, value in labels.items() if isinstance(value, str))
