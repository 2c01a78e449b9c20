"""Sizes in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kubesteward_tools.analytics.sizing import RESOURCES, Size, Sizing, quantity
from kubesteward_tools.diagnosis.reading import count
from kubesteward_tools.forecasting.rightsizing import Sized, proposal
from kubesteward_tools.lookup.shown import sentence, tidy

_MOST = 50


def record(found: Sized) -> dict[str, Any]:
    return {
        "workloads": [_of(item) for item in found.found],
        "saving": _total(found),
        "looked_at": found.looked,
        "not_known": found.missing,
    }


def _of(item: Sizing) -> dict[str, Any]:
    workload, proposed = item.workload, proposal(item)
    action = {"action": "patch", "kind": workload.kind, "name": workload.name, "namespace": workload.namespace}
    return {
        "object": {"kind": workload.kind, "namespace": workload.namespace, "name": workload.name},
        "replicas": workload.replicas,
        "sizes": [_size(size) for size in item.sizes],
        "saving": {name: float(f"{value:.6g}") for name, value in item.saving.items()},
        "proposed": tidy({**action, "params": dict(proposed.params or {})}) if proposed else None,
        "notes": list(item.notes),
    }


def _size(size: Size) -> dict[str, Any]:
    names = ("p95", "p99", "peak", "request", "limit", "wanted", "allowed")
    values = {name: getattr(size, name) for name in names}
    return {
        "container": size.container,
        "resource": size.resource,
        "verdict": size.verdict,
        **{name: None if value is None else float(f"{value:.6g}") for name, value in values.items()},
        "samples": size.samples,
        "span_seconds": round(size.span),
        "notes": list(size.notes),
    }


def paragraphs(found: Sized) -> list[str]:
    """What is wrong first; what fits is only counted."""
    lines: list[str] = []
    wrong = [item for item in found.found if any(size.verdict not in {"fits", "unknown"} for size in item.sizes)]
    for item in wrong[:_MOST]:
        workload = item.workload
        lines.append(
            f"{workload.kind} {workload.namespace}/{workload.name}, {workload.replicas} replicas{_saved(item)}"
        )
        lines += [f"  {_line(size)}" for size in item.sizes if size.verdict not in {"fits", "unknown"}]
        lines += [f"  patch: {json.dumps(item.patch, separators=(',', ':'))}"] if item.patch else []
        lines += [f"  {note}" for note in item.notes]
    every = [size for item in found.found for size in item.sizes]
    fits, unknown = (sum(size.verdict == word for size in every) for word in ("fits", "unknown"))
    for resource in RESOURCES:
        bare = sum(size.resource == resource and size.limit is None for size in every)
        lines += [f"{count(bare, 'container')} without a {resource} limit."] if bare else []
    lines += [f"{len(wrong) - _MOST} more: --json has them."] if len(wrong) > _MOST else []
    lines.append(f"{len(every) - fits - unknown} sizes are wrong, {fits} fit, of {unknown} too little is known.")
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
