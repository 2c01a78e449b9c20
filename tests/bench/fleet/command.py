"""The command line of what is measured in a fleet."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any


def run(measure: Callable[[int, int, int], dict[str, Any]], description: str | None, repetitions: int) -> None:
    """`measure` takes pods, nodes and repetitions; its figures are printed as a table, or as JSON with --json."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pods", type=int, default=30_000)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=repetitions)
    given = parser.parse_args()
    found = measure(given.pods, given.nodes, given.repetitions)
    print(json.dumps(found) if given.json else "\n".join(f"{name:20} {value:>12}" for name, value in found.items()))
