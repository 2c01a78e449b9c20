"""What the built-in brain does where nobody looks for a cause: it looks up what there is, or has a change planned."""

from __future__ import annotations

import re

from kubesteward.reasoning.brains.base import Json, ToolCall
from kubesteward.reasoning.brains.talk import Talk, call

_PLACED = re.compile(r"\b([a-z0-9][a-z0-9-]*)/([a-z0-9][a-z0-9.-]*)")
"""Namespace and name, as `plan_change` does not read them."""
Turn = tuple[str, tuple[ToolCall, ...]]
_MOST = 12
"""Lines of an answer."""
_TOLD = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Service", "Ingress")
"""Kinds of which one object can be told about, by itself."""
_ASKING = re.compile(
    r"^\W*(?:please\s+)?(?:(?:how (?:would|should|can|do)|what if) (?:i|we)|plan(?: to)?|prepare(?: to)?)\s+", re.I
)
"""What stands before the change that is meant."""
_FOR_INSTANCE = "Say what to do with what, as in: scale deployment web in shop to 10."


def following(talk: Talk, intent: str) -> Turn:
    """The next turn for what is no diagnosis."""
    return _looked_up(talk) if intent == "INFORMATIONAL" else _planned(talk)


def _where(talk: Talk) -> Json:
    kind, _, rest = talk.heads.get("Target", "").partition(" ")
    space = talk.heads.get("Namespace", "") or (rest.partition("/")[0] if "/" in rest else "")
    space = rest if kind == "Namespace" else space
    given = {"namespace": space, "cluster": talk.heads.get("Cluster", "")}
    return {name: value for name, value in given.items() if value}


def _looked_up(talk: Talk) -> Turn:
    if not talk.has("list_resources"):
        wanted: list[tuple[str, Json]] = [
            ("list_resources", {"kind": "Deployment", "limit": 100, **_where(talk)}),
            ("list_resources", {"kind": "Pod", "limit": 200, **_where(talk)}),
            ("list_resources", {"kind": "Node", "limit": 100}),
        ]
        calls = tuple(call(talk, name, given, place) for place, (name, given) in enumerate(wanted))
        return "Nothing is complained about, so I look up what there is.", calls
    if (kind := talk.heads.get("Target", "").partition(" ")[0]) in _TOLD and not talk.has("get_resource_yaml"):
        return "One object is asked about, so I look at it and at what changed.", _looking_at(talk, kind)
    lines = _told(talk)
    lines = lines or [
        line for made, _, data in talk.results if made.name == "list_resources" for line in _listed(made, data)
    ]
    answer = "\n".join(lines[:_MOST]) or "Nothing was found."
    status = "ANSWERED" if lines else "INCONCLUSIVE"
    told = {"status": status, "answer": answer, "confidence": 0.6 if lines else 0.0}
    return "That is what there is.", (call(talk, "conclude", told),)


def _looking_at(talk: Talk, kind: str) -> tuple[ToolCall, ...]:
    name = talk.heads["Target"].partition(" ")[2].rpartition("/")[2]
    return (
        call(talk, "get_resource_yaml", {"kind": kind, "name": name, **_where(talk)}),
        call(talk, "what_changed", {"resource": f"{kind}/{name}", "since": "24h", **_where(talk)}, 1),
    )


def _told(talk: Talk) -> list[str]:
    """Of the object that is meant: how many are ready, what runs, and what was changed in it; nothing where none is."""
    lines, about = list[str](), talk.heads.get("Target", "")
    for made, _, data in talk.results:
        if made.name == "get_resource_yaml":
            lines += [line for obj in data.get("objects") or [] for line in _state(about, obj)]
        elif made.name == "what_changed":
            own = [one for one in data.get("changes") or [] if one.get("object") == made.arguments["resource"]]
            lines += [f"{one['ago']} ago: {str(one['what'])[:200]}" for one in own[:4]]
    return lines


def _state(about: str, obj: Json) -> list[str]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    wanted = spec.get("replicas")
    lines = [] if wanted is None else [f"{about}: {status.get('readyReplicas', 0)} of {wanted} replicas are ready."]
    lines += [f"{about} is {status['phase']}."] if status.get("phase") else []
    pod = (spec.get("template") or {}).get("spec") or spec
    return [*lines, *(f"{about}, container {one['name']}: image {one['image']}" for one in pod.get("containers") or ())]


def _listed(made: ToolCall, data: Json) -> list[str]:
    """How many there are, and those that are not well."""
    items = data.get("items") or []
    place = f" in namespace {made.arguments['namespace']}" if made.arguments.get("namespace") else ""
    kind = str(data.get("kind", "object")).lower()
    found = [f"There are {data.get('total', len(items))} {kind}s{place}."]
    for item in items:
        ready, _, wanted = str(item.get("ready", "")).partition("/")
        if wanted and ready != wanted:
            name = f"{item.get('namespace') or made.arguments.get('namespace', '')}/{item['name']}".lstrip("/")
            found.append(f"{data.get('kind')} {name}: {ready}/{wanted} ready, {item.get('status', '')}.")
    return found


def _planned(talk: Talk) -> Turn:
    if not talk.has("plan_change"):
        question = _PLACED.sub(r"\2 in \1", _ASKING.sub("", talk.heads.get("Question", "").strip(" ?.!")))
        given = {"intent": question, "cluster": talk.heads.get("Cluster", "")}
        plan = {name: value for name, value in given.items() if value}
        return "A change is wanted: I have it planned and rehearsed, and leave it to people.", (
            call(talk, "plan_change", plan),
        )
    found = next((data for made, _, data in talk.results if made.name == "plan_change"), None)
    if found is None:
        told = "INCONCLUSIVE: the rules do not understand what is to be changed."
        advice = {"text": _FOR_INSTANCE, "actions": []}
        given = {"status": "INCONCLUSIVE", "answer": told, "recommendation": advice}
        return "That could not be planned.", (call(talk, "conclude", given),)
    steps = [str(step.get("summary", "")) for step in found.get("steps") or []]
    answer = f"Plan {found.get('plan_id', '')}: {'; '.join(steps)}. Nothing was changed: execute_plan proposes it."
    advice = {"text": f"Read plan {found.get('plan_id', '')}, then have it executed.", "actions": []}
    done = {"status": "ANSWERED", "answer": answer, "confidence": 0.8, "recommendation": advice}
    return "The plan is made.", (call(talk, "conclude", done),)
