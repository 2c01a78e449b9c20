"""Which objects a sentence speaks of, and where in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubesteward.reasoning.facts.invented import is_lost, spaces
from kubesteward.reasoning.facts.kinds import (
    BEHIND,
    CLUSTER_WIDE,
    HASHED,
    PLACED,
    REFERENCE,
    WORKLOADS,
    kind_of,
)
from kubesteward.reasoning.loop.state import Culprit

_PREFERRED = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Service")
_BARE = re.compile(r"(?<![\w./:@=-])[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?![\w/@=]|:(?!\s)|-\w)")
_WORDS = """
is are was were be has have had of in on to with for from and or that which this the a an it its not no by at
as limit status ready state states name names selector selectors port ports account accounts itself cannot can
will would should does do did than then but so if when while because after before since until still only again
one two three four five six seven eight nine ten also never always controller template specification events
event logs log image images pods restarts crashes fails failed needs runs selects routes mounts could may
might must needed affected behind under over through into onto per there they their them he she we you i up
down out off
"""
_NO_NAME = frozenset(_WORDS.split())
_PART = r"(?:containers?|keys?|labels?|annotations?|volumes?|ports?|users?|tags?|fields?|flags?|options?|variables?)"
_PART_BEFORE = re.compile(rf"\b{_PART}\s+(?:named\s+|called\s+)?`$", re.I)
_PART_BEHIND = re.compile(rf"`\s+{_PART}\b", re.I)


_BEHIND = re.compile(
    r"['\"`]?\s+(?:(?:lives|resides|sits|runs|is)\s+)?in\s+(?:the\s+)?(?:namespace\s+['\"`]?([a-z0-9][a-z0-9-]*)|['\"`]?([a-z0-9][a-z0-9-]*)['\"`]?\s+namespace\b)"
)
"""The namespace of an object, behind its name."""


@dataclass(frozen=True)
class Mention:
    """`known`: there is such an object. `sure`: it is plainly meant as the name of one."""

    at: int
    end: int
    subject: Culprit
    known: bool
    sure: bool


class Index:
    """The objects that a text may speak of."""

    def __init__(self, objects: Iterable[Culprit]) -> None:
        self.objects = tuple(objects)
        self._named: dict[str, list[Culprit]] = {}
        for one in self.objects:
            self._named.setdefault(one.name, []).append(one)

    @property
    def workloads(self) -> set[str]:
        return {one.name for one in self.objects if one.kind in _PREFERRED[:5]}

    @property
    def spaces(self) -> set[str]:
        return self.namespaces | {one.name for one in self.objects if one.kind == "Namespace"}

    @property
    def namespaces(self) -> set[str]:
        return {one.namespace for one in self.objects if one.namespace}

    def find(self, name: str, kind: str = "", namespace: str = "") -> Culprit | None:
        """The likeliest of that name: workloads before what stands for them."""
        found = [
            one
            for one in self._named.get(name, ())
            if kind in {"", one.kind} and (not namespace or one.namespace in {namespace, ""})
        ]
        found.sort(key=lambda one: _PREFERRED.index(one.kind) if one.kind in _PREFERRED else len(_PREFERRED))
        return found[0] if found else None


def mentions(sentence: str, index: Index, near: str = "") -> list[Mention]:
    """In their order, none inside another. `near` is the namespace that the text is about."""
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    for match in REFERENCE.finditer(sentence):
        referred = _referred(match, index, near)
        if referred is not None:
            found.append(referred)
            taken.append((referred.at, referred.end))
    for match in PLACED.finditer(sentence):
        one = index.find(match["name"], namespace=match["space"])
        if one is not None and not _inside(match.start(), taken):
            found.append(Mention(match.start(), match.end(), one, known=True, sure=True))
            taken.append(match.span())
        elif match["space"] in index.namespaces and not _inside(match.start(), taken):
            lost = Culprit(kind="", namespace=match["space"], name=match["name"])
            found.append(Mention(match.start(), match.end(), lost, known=False, sure=True))
            taken.append(match.span())
        elif (whole := index.find(match["space"])) is not None and not _inside(match.start(), taken):
            found.append(Mention(match.start(), match.end(), whole, known=True, sure=False))  # a pod and its container
            taken.append(match.span())
    for at, end, name in spaces(sentence):
        if name not in index.spaces and not _inside(at, taken):
            found.append(Mention(at, end, Culprit(kind="Namespace", name=name), known=False, sure=True))
            taken.append((at, end))
    rest = (_bare(match, index, near) for match in _BARE.finditer(sentence) if not _inside(match.start(), taken))
    found += filter(None, rest)
    return sorted(found, key=lambda item: item.at)


_OPTION = re.compile(r"(?:\s|^)(?:-n|--namespace|-c|--container|-l|--context)[ =]['\"`]?$")


def _bare(match: re.Match[str], index: Index, near: str) -> Mention | None:
    """A name by itself, or with its kind behind it; not what follows an option of a command line."""
    if _OPTION.search(match.string[max(0, match.start() - 20) : match.start()]):
        return None
    behind = BEHIND.match(match.string, match.end())
    kind = kind_of(behind["kind"]) if behind else ""
    one = index.find(match[0], kind if kind not in {"Service", "Pod"} else "") or index.find(match[0])
    if one is not None:
        named = "-" in match[0] or not _is_word(match, match.string)
        return Mention(match.start(), match.end(), one, known=True, sure=False) if named else None
    lost = _lost(match, kind, index, near)
    return Mention(match.start(), match.end(), lost, known=False, sure=True) if lost else None


def _lost(match: re.Match[str], kind: str, index: Index, near: str) -> Culprit | None:
    """What is plainly named and is not there: with its kind behind it in code, or as only pods are named."""
    code = match.string[: match.start()].endswith("`") and match.string[match.end() :].startswith("`")
    if code and kind and kind != "Pod" and match[0] not in _NO_NAME:
        return Culprit(kind=kind, namespace="" if kind in CLUSTER_WIDE else near, name=match[0])
    hashed = HASHED.fullmatch(match[0])
    if hashed and near and index.find(hashed["set"], "ReplicaSet") is None:
        return Culprit(kind="Pod", namespace=near, name=match[0])
    meant = is_lost(match, kind, index.workloads) if match[0] not in _NO_NAME else ""
    if not meant or (meant not in CLUSTER_WIDE and not near):
        return None
    return Culprit(kind=meant.strip("?"), namespace="" if meant in CLUSTER_WIDE else near, name=match[0])


def _is_word(match: re.Match[str], sentence: str) -> bool:
    """Whether a short name stands where it is rather something else's: in quotes or as a container's."""
    before, behind = sentence[: match.start()], sentence[match.end() :]
    if before.endswith("`") and behind.startswith("`"):
        return bool(_PART_BEFORE.search(before) or _PART_BEHIND.match(behind))
    return bool(re.search(r"container[s]?[\s\['\"`]*$|['\"`\[]$", before, re.I))


def _referred(match: re.Match[str], index: Index, near: str) -> Mention | None:
    kind, name, space = kind_of(match["kind"]), match["name"].lower(), match["space"] or ""
    behind = _BEHIND.match(match.string, match.end())
    space = space or (next(filter(None, behind.groups())) if behind else "")
    one = index.find(name, kind, space)
    if one is not None:
        return Mention(match.start(), match.end(), one, known=True, sure=True)
    quoted = bool(match["quote"])
    if name in _NO_NAME and not quoted and match["gap"] != "/":
        return None
    plain = match["gap"] != "/" and not quoted and not space
    if plain and (name in _NO_NAME or not (_like_a_name(name) or _is_longer(name, index.workloads))):
        return None
    if space and not quoted and (kind in CLUSTER_WIDE or not (space in index.namespaces or index.find(name))):
        return None  # words with a stroke between them, as in affinity/selector
    lost = Culprit(kind=kind, namespace=space or ("" if kind in CLUSTER_WIDE else near), name=name)
    return Mention(match.start(), match.end(), lost, known=False, sure=True)


def _like_a_name(name: str) -> bool:
    """No English word: with a digit, or with a dash between parts."""
    return (any(mark.isdigit() for mark in name) and not name.isdigit()) or "-" in name


def _is_longer(name: str, known: Iterable[str]) -> bool:
    """Whether something is written right behind the name of what there is, as in webserver for web."""
    return any(name.startswith(one) and len(name) > len(one) + 3 for one in known if len(one) > 3)


def _inside(at: int, taken: Sequence[tuple[int, int]]) -> bool:
    return any(begin <= at < end for begin, end in taken)


def sentences(text: str) -> list[str]:
    """As claims are read: also a line, or what stands between bars, is one; the row of a table is one whole."""
    parts = list[str]()
    for line in text.split("\n"):
        row = line.lstrip().startswith("|")
        parts += [line] if row else re.split(r"(?<=[.!?])\s+(?=[A-Z\"'`(*])|\s\|\s|;\s", line)
    return [part.strip() for part in parts if part.strip()]


def has_pods(one: Culprit) -> bool:
    return one.kind in WORKLOADS or one.kind == "Service"
