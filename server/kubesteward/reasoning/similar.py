"""Similar past incidents, for the context of a new one: what the same principal was answered before, with the same
rights: who may see less than before is told nothing of before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubesteward.reasoning.loop.case import stamp
from kubesteward.reasoning.loop.state import Investigation

_RIGHTS = frozenset({"who.user", "who.groups", "who.tiers"})


def rights(asked: Mapping[str, str]) -> tuple[str, ...]:
    """With whose rights something was asked."""
    return tuple(sorted(f"{name}={text}" for name, text in asked.items() if name in _RIGHTS))


def similar(bodies: Iterable[Mapping[str, Any]], state: Investigation) -> list[Mapping[str, Any]]:
    """Of kept investigations, the newest first: those about the same object, then those about its namespace."""
    near, far = list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    for body in bodies:
        draft = body.get("draft") or {}
        if rights(body["asked"]) != rights(state.asked):
            continue
        if body["id"] == state.id or body["status"] != "done" or draft.get("status") != "ANSWERED":
            continue
        about = [item for item in (body["intent"].get("target"), draft.get("culprit")) if item]
        if (nearness := _nearness(state, about)) is not None:
            (near if nearness else far).append(_brief(body, draft))
    return [*near, *far]


def _nearness(state: Investigation, about: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether it was about the same object; None where not even about the same namespace."""
    target = state.intent.target
    if target is not None and any(item["name"] == target.name for item in about):
        return True
    space = target.namespace if target else state.intent.namespace
    return False if space and any(item.get("namespace") == space for item in about) else None


def _brief(body: Mapping[str, Any], draft: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: draft[name] for name in ("category", "culprit", "since")}
    advice = (draft.get("recommendation") or {}).get("text", "")
    asked = {"id": body["id"], "at": stamp(body["created"]), "question": body["question"][:200]}
    return {**asked, **kept, "answer": draft["answer"][:300], "recommended": advice[:200]}
