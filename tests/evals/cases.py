"""Writes the cases that everybody has: each of the embedded scenarios as it stands after it was played.

`python tests/evals/cases.py DIR` makes a folder for each: what `kubectl get -o json` and `kubectl logs` would give,
what is asked, what is right. Other folders of that form can be evaluated beside them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubesteward.cli.states import _logs as logs_of
from kubesteward.embedded.scenarios import build

NOW = 1_795_000_000.0
"""Epoch seconds; the same clusters each time."""


def _case(prompt: str, category: str, culprit: tuple[str, str] | None, *phrases: list[str], **more: Any) -> Any:
    kind, name = culprit or ("", "")
    found = {"kind": kind, "name": name} if culprit else None
    return {"prompt": prompt, "expected": {"category": category, "culprit": found, "key_phrases": phrases, **more}}


CASES: Mapping[str, Any] = {
    "healthy": _case("Is everything in this cluster well?", "Healthy", None),
    "image-pull": _case(
        "The release of catalog does not finish. Why?", "ImagePull", ("Deployment", "catalog"), ["2.4.O"]
    ),
    "incident": _case(
        "Why is checkout not well?", "OOMKilled", ("Deployment", "checkout"), ["96Mi"], ["137", "out of memory"]
    ),
    "missing-config": _case("Why does cart not come up?", "ConfigMissing", ("Deployment", "cart"), ["cart-flags"]),
    "node-down": _case("Pods in shop are not ready. Why?", "NodeNotReady", ("Node", "node-2"), ["node-2"]),
    "quota": _case(
        "Why has web fewer pods than it should have?",
        "Quota",
        ("Deployment", "web"),
        ["quota"],
        also_accept=[{"kind": "ResourceQuota", "name": "shop"}],
    ),
}


def write(folder: Path, name: str) -> Path:
    """One case; its folder."""
    made = folder / name
    made.mkdir(parents=True, exist_ok=True)
    store = build(name, 3, NOW).store
    items = [obj for resource in sorted(store.resources()) for _, obj in store.items(resource)]
    case = CASES[name]
    files = {
        "cluster.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": items}),
        "logs.json": json.dumps(logs_of(store)),
        "prompt.txt": case["prompt"],
        "expected.json": json.dumps({"id": name, **case}, indent=1),
    }
    for file, text in files.items():
        (made / file).write_text(text, "utf-8")
    return made


if __name__ == "__main__":
    for case in CASES:
        print(write(Path(sys.argv[1]), case))
