"""The context packet: what a person would look up before thinking, within a budget of tokens, and never the whole
cluster. Its digest leaves out what ages, so that it stays the same while nothing changes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from kubesteward.reasoning.loop.calls import Calls, at_once
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.hands import Result
from kubesteward.reasoning.loop.state import Culprit, Packet
from kubesteward.reasoning.loop.words import fenced, head_and_tail
from kubesteward_tools.errors import AskAgain

TOKENS = 9_000
"""Of all sections together."""
_LETTERS = 3.5
LOG_LINES = 100
LOG_SHOWN = 4096
"""Characters of the end of a log, and as many of the run before."""
LOGS = ("logs", "logs of the run before")
METRICS = {"memory": "memory_usage", "cpu": "cpu_usage", "restarts": "restarts"}
SIMILAR = "similar past investigations"
SHARES = {"target": 0.17, "pods": 0.12, "topology": 0.07, "events": 0.1, "changes": 0.1, "problems": 0.05,
          **dict.fromkeys(METRICS, 0.017), SIMILAR: 0.07}  # fmt: skip
"""Of the tokens, beside logs."""
_FENCE = 120
"""Characters that marks round a text take."""
_AGEING = frozenset(
    {"age", "ago", "last", "as_of", "staleness_seconds", "log", "lines", "count", "restarts", "scope", "until", "at",
     "brain"}
)  # fmt: skip
_RESTLESS = frozenset({*METRICS, *LOGS})
"""Sections that are another one each time."""
_REPEATED = frozenset({"events", "changes"})
"""Sections in which what happens again is nothing new."""
_MOVING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d+(?:\.\d+)?(?:ms|[smhd])\b|\b\d+ (?:times|restarts)\b|\bx\d+\b")


async def gather(case: Case, calls: Calls) -> None:
    """Sets the packet of the target, or of the cluster where there is none.

    Raises:
        AskAgain: every look failed. No brain is asked about what nobody can see.
    """
    state = case.state
    parts = _of_target(case, calls, state.intent.target) if state.intent.target else _of_cluster(case, calls)
    sections, stable, failed = dict[str, str](), dict[str, Any](), list[Result]()
    for name, found in zip(parts, await at_once(ask() for ask in parts.values()), strict=True):
        failed += [found] if found.is_error else []
        if found.is_error and name != "target":
            continue
        dropped = {"total"} if name in _REPEATED else set()
        told = {key: value for key, value in found.data.items() if key not in dropped}
        stable |= {name: unaged(told)} if name not in _RESTLESS else {}
        _put(case, sections, name, head_and_tail(found.text, room(name)))
    if len(failed) == len(parts):
        why = failed[-1].data
        raise AskAgain(str(why.get("message") or failed[-1].text), todo=str(why.get("todo") or ""))
    similar = case.similar(state)
    if similar:
        earlier = "\n".join(json.dumps(dict(item)) for item in similar[:5])
        short = head_and_tail(earlier, room(SIMILAR) - _FENCE)
        _put(case, sections, SIMILAR, fenced(short, "earlier answers"))
    digest = hashlib.sha256(json.dumps([state.question, stable], sort_keys=True).encode()).hexdigest()
    tokens = int(sum(map(len, sections.values())) / _LETTERS)
    state.packet = Packet(sections=sections, digest=digest, tokens=tokens)
    case.note("context", f"{', '.join(sections)}; about {tokens} tokens, digest {digest[:12]}")


def _put(case: Case, sections: dict[str, str], name: str, text: str) -> None:
    """What the brain may not be told is not among them, and the explanation says so."""
    if why := case.withheld(case.brain, {}, text):
        case.note("policy", f"{name}: {why}")
    else:
        sections[name] = text


def room(name: str) -> int:
    """Characters that a section may have."""
    return LOG_SHOWN if name in LOGS else int(TOKENS * _LETTERS * SHARES[name])


Asked = Callable[[], Coroutine[Any, Any, Result]]


def _of_target(case: Case, calls: Calls, target: Culprit) -> dict[str, Asked]:
    where = _where(case, target.namespace)
    ref = f"{target.kind}/{target.name}"

    def ask(tool: str, **arguments: Any) -> Asked:
        return lambda: calls.silent(tool, **arguments, **where)

    found = {
        "target": ask("get_resource_yaml", kind=target.kind, name=target.name),
        "topology": ask("get_topology", resource=ref, depth=1),
        "events": ask("get_events", related_resource=ref),
        "changes": ask("what_changed", resource=ref),
        "problems": lambda: calls.silent("cluster_overview", **_where(case, "")),
    }
    if target.namespace:
        found["pods"] = ask("list_resources", kind="pods", limit=200)
        found |= {name: ask("get_metrics", query=query, target=ref) for name, query in METRICS.items()}
        now, before = LOGS
        found[now] = ask("get_logs", target=ref, tail=LOG_LINES)
        found[before] = ask("get_logs", target=ref, tail=LOG_LINES, previous=True)
    return found


def _of_cluster(case: Case, calls: Calls) -> dict[str, Asked]:
    where = _where(case, case.state.intent.namespace)
    return {
        "problems": lambda: calls.silent("cluster_overview", **_where(case, "")),
        "events": lambda: calls.silent("get_events", types="Warning", **where),
        "changes": lambda: calls.silent("what_changed", **where),
    }


def _where(case: Case, namespace: str) -> dict[str, str]:
    given = {"namespace": namespace, "cluster": case.state.asked.get("cluster", "")}
    return {name: value for name, value in given.items() if value}


def unaged(data: Any) -> Any:
    """Without what changes by itself while time goes by."""
    if isinstance(data, Mapping):
        return {name: unaged(value) for name, value in data.items() if name not in _AGEING}
    if isinstance(data, list):
        found = {json.dumps(item, sort_keys=True, default=str): item for item in map(unaged, data)}
        return [item for _, item in sorted(found.items())]
    return _MOVING.sub("#", data) if isinstance(data, str) else data


def shown(case: Case) -> str:
    """The packet and the question as a brain reads them."""
    state = case.state
    intent = state.intent
    head = [f"Question: {state.question or 'What is wrong, and why?'}", f"Intent: {intent.kind}"]
    if intent.target:
        head.append(f"Target: {intent.target}")
    if state.asked.get("target"):
        head.append(f"Asked about: {state.asked['target']}")
    if intent.namespace:
        head.append(f"Namespace: {intent.namespace}")
    if intent.ambiguous:
        head.append(f"May also be meant: {', '.join(map(str, intent.ambiguous))}")
    if state.asked.get("cluster"):
        head.append(f"Cluster: {state.asked['cluster']}")
    return "\n".join([*head, *(f"\n## {name}\n{text}" for name, text in state.packet.sections.items())])
