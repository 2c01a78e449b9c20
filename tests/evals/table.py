"""Brains against each other: `python tests/evals/table.py --brain builtin --brain ollama [DIR]`, as a Markdown table.

Each investigates every case of the folder (default: those of `cases.py`) by `kubesteward eval`, in the store where it
is set up. Paid brains are paid.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cases

COLUMNS = {
    "passed": "passed",
    "tokens": "tokens",
    "usd": "dollars",
    "seconds median": "seconds, median",
    "tool calls": "tool calls",
    "claims false": "false claims",
    "hallucination rate": "hallucination rate",
}


def measured(folder: Path, brain: str, usd: float | None) -> Mapping[str, str]:
    """What `kubesteward eval` says in all. Raises CalledProcessError where it fails; it has said why."""
    limit = [] if usd is None else ["--usd", str(usd)]
    command = [sys.executable, "-m", "kubesteward", "eval", str(folder), "--brain", brain, "--yes", *limit]
    said = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)


def table(found: Mapping[str, Mapping[str, str]]) -> str:
    """A row for each brain."""
    rows: list[Sequence[str]] = [["brain", *COLUMNS.values()], ["---"] * (len(COLUMNS) + 1)]
    for brain, told in found.items():
        passed = f"{told['passed']} of {told['cases']}"
        rows.append([brain, *({**told, "passed": passed}.get(name, "") for name in COLUMNS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--brain", action="append", required=True)
    parser.add_argument("--usd", type=float, help="most dollars for each case")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if (folder := wanted.folder) is None:
            folder = Path(scratch)
            for name in cases.CASES:
                cases.write(folder, name)
        print(table({brain: measured(folder, brain, wanted.usd) for brain in wanted.brain}))


if __name__ == "__main__":
    main()
