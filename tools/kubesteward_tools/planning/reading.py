"""Reads plain sentences about changes: a small grammar without guesses, which says what it did not understand.

What it takes: clauses divided by "then", "and", commas and full stops; each begins with a verb, or names only another
object for the verb before it. "it" is the object before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.errors import InvalidArguments

_NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_OBJECT = rf"(?:the\s+)?(?:(?P<kind>[A-Za-z]+)(?:\s+|/))?(?P<name>{_NAME}|it|them)"
_VERBS = "scale|restart|set|change|update|delete|remove|evict|cordon|uncordon|drain"
_SPACE = re.compile(rf"\s+in\s+(?:the\s+)?(?:namespace\s+)?(?P<space>{_NAME})(?:\s+namespace)?(?=\s|$)")
_DIVIDED = re.compile(
    rf"\s*[;\n]\s*|\.(?:\s+|$)|,?\s+(?:and\s+)?then\s+|,\s*(?:and\s+)?(?=(?:{_VERBS})\s)|\s+and\s+(?=(?:{_VERBS})\s)",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_SCALE = re.compile(rf"scale\s+{_OBJECT}\s+to\s+(?P<replicas>\d+)(?:\s+(?:replicas?|pods?))?", re.IGNORECASE)
_IMAGE = re.compile(
    rf"(?:set|change|update)\s+(?:the\s+)?image\s+of\s+{_OBJECT}(?:\s+container\s+(?P<container>{_NAME}))?"
    r"\s+to\s+(?P<image>\S+)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?P<verb>restart|delete|remove|evict|cordon|uncordon|drain)\s+(?P<objects>.+)", re.IGNORECASE)
_ONE = re.compile(_OBJECT)
_KINDS = {"scale": "Deployment", "set_image": "Deployment", "restart": "Deployment", "evict": "Pod"}
_OF_NODES = frozenset({"cordon", "uncordon", "drain"})
_AGAIN = frozenset({"it", "them"})
EXAMPLES = (
    'Say it as: "scale deployment web in shop to 5", "restart statefulset db in shop", "set the image of web in shop to'
    ' IMAGE", "delete configmap old in shop", "evict pod x in shop", "cordon|uncordon|drain node a"; or give steps.'
)


@dataclass(frozen=True, slots=True)
class _Object:
    kind: str
    name: str
    space: str


def read(intent: str) -> list[dict[str, Any]]:
    """What is meant, as proposals of `simulate_impact`, in their order.

    Raises:
        InvalidArguments: a clause is not understood; says which.
    """
    found: list[dict[str, Any]] = []
    last: _Object | None = None
    verb = ""
    for clause in filter(None, (part.strip(" .,") for part in _DIVIDED.split(intent))):
        for proposal in _clause(clause, verb, last):
            found.append(proposal)
            last = _Object(proposal["kind"], proposal["name"], proposal["namespace"])
            verb = proposal["action"]
    if not found:
        raise InvalidArguments("the intent names no change.", todo=EXAMPLES)
    return found


def told(proposal: dict[str, Any]) -> str:
    """How a proposal was understood."""
    where = f" in {proposal['namespace']}" if proposal.get("namespace") else ""
    params = proposal.get("params") or {}
    to = f" to {params.get('replicas', params.get('image', ''))}" if params.keys() & {"replicas", "image"} else ""
    return f"{proposal['action']} {proposal.get('kind') or ''} {proposal.get('name') or ''}{where}{to}".replace(
        "  ", " "
    )


def _clause(clause: str, before: str, last: _Object | None) -> Iterator[dict[str, Any]]:
    space = _SPACE.search(clause)
    bare = clause if space is None else clause[: space.start()] + clause[space.end() :]
    where = space["space"] if space else ""
    if match := _SCALE.fullmatch(bare):
        yield _proposal("scale", _meant(match, "scale", where, last, clause), replicas=int(match["replicas"]))
    elif match := _IMAGE.fullmatch(bare):
        params = {"image": match["image"], **({"container": match["container"]} if match["container"] else {})}
        yield _proposal("set_image", _meant(match, "set_image", where, last, clause), **params)
    elif match := _PLAIN.fullmatch(bare):
        verb = match["verb"].lower().replace("remove", "delete")
        yield from _listed(verb, match["objects"], where, last, clause)
    elif before and before not in {"scale", "set_image"} and _ONE.fullmatch(bare):
        yield from _listed(before, bare, where, last, clause, last.kind if last else "")
    else:
        raise _not_understood(clause)


def _listed(  # noqa: PLR0917 - names, and all that may say what they are the names of
    verb: str, objects: str, where: str, last: _Object | None, clause: str, kind: str = ""
) -> Iterator[dict[str, Any]]:
    """One proposal for each of several names; the kind of the first is that of all."""
    for word in _LISTED.split(objects.strip()):
        match = _ONE.fullmatch(word)
        if match is None:
            raise _not_understood(clause)
        found = _meant(match, verb, where, last, clause, kind)
        kind = found.kind
        yield _proposal(verb, found)


def _meant(  # noqa: PLR0917 - a name, and all that may say what it is the name of
    match: re.Match[str], verb: str, where: str, last: _Object | None, clause: str, kind: str = ""
) -> _Object:
    if match["name"] in _AGAIN and not match["kind"]:
        if last is None:
            raise InvalidArguments(f"it is not said what {match['name']!r} is in {clause[:80]!r}.", todo=EXAMPLES)
        return last
    usual = "Node" if verb in _OF_NODES else _KINDS.get(verb, "")
    chosen = match["kind"] or kind or usual
    if not chosen:
        raise InvalidArguments(f"{clause[:80]!r} names no kind.", todo=f"Say {verb} KIND {match['name']}.")
    return _Object(
        chosen.lower().removesuffix("s") if chosen.lower() in {"nodes", "pods"} else chosen, match["name"], where
    )


def _proposal(action: str, found: _Object, **params: Any) -> dict[str, Any]:
    named = {"action": action, "kind": found.kind, "name": found.name, "namespace": found.space}
    return {**named, "params": params} if params else named


def _not_understood(clause: str) -> InvalidArguments:
    return InvalidArguments(f"{clause[:80]!r} is not understood.", todo=EXAMPLES)
