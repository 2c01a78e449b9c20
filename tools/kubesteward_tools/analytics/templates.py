"""Records that differ only in numbers, ids and a word here and there are one template: the shape of a long log.

Drain's idea (He et al., ICWS 2017) over masked words: first whole lines that are alike but for what varies by nature,
then, among templates of as many words, those that share most of them. Time is linear in the log: a template is compared
with a bounded number of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import eq

from kubesteward_tools.analytics.records import RAISED, Level, Record

MASK = "<*>"
_LONGEST = 600
_WIDEST = 300
"""Characters of a line, and of a word, that are told apart."""

_LISTED = 3
_COMPARED = 8
_ALIKE = {Level.DEBUG: 0.6, Level.INFO: 0.6}
_STRICT = 0.85
"""Errors are joined only when nearly all words are the same: `connection refused` is not `connection reset`."""

_VARIABLE = re.compile(
    r"(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"  # UUID
    r"|\"(?![a-z]+\")[^\"]+\"|'(?![a-z]+')[^']+'"  # quoted and no plain word
    r"|(?<![\w.<])/[^\"'()\[\]{},;<>|]+"  # paths, of URLs too
    # Words with a digit in them and what such are chained to: numbers, units, hex, IP addresses, times, hashes.
    r"|(?<!\w)[^\W\d]*\d\w*(?:[-.:,+][^\W\d]*\d\w*)*"
)
_KEY = re.compile(r"[\w.-]+[=:]")


class _Masked(dict[str, str]):
    """Words with what varies by nature masked; each distinct word is looked at once."""

    def __missing__(self, word: str) -> str:
        found = word if word.isalpha() else _VARIABLE.sub(MASK, word[:_WIDEST])
        self[word] = found
        return found


@dataclass(slots=True)
class Template:
    """Records that are alike, by their places in the log. All have the same level."""

    level: Level
    places: list[int]
    _masked: list[str]
    _first: list[str]
    _seen: list[list[str]] = field(default_factory=list)
    _open: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> str:
        """The words; where they vary, `{a|b|c}` for up to three values and a mask for more."""
        return " ".join(map(self._shown, self._seen, self._masked) if self._seen else self._first)

    @staticmethod
    def _shown(values: list[str], masked: str) -> str:
        if len(values) == 1:
            return values[0]
        return f"{{{'|'.join(values)}}}" if len(values) <= _LISTED else masked

    def take(self, place: int, words: Sequence[str]) -> None:
        self.places.append(place)
        if not self._seen:  # most templates of a log that is all different stay alone
            self._seen = [[word] for word in self._first]
            self._open = list(range(len(self._first)))
        closed = False
        for position in self._open:
            values = self._seen[position]
            if words[position] not in values:
                values.append(words[position])
                closed |= len(values) > _LISTED
        if closed:
            self._open = [position for position in self._open if len(self._seen[position]) <= _LISTED]

    def shared(self, fixed: Sequence[str | None]) -> int:
        """How many words are the same; None stands for one that varies by nature."""
        return sum(map(eq, self._masked, fixed))

    def join(self, masked: Sequence[str]) -> None:
        """Widen the template so that these words fit it too."""
        self._masked = [a if a == b else _common(a, b) for a, b in zip(self._masked, masked, strict=True)]


def _common(a: str, b: str) -> str:
    """`user=<*>` for `user=ann` and `user=bob`."""
    key = _KEY.match(a)
    return key[0] + MASK if key and b.startswith(key[0]) else MASK


def templates(found: Iterable[Record]) -> list[Template]:
    """Every record is in exactly one. Templates stand in the order of their first records."""
    masks, known, leaves, every = _Masked(), dict[tuple[object, ...], Template](), _Leaves(), list[Template]()
    for place, record in enumerate(found):
        words = record.headline[:_LONGEST].split() or [""]
        key = (record.level, *map(masks.__getitem__, words))
        template = known.get(key)
        if template is None:
            masked = [masks[word] for word in words]
            raised = RAISED.match(record.raised)
            leaf = leaves.of(record.level, len(masked), masked[0], raised[0] if raised else "")
            template = _nearest(leaf, masked, _ALIKE.get(record.level, _STRICT))
            if template is None:
                known[key] = template = Template(record.level, [place], masked, words)
                every.append(template)
                if len(leaf) < _COMPARED:
                    leaf.append(template)
                continue
            known[key] = template
        template.take(place, words)
    return every


class _Leaves(dict[tuple[object, ...], list[Template]]):
    """Templates by level, number of words, first word and exception: only those can be alike."""

    def of(self, *key: object) -> list[Template]:
        return self.setdefault(key, [])


def _nearest(leaf: Sequence[Template], masked: Sequence[str], share: float) -> Template | None:
    """The template that shares most words, widened to fit these, if it shares enough."""
    if not leaf:
        return None
    fixed = [None if MASK in word else word for word in masked]
    best = max(leaf, key=lambda template: template.shared(fixed))
    if best.shared(fixed) < max(2.0, share * (len(fixed) - fixed.count(None))):
        return None
    best.join(masked)
    return best
