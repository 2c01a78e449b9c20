"""What is wanted, and of which object: words first, then what the cluster has by that name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubesteward.reasoning.loop.calls import Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import Culprit, Intent, IntentKind

_TROUBLE = re.compile(
    r"\b(why|fail|error|crash|broken|down|slow|not|can't|cannot|n't|wrong|stuck|pending|restart(?:s|ing)|oom|unhealthy|"
    r"timeout|refused|problem|incident|investigate|diagnose|root cause|well\b|health|fine\b|okay?\b|trouble|"
    r"degraded|happen|wait|hang|issue|fix\b|cause|unable|never|missing|lost|denied|"
    r"forbidden|reject|evict(?:ed|s)|alert|going on|firing|down(?:time)?\b|outage)",
    re.I,
)
_SCALING = re.compile(r"\b(?:scal(?:e|ed|ing)|bring|brought) (?:it )?(?:up|down)\b", re.I)
_PLAN = re.compile(r"^\W*(?:please\s+)?(?:plan|prepare)\b|\bhow (?:would|should|can|do) (?:i|we)\b|\bwhat if\b", re.I)
_SAFE = re.compile(
    r"\b(?:safe|ok(?:ay)?|fine|dangerous|risky) (?:for \w+ )?to \w+|\bwhat (?:would )?happens? (?:if|when) (?:i|we)\b|"
    r"^\W*should (?:i|we) (?!look|worry|check|do\b|care|see)",
    re.I,
)
_ACTION = re.compile(
    r"^\W*(?:please\s+|can you\s+|could you\s+)?(?:scale|restart|roll ?back|delete|remove|drain|cordon|apply|patch|set|"
    r"evict|increase|decrease|raise|lower|deploy|upgrade)\b",
    re.I,
)
_OPEN = re.compile(r"^\W*(?:how many|which|what|where|who|when|list|show|is|are|does|do|has|have|describe)\b", re.I)
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Service", "Ingress")
_MORE = ("Pod", "Node", "Namespace", "PersistentVolumeClaim", "ConfigMap")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./-]*[A-Za-z0-9])?")
_WORDS = """
a all an and app application are at be cluster deployment do does error find fix for from has have in is it
its my no not of on or our pod pods please service the there this to up was we well what when which why with
work wrong working service's root cause problem default
"""
_COMMON = frozenset(_WORDS.split())
_MOST = 500


def kind_of(question: str) -> IntentKind:
    """From the words alone; what takes for granted that something is wrong is a diagnosis."""
    if _SAFE.search(question):
        return "PLAN"
    if _TROUBLE.search(_SCALING.sub("", question)) or not question.strip():
        return "DIAGNOSTIC"
    if _PLAN.search(question):
        return "PLAN"
    if _ACTION.search(question):
        return "ACTION"
    return "INFORMATIONAL" if _OPEN.search(question) or question.rstrip().endswith("?") else "DIAGNOSTIC"


async def understand(case: Case, calls: Calls) -> None:
    """Sets the intent, with the target where there is one and others that may have been meant."""
    state = case.state
    asked = state.asked
    kind = asked.get("intent") or kind_of(state.question)
    intent = Intent.model_validate({"kind": kind, "namespace": asked.get("namespace", "")})
    if asked.get("target"):
        found = await _named(case, calls, asked["target"], intent.namespace)
    else:
        found = await _meant(calls, state.question, intent.namespace, _cluster(case))
    if found:
        intent.target, intent.ambiguous = found[0], found[1:6]
    state.intent = intent
    case.note("intent", _told(intent))


def _cluster(case: Case) -> dict[str, str]:
    return {"cluster": case.state.asked["cluster"]} if case.state.asked.get("cluster") else {}


async def _named(case: Case, calls: Calls, target: str, namespace: str) -> list[Culprit]:
    kind, slash, name = target.rpartition("/")
    if not slash:
        found = await _meant(calls, target, namespace, _cluster(case))
        return found or [Culprit(kind="Pod", namespace=namespace, name=target)]
    answer = await calls.silent("list_resources", kind=kind, namespace=namespace, limit=_MOST, **_cluster(case))
    said = str(answer.data.get("kind") or kind)
    items = answer.data.get("items") or []
    found = [_object(said, item, namespace) for item in items if item.get("name") == name]
    return found or [Culprit(kind=said, namespace=namespace, name=name)]


async def _meant(calls: Calls, text: str, namespace: str, cluster: dict[str, str]) -> list[Culprit]:
    """The objects whose name, or a part of whose name, is a word of the text; the surest first."""
    words = {word.rstrip(".").lower() for word in _WORD.findall(text)}
    names = {word.rpartition("/")[2] for word in words} - _COMMON
    spaces = {word.partition("/")[0] for word in words if "/" in word}
    sure, maybe = list[Culprit](), list[Culprit]()
    if not names:
        return []
    for kinds in (KINDS, _MORE):
        for kind in kinds:
            answer = await calls.silent("list_resources", kind=kind, namespace=namespace, limit=_MOST, **cluster)
            for item in answer.data.get("items") or []:
                one = _object(kind, item, namespace)
                if one.name.lower() in names and (not spaces or one.namespace.lower() in spaces):
                    sure.append(one)
                elif kinds is KINDS and names & {part for part in re.split(r"[-.]", one.name.lower()) if len(part) > 2}:
                    maybe.append(one)
        if sure or maybe:
            break
    return _first_of_each(sure or maybe)


def _first_of_each(found: Iterable[Culprit]) -> list[Culprit]:
    """A Service that is called like a workload is the same matter, not another one."""
    return list({(item.namespace, item.name): item for item in reversed(list(found))}.values())[::-1]


def _object(kind: str, item: dict[str, object], namespace: str) -> Culprit:
    return Culprit(kind=kind, namespace=str(item.get("namespace") or namespace), name=str(item.get("name")))


def _told(intent: Intent) -> str:
    of = f" about {intent.target}" if intent.target else " about the whole cluster"
    others = ", ".join(map(str, intent.ambiguous))
    return f"{intent.kind}{of}{f'; others may have been meant: {others}' if others else ''}"
