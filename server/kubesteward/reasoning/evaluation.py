"""Many saved cases as investigations, and how well the brain did: so that anybody with a key can compare brains."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubesteward.reasoning.loop.state import Budget
from kubesteward.reasoning.running import Asked

if TYPE_CHECKING:
    from kubesteward.app import App

SHOWN = 1200
"""Characters of a diagnosis that count, so that nobody passes by telling everything."""
_SHORT = {
    "deploy": "deployment", "svc": "service", "sts": "statefulset", "ds": "daemonset", "po": "pod", "rs": "replicaset",
    "cm": "configmap", "pvc": "persistentvolumeclaim", "pv": "persistentvolume", "netpol": "networkpolicy",
    "pdb": "poddisruptionbudget", "hpa": "horizontalpodautoscaler", "ing": "ingress", "sa": "serviceaccount",
    "ns": "namespace", "no": "node", "quota": "resourcequota",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One folder: a saved cluster, what is asked about it, and what is right, where that is told."""

    name: str
    folder: Path
    question: str
    expected: Mapping[str, Any] | None


def cases(folder: Path) -> list[Case]:
    """In the order of their names. Raises ValueError where there is none."""
    found = sorted(path.parent for path in folder.glob("*/cluster.json")) if folder.is_dir() else []
    if not found:
        raise ValueError(f"no case is in {folder}: give a folder of folders with a cluster.json each.")
    return [_case(path) for path in found]


def _case(folder: Path) -> Case:
    """What answers are compared with stays here: whoever investigates is told the question and nothing else."""
    prompt, solution = folder / "prompt.txt", folder / "expected.json"
    told = json.loads(solution.read_text("utf-8")) if solution.exists() else {}
    question = prompt.read_text("utf-8", "replace") if prompt.exists() else str(told.get("prompt") or "")
    return Case(folder.name, folder, question.strip(), told.get("expected"))


async def judged(app: App, case: Case, brain: str, budget: Budget) -> dict[str, Any]:
    """One case as an investigation: the answer's line, with `passed` (None where nobody told what is right). What
    another brain had to answer, because this one could not, is not passed.

    Raises:
        BrainMisconfigured: there is no such brain, or it cannot be made.
    """
    if brain:
        app.brains.named(brain)
    who = {"channel": "stdio"}
    asked = Asked(
        case.question,
        app.settings.principal,
        "eval",
        brain=brain,
        role="solver",
        intent="DIAGNOSTIC",
        who=who,
        budget=budget,
    )
    name = app.investigator.begin(asked)
    await app.investigator.wait(name)
    record = app.investigator.record(name)
    line = answer_of(case.name, record)
    own = record["brain"]["status"] == "online"
    passed = None if case.expected is None else own and right(case.expected, line, owners(case.folder / "cluster.json"))
    return {**line, "passed": passed, "record": record}


def answer_of(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """As `diagnose --bundles --jsonl` prints one."""
    cause = record.get("root_cause") or {}
    status = record.get("status", "INCONCLUSIVE")
    silent = "Healthy" if status == "HEALTHY" else "Inconclusive"
    culprit = cause.get("culprit")
    return {
        "id": name,
        "category": cause.get("category") or silent,
        "culprit": {key: culprit[key] for key in ("kind", "name", "namespace")} if culprit else None,
        "diagnosis": str(record.get("answer") or record.get("reason", ""))[:SHOWN],
        "confidence": record.get("confidence", 0.0),
    }


def owners(cluster: Path) -> Mapping[tuple[str, str], set[tuple[str, str]]]:
    """Of each object, by kind and name in small letters, those that it belongs to."""
    body = json.loads(cluster.read_text("utf-8", "replace"))
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for obj in body if isinstance(body, list) else body.get("items", []):
        meta = obj.get("metadata") or {}
        above = {(str(one["kind"]).lower(), str(one["name"]).lower()) for one in meta.get("ownerReferences") or []}
        found.setdefault((str(obj.get("kind", "")).lower(), str(meta.get("name", "")).lower()), set()).update(above)
    return found


def right(
    expected: Mapping[str, Any], line: Mapping[str, Any], owned: Mapping[tuple[str, str], set[tuple[str, str]]]
) -> bool:
    """Category, culprit (or what belongs to it) and every key phrase."""
    categories = {str(item).lower() for item in (expected["category"], *expected.get("also_category", []))}
    if str(line["category"]).lower() not in categories:
        return False
    wanted = {_key(item) for item in (expected.get("culprit"), *(expected.get("also_accept") or [])) if item}
    culprit = line["culprit"]
    if not wanted:
        return not culprit and _phrases(expected, line)
    return bool(culprit) and bool(_above(_key(culprit), owned) & wanted) and _phrases(expected, line)


def _key(one: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(one.get("kind", "")).lower().strip()
    return _SHORT.get(kind, kind), str(one.get("name", "")).lower().strip()


def _above(key: tuple[str, str], owned: Mapping[tuple[str, str], set[tuple[str, str]]]) -> set[tuple[str, str]]:
    found, fresh = {key}, {key}
    while fresh:
        fresh = {above for one in fresh for above in owned.get(one, ())} - found
        found |= fresh
    return found


def _phrases(expected: Mapping[str, Any], line: Mapping[str, Any]) -> bool:
    raw = str(line["diagnosis"])[:SHOWN].lower()
    text = f"{raw}\n" + re.sub(r"[\s`'\"*_]+", " ", raw)
    return all(
        any(re.search(item[3:], text) if item.startswith("re:") else item.lower() in text for item in alternatives)
        for alternatives in expected.get("key_phrases", [])
    )


def summary(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over all cases: passed, tokens, dollars, seconds, calls, claims that were false."""
    used = [line["record"]["usage"] for line in lines]
    told = [line for line in lines if line["passed"] is not None]
    seconds = sorted(one["seconds"] for one in used)
    checked, false = (sum(one[name] for one in used) for name in ("claims_checked", "claims_false"))
    unpriced = any(one["usd"] is None for one in used)
    return {
        "cases": len(lines),
        "passed": sum(bool(line["passed"]) for line in told),
        "pass_rate": round(sum(bool(line["passed"]) for line in told) / len(told), 4) if told else None,
        "tokens": sum(one.get(name, 0) for one in used for name in ("input", "output", "cache_read", "cache_write")),
        "usd": None if unpriced else round(sum(one["usd"] for one in used), 4),
        "seconds_median": seconds[len(seconds) // 2] if seconds else 0.0,
        "seconds_slowest": seconds[-1] if seconds else 0.0,
        "tool_calls": sum(one["tool_calls"] for one in used),
        "claims_checked": checked,
        "claims_false": false,
        "claims_disputed": sum(one["claims_disputed"] for one in used),
        "sentences_unchecked": sum(one["sentences_unchecked"] for one in used),
        "hallucination_rate": round(false / checked, 4) if checked else 0.0,
        "failed": [line["id"] for line in told if not line["passed"]],
        "answered_by_another": [line["id"] for line in lines if line["record"]["brain"]["status"] != "online"],
    }


async def all_of(folder: Path, brain: str, budget: Budget, app_for: Any) -> AsyncIterator[dict[str, Any]]:
    """Case by case. `app_for` makes an App over a case's folder."""
    for case in cases(folder):
        app = app_for(case.folder)
        try:
            yield await judged(app, case, brain, budget)
        finally:
            await app.close()
