"""How somebody says, on the object itself, that a finding is accepted: an annotation whose value is the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubesteward_tools.checks.inventory import Subject

PREFIX = "ignore.checks.kubesteward.dev/"
"""Followed by a check's id. A value that gives no reason ignores nothing."""
_SHORTEST = 8


def reason_for(check: str, subject: Subject) -> str:
    """The reason, from the object or from its pod's template, or ""."""
    return next((text for text in map(str.strip, _given(PREFIX + check, subject)) if is_reason(text)), "")


def is_reason(text: str) -> bool:
    """`true` and `x` are none."""
    return len(text) >= _SHORTEST and len(text.split()) > 1


def _given(name: str, subject: Subject) -> Iterator[str]:
    metadata = subject.obj.get("metadata")
    for holder in (metadata, subject.part.metadata if subject.part else None):
        notes = holder.get("annotations") if isinstance(holder, Mapping) else None
        if isinstance(notes, Mapping) and isinstance(notes.get(name), str):
            yield notes[name]
