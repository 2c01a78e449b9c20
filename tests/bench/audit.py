"""The audit log: what one record costs, and how long it takes to verify a log and to export all of it.

Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from kubesteward.audit.export import export
from kubesteward.audit.log import AuditLog
from kubesteward.audit.query import Filter
from kubesteward.audit.verify import verify
from kubesteward.store.store import Store

RECORDS = 5000
RECORD = {
    "type": "tool_call",
    "tool": "get_resource",
    "arguments": {"kind": "Deployment", "name": "web", "namespace": "shop"},
    "principal": "local:somebody",
    "client": "client 1.0",
    "session": "session",
    "channel": "stdio",
    "outcome": "ok",
    "took_ms": 3.2,
}


def measure(folder: Path) -> dict[str, float]:
    """Milliseconds of an append without and with an anchor; seconds of verifying and exporting RECORDS records."""
    figures: dict[str, float] = {"records": 2 * RECORDS}
    for name, anchor in (("append", None), ("append_anchored", folder / "anchor.jsonl")):
        with closing(Store.open(folder / "state")) as store:
            log = AuditLog(store, anchor)
            log.append(RECORD)
            times = sorted(timed(partial(log.append, RECORD)) for _ in range(RECORDS))
        figures[f"{name}_p50_ms"] = round(times[RECORDS // 2] * 1000, 3)
        figures[f"{name}_p99_ms"] = round(times[RECORDS * 99 // 100] * 1000, 3)
    figures["verify_s"] = round(timed(lambda: verify(folder / "state")), 3)
    figures["export_s"] = round(timed(lambda: export(folder / "state", folder / "evidence.zip", Filter())), 3)
    figures["package_kb"] = (folder / "evidence.zip").stat().st_size // 1024
    return figures


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder))
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22} {value:>10}")


if __name__ == "__main__":
    main()
