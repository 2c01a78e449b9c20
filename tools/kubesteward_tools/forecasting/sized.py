"""Sizes in words and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kubesteward_tools.analytics.sizing import RESOURCES, Size, Sizing, quantity
from kubesteward_tools.diagnosis.reading import count
from kubesteward_tools.forecasting.rightsizing import Sized, proposal
from kubesteward_tools.lookup.shown import sentence, tidy

_MOST = 50
_FINE = ("fits", "unknown")
_GIVEN = ("request", "limit")
SEVERITIES = {"under": "warning", "over": "info", "unrequested": "info"}
"""Of verdicts. What is too small gets killed or throttled; what is too large costs."""


def record(found: Sized, shown: Sequence[Sizing] | None = None) -> dict[str, Any]:
    """`shown` are the workloads that are told one by one, all of them if it is left out."""
    every = [size for item in found.found for size in item.sizes]
    told = found.found if shown is None else shown
    return {
        "workloads": [_of(item) for item in told],
        "not_shown": len(found.found) - len(told),
        "sizes": dict(sorted(Counter(size.verdict for size in every).items())),
        "saving": {name: _exact(name, value) for name, value in _total(found).items()},
        "looked_at": found.looked,
        "not_known": [*_why(every), *found.missing],
    }


def worst(found: Sized, most: int) -> list[Sizing]:
    """At most so many workloads, those with a wrong size first."""
    return sorted(found.found, key=lambda item: not is_wrong(item))[:most]


def is_wrong(item: Sizing) -> bool:
    return any(size.verdict not in _FINE for size in item.sizes)


def _of(item: Sizing) -> dict[str, Any]:
    workload, proposed = item.workload, proposal(item)
    return {
        "object": {"kind": workload.kind, "namespace": workload.namespace, "name": workload.name},
        "replicas": workload.replicas,
        "sizes": [_size(size) for size in item.sizes],
        "saving": {name: _exact(name, value) for name, value in item.saving.items()},
        **({"proposed": tidy(proposed.arguments)} if proposed else {}),
        "notes": list(item.notes),
    }


def _size(size: Size) -> dict[str, Any]:
    names = ("p95", "p99", "peak", "request", "limit", "wanted", "allowed")
    measured = size.verdict != "unknown"
    values = {name: getattr(size, name) if measured or name in _GIVEN else None for name in names}
    return {
        "container": size.container,
        "resource": size.resource,
        "verdict": size.verdict,
        "severity": SEVERITIES.get(size.verdict),
        **{name: None if value is None else _exact(size.resource, value) for name, value in values.items()},
        "samples": size.samples,
        "span_seconds": round(size.span),
        "notes": list(size.notes),
    }


def _exact(resource: str, value: float) -> float:
    """Whole bytes, and cores to a millionth."""
    return round(value) if resource == "memory" else round(value, 6)


def paragraphs(found: Sized, most: int = _MOST, how: str = "--json has them") -> list[str]:
    """What is wrong first; what fits is only counted. `how` tells where those beyond `most` are."""
    every = [size for item in found.found for size in item.sizes]
    fits, unknown = (sum(size.verdict == word for size in every) for word in _FINE)
    lines = [f"{len(every) - fits - unknown} sizes are wrong, {fits} fit, of {unknown} too little is known."]
    wrong = [item for item in found.found if is_wrong(item)]
    for item in wrong[:most]:
        workload = item.workload
        lines.append(
            f"{workload.kind} {workload.namespace}/{workload.name}, {workload.replicas} replicas{_saved(item)}"
        )
        lines += [f"  {_line(size)}" for size in item.sizes if size.verdict not in _FINE]
        lines += [f"  patch: {json.dumps(item.patch, separators=(',', ':'))}"] if item.patch else []
        lines += [f"  {note}" for note in item.notes]
    for resource in RESOURCES:
        bare = sum(size.resource == resource and size.limit is None for size in every)
        lines += [f"{count(bare, 'container')} without a {resource} limit."] if bare else []
    lines += [f"{len(wrong) - most} more: {how}."] if len(wrong) > most else []
    if unknown:
        lines += [f"NOT KNOWN {sentence(note)}" for note in _why(every)]
    if total := _total(found):
        lines.append(f"The patches together: {_words(total)}.")
    lines += [f"looked at: {sentence(item)}" for item in found.looked]
    return lines + [f"NOT KNOWN {sentence(item)}" for item in found.missing]


def _why(every: list[Size]) -> list[str]:
    notes = dict.fromkeys(note for size in every if size.verdict == "unknown" for note in size.notes)
    return list(notes)[:3]


def _line(size: Size) -> str:
    used = f"P95 {quantity(size.resource, size.p95)}, P99 {quantity(size.resource, size.p99)}"
    given = ", ".join(
        f"{word} {quantity(size.resource, value)}{_now(size.resource, new)}"
        for word, value, new in (("request", size.request, size.wanted), ("limit", size.limit, size.allowed))
        if value is not None
    )
    asked = f"; request {quantity(size.resource, size.wanted)}" if size.request is None and size.wanted else ""
    basis = f"{size.samples} samples over {size.span / 3600:.1f} h"
    notes = f"; {'; '.join(size.notes)}" if size.notes else ""
    what = f"{size.verdict:11} {sentence(size.container)} {size.resource}"
    return f"{what}: {used}, {given or 'no bounds'}{asked} ({basis}{notes})"


def _now(resource: str, new: float | None) -> str:
    return f" -> {quantity(resource, new)}" if new is not None else ""


def _saved(item: Sizing) -> str:
    return f": {_words(item.saving)}" if item.saving else ""


def _words(saving: Mapping[str, float]) -> str:
    return ", ".join(
        f"{'saves' if value >= 0 else 'costs'} {quantity(name, abs(value))} of {name}" for name, value in saving.items()
    )


def _total(found: Sized) -> dict[str, float]:
    total: dict[str, float] = {}
    for item in found.found:
        for name, value in item.saving.items():
            total[name] = total.get(name, 0.0) + value
    return total
