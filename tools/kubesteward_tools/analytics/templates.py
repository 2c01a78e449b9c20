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

from kubesteward_tools.analytics.records import Level, Record

MASK = "<*>"
_LONGEST = 600
_WIDEST = 300
"""Characters of a line, and of a word, that are told apart."""

_LISTED = 3
_COMPARED = 8
_ALIKE = {Level.DEBUG: 0.6, Level.INFO: 0.6}
_STRICT = 0.8
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
    _words: list[str]
    _seen: list[list[str]]
    _open: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> str:
        """The words; where they vary, `{a|b|c}` for up to three values and a mask for more."""
        return " ".join(map(self._shown, self._seen, self._words))

    @staticmethod
    def _shown(values: list[str], masked: str) -> str:
        if len(values) == 1:
            return values[0]
        return f"{{{'|'.join(values)}}}" if len(values) <= _LISTED else masked

    def take(self, place: int, words: Sequence[str]) -> None:
        self.places.append(place)
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
        return sum(map(eq, self._words, fixed))

    def join(self, masked: Sequence[str]) -> None:
        """Widen the template so that these words fit it too."""
        self._words = [a if a == b else _common(a, b) for a, b in zip(self._words, masked, strict=True)]


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
            template = leaves.nearest(record.level, masked)
            if template is None:
                template = Template(record.level, [], masked, [[word] for word in words], list(range(len(words))))
                leaves.add(template, masked)
                every.append(template)
            known[key] = template
        template.take(place, words)
    return every


class _Leaves:
    """Templates by level, number of words and first word: only those can be alike."""

    def __init__(self) -> None:
        self._leaves: dict[tuple[Level, int, str], list[Template]] = {}

    def nearest(self, level: Level, masked: list[str]) -> Template | None:
        """The most alike template, widened, if one is alike enough."""
        leaf = self._leaves.get((level, len(masked), masked[0]))
        if not leaf:
            return None
        fixed = [None if MASK in word else word for word in masked]
        least = max(2.0, _ALIKE.get(level, _STRICT) * (len(fixed) - fixed.count(None)))
        best = max(leaf, key=lambda template: template.shared(fixed))
        if best.shared(fixed) < least:
            return None
        best.join(masked)
        return best

    def add(self, template: Template, masked: list[str]) -> None:
        leaf = self._leaves.setdefault((template.level, len(masked), masked[0]), [])
        if len(leaf) < _COMPARED:
            leaf.append(template)
