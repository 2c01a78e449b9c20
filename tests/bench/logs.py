"""How fast a log becomes templates: lines a second of parsing, of grouping into records, of mining, and of it all.

Prints a table, or one JSON object with --json. Three logs of 20,000 lines: an access log, JSON with errors, and one
in which no two lines are alike. The best of several runs.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable

from kubesteward_tools.analytics.records import records
from kubesteward_tools.analytics.templates import templates
from kubesteward_tools.lookup.loglines import Merged, parse
from kubesteward_tools.lookup.logsearch import look_through
from kubesteward_tools.lookup.logstreams import Stream
from kubesteward_tools.lookup.logview import STYLES

LINES = 20_000
STREAM = Stream("lab", "shop", "web-7c9d-aaaaa", "app")


def access(n: int) -> str:
    return (
        f"INFO request {n} from 10.0.{n % 256}.7:8080 took {n % 97}ms id=550e8400-e29b-41d4-a716-44665544{n % 9999:04d}"
    )


def structured(n: int) -> str:
    fields = {"level": "error", "msg": "upstream failed", "status": 502, "path": f"/a/{n}", "err": "connection refused"}
    return json.dumps(fields)


def different(n: int) -> str:
    chosen = random.Random(n)
    return "INFO " + " ".join("".join(chosen.choices("abcdefghij", k=7)) for _ in range(8))


def rate(work: Callable[[], object], runs: int) -> int:
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return round(LINES / best)


def measured(line: Callable[[int], str], runs: int) -> dict[str, int]:
    text = "".join(f"2026-11-21T00:{n // 60 % 60:02d}:{n % 60:02d}Z {line(n)}\n" for n in range(LINES))
    lines = parse(text, STREAM.path)
    found = records(lines)
    merged = Merged(lines=lines, streams=[STREAM])
    return {
        "parse": rate(lambda: parse(text, STREAM.path), runs),
        "records": rate(lambda: records(lines), runs),
        "templates": rate(lambda: templates(found), runs),
        "view": rate(lambda: look_through(merged, None, "database errors", STYLES["concise"]), runs),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--runs", type=int, default=3)
    asked = options.parse_args()
    result = {made.__name__: measured(made, asked.runs) for made in (access, structured, different)}
    if asked.json:
        print(json.dumps(result))
        return
    print(f"{'lines/s':12}" + "".join(f"{name:>12}" for name in next(iter(result.values()))))
    for name, row in result.items():
        print(f"{name:12}" + "".join(f"{value:>12,}" for value in row.values()))


if __name__ == "__main__":
    main()
