"""Records that differ only in numbers, ids and a word here and there are one template: the shape of a long log.

Drain's idea (He et al., ICWS 2017) over masked words: first whole lines that are alike but for what varies by nature,
then, among templates of as many words, those that share most of them. Time is linear in the log: a template is compared
with a bounded number of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
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

_FEWEST_WORDS = 3
_MOST_WORK = 2_000_000
"""Words that are looked at for it."""
_MANY = 5
"""Records that are alike but for one word, and in that one all differ: the word is a name, not a reason."""

_VARIABLE = re.compile(
    r"(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"  # UUID
    r"|\"(?![a-z]+\")[^\"]+\"|'(?![a-z]+')[^']+'"  # quoted and no plain word
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # mail addresses
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
    def width(self) -> int:
        return len(self._masked)

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

    def swallow(self, others: Sequence[Template]) -> None:
        """Take the records of others that have as many words."""
        for other in others:
            self.join(other._masked)
        seen = [item._seen or [[word] for word in item._first] for item in (self, *others)]
        self._seen = [list(dict.fromkeys(chain(*values)))[: _LISTED + 1] for values in zip(*seen, strict=True)]
        self._open = [place for place, values in enumerate(self._seen) if len(values) <= _LISTED]
        self.places = sorted(chain(self.places, *(other.places for other in others)))

    def without(self, position: int) -> tuple[object, ...]:
        """What it says but for one word, and for what repeats that."""
        word = self._masked[position]
        rest = (MASK if at == position or word in other else other for at, other in enumerate(self._masked))
        return self.level, *rest

    def varies(self) -> list[int]:
        """Positions of words that may stand for others: not of the first one, which tells templates apart."""
        return [at for at, word in enumerate(self._masked) if at and len(word) > 2]

    def is_open(self, position: int) -> bool:
        """Whether what varies by nature stands there."""
        return MASK in self._masked[position]

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
    return _joined(every)


def _joined(every: list[Template]) -> list[Template]:
    """Warnings and errors that differ in one word only are one where they are many: connections are refused or reset,
    but nothing fails in five ways that only one word tells apart. Where the word of one of them varies by nature,
    that of the others does, too.
    """
    groups: dict[tuple[int, tuple[object, ...]], list[int]] = {}
    work = 0
    for number, template in enumerate(every):
        if template.level not in _ALIKE and template.width > _FEWEST_WORDS and work < _MOST_WORK:
            work += template.width**2
            for position in template.varies():
                groups.setdefault((position, template.without(position)), []).append(number)
    gone = set[int]()
    for (position, _), numbers in sorted(groups.items(), key=lambda item: (-len(item[1]), item[1])):
        left = [number for number in numbers if number not in gone]
        opened = len(left) > 1 and any(every[number].is_open(position) for number in left)
        if len(left) >= _MANY or opened:
            every[left[0]].swallow([every[number] for number in left[1:]])
            gone.update(left[1:])
    return [template for number, template in enumerate(every) if number not in gone]


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
