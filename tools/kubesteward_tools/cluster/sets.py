"""Which clusters a question is for: names, patterns such as `prod-*`, `*` for all, sets of the operator as `@prod`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from kubesteward_tools.errors import InvalidArguments, UnknownCluster

Sets = Mapping[str, tuple[str, ...]]
"""Names and patterns by the name of their set."""

MOST = 50
"""Clusters that are asked at a time."""
MARK = "@"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_GLOB = re.compile(r"[*?\[]")
_VARIABLE = "KUBESTEWARD_CLUSTER_SETS"
_TODO = "Write prod=a,b;stage=c-* with names of contexts or patterns."


def parse(text: str) -> Sets:
    """The sets of `prod=a,b;stage=c-*`. Names that hold a comma, semicolon or equals sign go in by a pattern with "?".

    Raises:
        InvalidArguments: a part is no set, or a set is there twice or in another one.
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, _, listed = part.partition("=")
        name, members = name.strip(), tuple(filter(None, map(str.strip, listed.split(","))))
        if not _NAME.fullmatch(name) or not members:
            raise InvalidArguments(f"{_VARIABLE}: {part[:60]!r} is no set.", todo=_TODO)
        if name in found:
            raise InvalidArguments(f"{_VARIABLE} names the set {name!r} twice.", todo=_TODO)
        if any(member.startswith(MARK) for member in members):
            raise InvalidArguments(f"{_VARIABLE}: the set {name!r} holds another set.", todo=_TODO)
        found[name] = members
    return found


def choose(words: Sequence[str], names: Collection[str], sets: Sets) -> list[str]:
    """The clusters that are meant, each once, in the order of the words. A plain name need not be there: whoever asks
    it is told, and the others answer all the same.

    Raises:
        UnknownCluster: there is no such set, or no cluster fits a pattern.
        InvalidArguments: more than `MOST` clusters are meant.
    """
    chosen = list(dict.fromkeys(name for word in words for name in _meant(word.strip(), names, sets)))
    if len(chosen) > MOST:
        why = f"{len(chosen)} clusters are meant, and at most {MOST} are asked at a time."
        raise InvalidArguments(why, todo="Narrow the pattern, or ask in parts.")
    return chosen


def is_several(word: str) -> bool:
    """Whether it is written as a pattern or a set."""
    return word.startswith(MARK) or bool(_GLOB.search(word))


def _meant(word: str, names: Collection[str], sets: Sets) -> Iterable[str]:
    if word in names or not is_several(word):
        return [word]
    if word.startswith(MARK):
        return [name for member in _set(word[1:], sets) for name in _fitting(member, names, f" of the set {word!r}")]
    return _fitting(word, names)


def _set(name: str, sets: Sets) -> tuple[str, ...]:
    if name not in sets:
        there = ", ".join(f"{MARK}{known}" for known in sorted(sets)[:10])
        todo = f"There are: {there}." if there else f"None is set up; {_VARIABLE} names them."
        raise UnknownCluster(f"there is no set of clusters {name[:60]!r}.", todo=todo)
    return sets[name]


def _fitting(pattern: str, names: Collection[str], where: str = "") -> list[str]:
    if pattern in names or not _GLOB.search(pattern):
        return [pattern]
    found = sorted(name for name in names if fnmatchcase(name, pattern))
    if not found and pattern != "*":
        there = ", ".join(sorted(names)[:10])
        raise UnknownCluster(f"no cluster fits the pattern {pattern[:60]!r}{where}.", todo=f"There are: {there}.")
    return found
