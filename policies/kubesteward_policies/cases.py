"""Cases for rules: a change with its surroundings in a file, and which rule has to speak. `allow.NAME.yaml` says that
nothing denies it, `deny.NAME.yaml` that `rule` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward_policies.cel import Compile
from kubesteward_policies.judge import Ruling, judge
from kubesteward_policies.rules import Effect, RuleSet

_KEYS = frozenset({"rule", "effect", "context"})
_USUAL: dict[str, Any] = {
    "change": {"tool": "patch_resource", "tier": 4, "calls": 1},
    "call": {
        "verb": "patch",
        "group": "apps",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "subresource": "",
        "body": None,
    },
    "object": None,
    "oldObject": None,
    "namespaceObject": None,
    "rehearsal": {
        "verdict": "safe",
        "pods": 0,
        "podsStarted": 0,
        "podsStopped": 0,
        "pending": 0,
        "shareOfNamespace": 0.0,
        "shareOfCluster": 0.0,
        "findings": [],
        "availability": [],
        "assumptions": 0,
    },
    "request": {"user": "local:alice", "client": "", "channel": "stdio", "dryRun": False, "justification": ""},
    "cluster": {"name": "lab"},
    "now": "2026-11-18T10:00:00Z",
    "autonomy": 2,
}
"""What a case need not say: a Wednesday morning, and a patch of a Deployment that is rehearsed as safe."""


class CaseInvalid(ValueError):
    """The file is no case; the text says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a case. `problem` is "" where it went as it should."""

    problem: str
    rulings: tuple[Ruling, ...]


def play(name: str, text: str, rules: RuleSet, compiled: Compile) -> Trial:
    """`name` is the file's, which says what is expected.

    Raises:
        CaseInvalid: neither `allow.` nor `deny.`, no mapping, or a key that nobody reads.
    """
    case = _case(name, text)
    situation = situated(case.get("context") or {})
    rulings = judge(rules.rules, [situation], compiled)
    return Trial(_problem(name.startswith("deny."), case, rulings), rulings)


def situated(given: Mapping[str, Any]) -> dict[str, Any]:
    """The usual surroundings, with what a case says otherwise.

    Raises:
        CaseInvalid: a variable, or a part of one of ours, that there is not.
    """
    found = dict(_USUAL)
    for key, value in given.items():
        if key not in _USUAL:
            raise CaseInvalid(f"context has no {key!r}; there are {', '.join(_USUAL)}")
        usual = _USUAL[key]
        if isinstance(usual, dict):
            if not isinstance(value, Mapping) or not usual.keys() >= value.keys():
                raise CaseInvalid(f"context.{key} is a mapping of {', '.join(usual)}")
            value = {**usual, **value}  # noqa: PLW2901 - the same value, completed
        found[key] = value
    return found


def _case(name: str, text: str) -> dict[str, Any]:
    import yaml

    if not name.startswith(("allow.", "deny.")):
        raise CaseInvalid("the name of a case begins with allow. or deny.")
    try:
        case = yaml.load(text, Loader=_texts_for_moments())  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        raise CaseInvalid(f"no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(case, dict) or not case.keys() <= _KEYS:
        raise CaseInvalid(f"a case is a mapping of {', '.join(sorted(_KEYS))}")
    if name.startswith("deny.") and not isinstance(case.get("rule"), str):
        raise CaseInvalid("`rule` is missing: which one denies it?")
    if not isinstance(case.get("context") or {}, dict):
        raise CaseInvalid("context is a mapping")
    return case


def _texts_for_moments() -> Any:
    """A moment without quotes stays the text that the API and the gate would give."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))
    return Loader


def _problem(denied: bool, case: Mapping[str, Any], rulings: tuple[Ruling, ...]) -> str:
    broken = [item for item in rulings if item.broken]
    if broken:
        return f"{broken[0].rule}: {broken[0].message}"
    stopping = [item for item in rulings if item.effect in {Effect.DENY, Effect.REQUIRE_TWO}]
    if not denied and stopping:
        return f"{stopping[-1].rule} denies it: {stopping[-1].message}"
    wanted, effect = case.get("rule"), case.get("effect", "deny" if denied else None)
    if wanted is None:
        return ""
    found = next((item for item in rulings if item.rule == wanted), None)
    if found is None:
        others = ", ".join(item.rule for item in rulings)
        return f"{wanted} says nothing" + (f"; {others} did" if others else "")
    if effect is not None and found.effect != effect:
        return f"{wanted} says {found.effect.value} and not {effect}"
    return ""
