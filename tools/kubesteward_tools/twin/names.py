"""Names, UIDs and addresses from a seed: the same run gives the same ones."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What generateName draws from: no vowels, no look-alikes (k8s.io/apimachinery util/rand)."""


class Names:
    """A stream of names; every call takes the next one."""

    def __init__(self, seed: int | str = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - reproducible on purpose; nothing secret is drawn from it

    def __deepcopy__(self, _: dict[int, Any]) -> Names:
        """The same stream from here on, without taking the generator's 625 numbers one by one."""
        twin = Names()
        twin._random.setstate(self._random.getstate())
        return twin

    def uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        return "".join(self._random.choices(ALPHABET, k=length))

    def number(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return self._random.randint(low, high)


def safe_hash(text: str) -> str:
    """Ten characters of `ALPHABET` that stand for `text`, like a pod-template-hash."""
    return Names(text).suffix(10)
