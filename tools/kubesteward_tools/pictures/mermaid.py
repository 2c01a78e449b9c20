"""Diagrams that GitHub, GitLab and many others draw out of Markdown. Syntax: mermaid.js.org, Gantt and flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.pictures.escapes import mermaid as plain
from kubesteward_tools.pictures.scenes import Span, Spot, radius, spans
from kubesteward_tools.twin.rehearsal import Rehearsal

_TAGS = {"start": "active, ", "stop": "crit, ", "change": ""}
_CLASSES = (
    "  classDef block fill:#ffdce0,stroke:#b3261e,color:#410002",
    "  classDef warn fill:#ffefc7,stroke:#9a6700,color:#3b2300",
    "  classDef info fill:#ddf4ff,stroke:#0969da,color:#032b54",
)
_SHORTEST = 100
"""Milliseconds: what takes no time must be seen too."""


def timeline(rehearsal: Rehearsal, most: int = 40) -> str:
    """A Gantt chart of the best case, or "" where nothing happens. Its axis counts minutes and seconds."""
    shown, more = spans(rehearsal, most)
    if not shown:
        return ""
    lines = ["gantt", "  title Minutes and seconds from the change, if new pods become ready"]
    lines += ["  dateFormat x", "  axisFormat %M:%S"]
    section = ""
    for number, span in enumerate(shown):
        if (kind := plain(span.object.partition(" ")[0]) or "objects") != section:
            section = kind
            lines.append(f"  section {section}")
        lines.append(_task(number, span))
    if more:
        lines.append(f"  and {more} more :milestone, more, {round(shown[-1].end * 1000)}, 0ms")
    return "\n".join(lines)


def _task(number: int, span: Span) -> str:
    begin, end = round(span.begin * 1000), round(span.end * 1000)
    name = span.object.partition(" ")[2] or span.object
    label = f"{plain(name, 60)} {plain(span.words, 90)}".strip()
    return f"  - {label} :{_TAGS[span.tone]}t{number}, {begin}, {max(end, begin + _SHORTEST)}"


def blast_radius(rehearsal: Rehearsal, summary: str, most: int = 12) -> str:
    """A flowchart: the change, what it touches, the pods that come and go, and whose ready pods are fewer or more."""
    found = radius(rehearsal, most)
    lines = ["flowchart LR", f'  change["{plain(summary, 120)}"]']
    for name, spots in (("t", found.touched), ("p", found.pods), ("r", found.reached)):
        lines += _nodes(name, spots)
    lines += _edges("change", "t", found.touched) if found.touched else ()
    lines += _edges("change", "p", found.pods) if found.pods else ()
    lines += _edges("p0" if found.pods else "change", "r", found.reached, arrow="-.->")
    if found.left_out:
        lines.append(f'  more["and {found.left_out} more"]')
    return "\n".join([*lines, *_CLASSES])


def _nodes(prefix: str, spots: tuple[Spot, ...]) -> Iterator[str]:
    for number, spot in enumerate(spots):
        level = f":::{spot.level}" if spot.level else ""
        words = f"<br/>{plain(spot.words)}" if spot.words else ""
        yield f'  {prefix}{number}["{plain(spot.name, 120)}{words}"]{level}'


def _edges(source: str, prefix: str, spots: tuple[Spot, ...], arrow: str = "-->") -> Iterator[str]:
    yield from (f"  {source} {arrow} {prefix}{number}" for number in range(len(spots)))
