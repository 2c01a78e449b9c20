"""The brain that needs no model: rules find the cause, the catalogue what it could be as well, and tools decide. It
speaks as every other brain, reads nothing but the conversation, and says the same to the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

from kubesteward.reasoning.brains import requests, telling
from kubesteward.reasoning.brains.base import (
    Ask,
    CallMade,
    Done,
    Event,
    Health,
    Json,
    Message,
    Text,
    TextDelta,
    ToolCall,
    Usage,
)
from kubesteward.reasoning.brains.catalogue import FAMILIES, Family, beside
from kubesteward.reasoning.brains.talk import Talk, call

NAME = "builtin"
FEWEST = 4
"""Hypotheses that it begins with."""
_PARTS = re.compile(r"(?<=[.!?…]) (?=(?:Fix|Evidence|Against it|On record): |It explains |Since \d{4}-|Also: )")
"""Where a finding goes on to something else: a line each is read more easily."""
_EXAMINED = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service", "Ingress")
_LOGGED = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


class BuiltIn:
    """Costs nothing and is always there."""

    name = NAME
    provider = NAME
    model = "rules"
    local = True

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        thought, calls = _next(Talk.of(ask))
        yield TextDelta(thought)
        for made in calls:
            yield CallMade(made)
        message = Message("assistant", (Text(thought), *calls))
        yield Done(message, "tools" if calls else "end", Usage(), self.name, self.model)

    def count(self, ask: Ask) -> int:
        return 0

    async def check(self) -> Health:
        return Health(ok=True)

    async def close(self) -> None:
        """Nothing is open."""


def _next(talk: Talk) -> tuple[str, tuple[ToolCall, ...]]:
    if (intent := talk.heads.get("Intent", "DIAGNOSTIC")) != "DIAGNOSTIC":
        return requests.following(talk, intent)
    if not talk.has("diagnose"):
        return "I let the rules look at it first: they read states, events and logs.", (_diagnosis(talk),)
    if not talk.has("hypothesise"):
        return _supposing(talk)
    if not talk.has("get_events"):
        return _looking(talk)
    if not talk.has("weigh"):
        return "I weigh what each call says about each hypothesis.", (
            call(talk, "weigh", {"evidence": _weighed(talk)}),
        )
    return _concluding(talk)


def _diagnosis(talk: Talk) -> ToolCall:
    given = {
        "question": talk.heads.get("Question", ""),
        "target": talk.heads.get("Asked about", ""),
        "namespace": talk.heads.get("Namespace", ""),
        "cluster": talk.heads.get("Cluster", ""),
    }
    return call(talk, "diagnose", {name: value for name, value in given.items() if value})


def _supposing(talk: Talk) -> tuple[str, tuple[ToolCall, ...]]:
    found = [_of_finding(number, one) for number, one in enumerate(talk.findings, 1)]
    known = [one["category"] for one in found]
    more = beside(known[0] if known else "", known, max(FEWEST - len(found), 2))
    culprit = found[0]["culprit"] if found else None
    found += [_of_family(len(found) + number, family, culprit) for number, family in enumerate(more, 1)]
    told = ", ".join(known) or "nothing certain"
    thought = f"The rules find {told}. It could look like that for other reasons, so I suppose those too."
    return thought, (call(talk, "hypothesise", {"hypotheses": found}),)


def _of_finding(number: int, one: Json) -> Json:
    family = FAMILIES.get(one["category"])
    return {
        "id": f"h{number}",
        "category": one["category"],
        "culprit": one.get("culprit"),
        "because": str((one.get("evidence") or [one["diagnosis"]])[0])[:600],
        "confirms": list(family.confirms) if family else ["what the rules saw is still so"],
        "refutes": list(family.refutes) if family else ["something else explains all of it"],
    }


def _of_family(number: int, family: Family, culprit: Json | None) -> Json:
    return {
        "id": f"h{number}",
        "category": family.category,
        "culprit": culprit,
        "because": family.because,
        "confirms": list(family.confirms),
        "refutes": list(family.refutes),
    }


def _looking(talk: Talk) -> tuple[str, tuple[ToolCall, ...]]:
    """Events, states, changes, neighbours and logs, each once for all hypotheses."""
    culprit = next((one["culprit"] for one in talk.findings if one.get("culprit")), None)
    space = (culprit or {}).get("namespace") or talk.heads.get("Namespace", "")
    where = {name: value for name, value in (("namespace", space), ("cluster", talk.heads.get("Cluster", ""))) if value}
    wanted: list[tuple[str, Json]] = [
        ("get_events", {"types": "Warning", "since": "24h", "limit": 100, **where}),
        ("list_resources", {"kind": "pods", "limit": 200, **where}),
    ]
    if culprit and culprit["kind"] in _EXAMINED:
        ref = f"{culprit['kind']}/{culprit['name']}"
        wanted += [
            ("what_changed", {"resource": ref, "since": "24h", **where}),
            ("get_topology", {"resource": ref, "depth": 2, **where}),
        ]
        if culprit["kind"] in _LOGGED:
            wanted.append(
                ("get_logs", {"target": ref, "tail": 200, "hint": "error failed refused denied killed", **where})
            )
    else:
        wanted += [("what_changed", {"since": "24h", **where}), ("find_anomalies", where), ("forecast", where)]
    offered = {tool.name for tool in talk.ask.tools}
    calls = [item for item in wanted if item[0] in offered or item[0] == "get_events"]
    made = [call(talk, name, given, at) for at, (name, given) in enumerate(calls)]
    return "Events, states, changes, neighbours and logs confirm or refute each of them: I look at those.", tuple(made)


def _weighed(talk: Talk) -> list[Json]:
    supposed = next(call for call in talk.calls.values() if call.name == "hypothesise").arguments["hypotheses"]
    rules = next(((number, data) for call, number, data in talk.results if call.name == "diagnose"), None)
    found: list[Json] = []
    for at, hypothesis in enumerate(supposed):
        if at < len(talk.findings) and rules is not None:
            found.append(_by_rules(hypothesis, talk.findings[at], talk.findings[0], rules[0]))
        family = FAMILIES.get(hypothesis["category"])
        if family is not None:
            found += _by_signs(talk, hypothesis, family, mild=at < len(talk.findings))
    return found or [_unshown(talk, supposed[0])]


def _by_rules(hypothesis: Json, finding: Json, best: Json, number: str) -> Json:
    name = f"{finding['category']}: "
    follows = finding is not best and any(str(item).startswith(name) for item in best.get("explains") or [])
    says = (
        f"it follows from {best['category']}"
        if follows
        else str((finding.get("evidence") or [finding["diagnosis"]])[0])
    )
    weight = 0.7 if follows else max(float(finding["confidence"]), 0.1)
    verdict = "refutes" if follows else "supports"
    return {"hypothesis": hypothesis["id"], "call": number, "verdict": verdict, "weight": weight, "says": says[:400]}


def _by_signs(talk: Talk, hypothesis: Json, family: Family, *, mild: bool) -> list[Json]:
    """What calls of its own kind show: a sign speaks for it, no sign in any of them against it."""
    looked = [(number, json.dumps(data)) for call, number, data in talk.results if call.name in family.where]
    if not looked:
        return []
    seen = [(number, match) for number, text in looked if (match := family.signs.search(text))]
    if seen:
        number, match = seen[0]
        return [_item(hypothesis, number, "supports" if mild else "neutral", 0.3, f"shows {match[0][:80]!r}")]
    if mild:
        return [_item(hypothesis, looked[0][0], "neutral", 0.1, "shows nothing more of it")]
    return [_item(hypothesis, number, "refutes", 0.6, "shows no sign of it") for number, _ in looked[:2]]


def _item(hypothesis: Json, call: str, verdict: str, weight: float, says: str) -> Json:
    return {"hypothesis": hypothesis["id"], "call": call, "verdict": verdict, "weight": weight, "says": says}


def _unshown(talk: Talk, hypothesis: Json) -> Json:
    number = talk.results[0][1] if talk.results else "1"
    return _item(hypothesis, number, "neutral", 0.1, "nothing could be seen")


def _concluding(talk: Talk) -> tuple[str, tuple[ToolCall, ...]]:
    best = talk.findings[0] if talk.findings else None
    if best is None:
        return "The rules could not look: a person has to.", (call(talk, "conclude", _nothing(talk.failure)),)
    status = {"Healthy": "HEALTHY", "Inconclusive": "INCONCLUSIVE"}.get(best["category"], "ANSWERED")
    answer = str(best["diagnosis"])
    for sentence in talk.false:
        answer = answer.replace(sentence, "").strip()
    proposed = best.get("proposed")
    action = {name: value for name, value in proposed.items() if name != "summary" and value} if proposed else {}
    return "What was weighed leaves this.", (
        call(talk, "conclude", {
            "status": status,
            "answer": _PARTS.sub("\n", answer) or str(best["category"]),
            "category": best["category"],
            "culprit": best.get("culprit"),
            "since": best.get("since", ""),
            "confidence": float(best["confidence"]),
            "ruled_out": [str(item)[:300] for item in best.get("ruled_out") or _ruled_out(talk)][:12],
            "recommendation": {"text": _advice(talk, best), "actions": [action] if action else []},
            "claims": [],
        }),
    )  # fmt: skip


def _advice(talk: Talk, best: Json) -> str:
    """The fix, or where a person would look now; where nothing is wrong yet, what may be soon."""
    further = "; ".join(map(str, best.get("look_next") or []))
    soon = " ".join(telling.ahead(talk))
    told = (best.get("fix"), f"Look next: {further}" if further else "", f"Keep an eye on this: {soon}" if soon else "")
    return str(next((text for text in told if text), ""))[:2000]


def _ruled_out(talk: Talk) -> list[str]:
    supposed = next(call for call in talk.calls.values() if call.name == "hypothesise").arguments["hypotheses"]
    weighed = [item for call in talk.calls.values() if call.name == "weigh" for item in call.arguments["evidence"]]
    against = {item["hypothesis"]: item["says"] for item in weighed if item["verdict"] == "refutes"}
    return [f"{item['category']}: {against[item['id']]}" for item in supposed if item["id"] in against]


def _nothing(why: str) -> dict[str, Any]:
    told = f"INCONCLUSIVE: recommend human investigation. The rules could not look: {why or 'nothing came back'}"
    return {"status": "INCONCLUSIVE", "answer": told[:2000], "category": "Inconclusive", "confidence": 0.0}
