"""A verdict for a terminal: a paragraph for each thing that is said of a cause, the most important first."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.diagnose import Verdict
from kubesteward_tools.diagnosis.report import Finding

_EVIDENCE = 6


def lines(verdict: Verdict, most: int) -> Iterator[str]:
    """The causes, then how much was looked at, then what was not read."""
    for number, found in enumerate(verdict.findings[:most], 1):
        yield from _finding(number, found)
        yield ""
    rest = len(verdict.findings) - most
    if rest > 0:
        yield f"{rest} more: --limit shows them."
    yield f"Looked at: {'; '.join(verdict.looked)}."
    yield from (f"NOT READ {what}" for what in verdict.unread)


def _finding(number: int, found: Finding) -> Iterator[str]:
    if found.culprit is None:
        yield f"{number}. {found.category} (confidence {found.confidence:.0%})"
    else:
        since = f", since {found.since}" if found.since else ""
        yield f"{number}. {found.category}: {found.culprit} (confidence {found.confidence:.0%}{since})"
    told = found.said or found.diagnosis.removeprefix(f"{found.category}: ")
    yield f"   {told[:1].upper()}{told[1:]}"
    if not found.said:
        return
    if found.fix:
        yield f"   Fix: {found.fix}"
    yield from _several("Evidence", found.evidence)
    yield from _several("Against it", found.against)
    yield from _several("It explains", found.explains)


def _several(head: str, said: tuple[str, ...]) -> Iterator[str]:
    if len(said) == 1:
        yield f"   {head}: {said[0]}"
        return
    if said:
        yield f"   {head}:"
    yield from (f"   - {line}" for line in said[:_EVIDENCE])
    if len(said) > _EVIDENCE:
        yield f"   - {len(said) - _EVIDENCE} more: --json shows them."
