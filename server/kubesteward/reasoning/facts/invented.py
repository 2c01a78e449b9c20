"""Names that nothing has: what looks like a name, or nearly like one that there is, and stands where one belongs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubesteward.reasoning.facts.kinds import NODE_LIKE

_FAR = 80
"""Letters before a name that tell what it is of."""
_LEAST = 7
"""Letters of a name below which another word may well be meant."""
_ENGLISH = """
    of memory looping old new related level wide based only specific off on up down to re non pre multi single two three
    half well long short high low so per in out cluster ready known side like owned facing bound internal free own local
    killed kill back pull start end time first last by loop shot term scale scaled roll rollout error fault safe aware
    side flight quality grade style type size sized sum max min front full over under self auto available unavailable
    pod pods container containers image images node nodes limit limits replica replicas set side
    heavy hungry driven defined managed named called missing failing broken crashing bad good healthy unhealthy running
"""
_COMMON = frozenset(_ENGLISH.split())
_LOCAL = re.compile(
    r"\b(?:containers?|keys?|labels?|annotations?|volumes?|ports?|users?|tags?|fields?|flags?|options?|"
    r"variables?|metrics?|"
    r"headers?|hosts?|paths?|log\w*|commands?|e\.g\.|such as|like|create\w*|add\w*|call(?:ed)? it)\W{1,3}"
    r"(?:\w+\W){0,2}$",
    re.I,
)
_LOCAL_BEHIND = re.compile(
    r"['\"`]?\s+(?:containers?|keys?|labels?|annotations?|volumes?|ports?|users?|tags?|fields?|flags?|"
    r"options?|variables?|"
    r"metrics?|headers?|paths?|warnings?|errors?|lines?|limits?|requests?|images?|logs?|release|version)"
    r"\b|['\"`]?\s*[:=]",
    re.I,
)
_AN_APP = re.compile(
    r"\b(?:workload|application|app|component|microservice|culprit|cause|to blame|responsible|deployment)\s+"
    r"(?:that \w+(?:'t)?(?: \w+)? )?(?:is |was |named |called )?(?:the )?['\"`]?$",
    re.I,
)


def is_compound(name: str) -> bool:
    """Whether it is rather English with a dash: one of its parts is a common word."""
    return not _COMMON.isdisjoint(name.split("-"))


def is_lost(match: re.Match[str], kind: str, known: Iterable[str]) -> str:
    """The kind that it is meant to be of, "?" for one that is not told, "" where it is no name."""
    name, before = match[0], match.string[max(0, match.start() - _FAR) : match.start()]
    if NODE_LIKE.fullmatch(name) and "-" in name:
        return "Node"
    if _LOCAL.search(before) or _LOCAL_BEHIND.match(match.string, match.end()):
        return ""
    if any(_is_slip(name, other) for other in known):
        return "?"
    code = before.endswith("`") and match.string[match.end() :].startswith("`")
    if "-" not in name or (is_compound(name) and not code) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return ""
    if any(name.startswith(f"{other}-") for other in known) or _AN_APP.search(before):
        return "?"
    return kind if kind != "Pod" else ""


def _is_slip(name: str, other: str) -> bool:
    """Whether a letter of the other is left out, doubled, or changed for its neighbour."""
    if len(other) < _LEAST or name == other or not name.isalpha() or abs(len(name) - len(other)) > 1:
        return False
    inner = range(1, len(other) - 1)
    if len(name) < len(other):
        return any(other[:at] + other[at + 1 :] == name for at in inner)
    if len(name) > len(other):
        return any(other[:at] + other[at] + other[at:] == name for at in inner)
    return any(other[:at] + other[at + 1] + other[at] + other[at + 2 :] == name for at in inner)


_WORD = r"['\"`]?([a-z][a-z0-9-]*)['\"`]?"
_IN_SPACE = re.compile(
    rf"\b(?:in|of|from)\s+(?:the\s+)?namespace\s+{_WORD}(?=\s*[.,;:)]|\s*$)|\bnamespace\s+{_WORD}\s+(?:is|has|was)\b|"
    rf"\bin\s+the\s+{_WORD}\s+namespace\b",
    re.I,
)
_OF_SPACES = """
    same affected wrong right other entire whole target current given own correct new old this that any different
    quota limit limits scope isolation deletion level itself alone only there here it first second another
    single incident customer cluster monitored specified named said relevant respective corresponding
"""
_NO_SPACE = frozenset(_OF_SPACES.split())


def spaces(sentence: str) -> list[tuple[int, int, str]]:
    """Where words stand that can only be names of namespaces."""
    found = list[tuple[int, int, str]]()
    for match in _IN_SPACE.finditer(sentence):
        at = next(number for number in (1, 2, 3) if match[number])
        if match[at].lower() not in _NO_SPACE:
            found.append((*match.span(at), match[at]))
    return found
