"""Logs as a scene has them: each is rid of its secrets when it is read first, and as a whole.

Readers cut lines out of them and parts out of lines, and a part of a private key or of a token is not known for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact_lines

Place = tuple[str, str, str]
"""Namespace, pod and container."""

Logs = Mapping[Place, str]
"""The text of the previous and the current run."""

LONGEST = 200_000
"""Characters of one container's log that are kept, the last ones."""


class Cleared(Logs):
    """The same logs without secrets and unseen characters, line by line."""

    def __init__(self, raw: Logs) -> None:
        self._raw = raw
        self._known: dict[Place, str] = {}

    def __getitem__(self, place: Place) -> str:
        if place not in self._known:
            self._known[place] = _cleared(self._raw[place])
        return self._known[place]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, place: object) -> bool:
        return place in self._raw


def ending(text: str, most: int = LONGEST) -> str:
    """At most the last `most` characters, from the beginning of a line or of a word: half a token is not known."""
    if len(text) <= most:
        return text
    first, _, rest = text[-most:].partition("\n")
    return rest or first.partition(" ")[2]


def _cleared(text: str) -> str:
    plain = text if text.isascii() and "\x1b" not in text else clean(text, len(text) + 1)
    return "\n".join(redact_lines(plain.splitlines()))
