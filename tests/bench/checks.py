"""How the checks and the redaction do on other people's cases, and how long a thousand workloads take.

Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.tools.checks import gatekeeper, polaris

from kubesteward_tools.checks.cases import workload
from kubesteward_tools.checks.lifecycle import find
from kubesteward_tools.checks.run import Asked, catalogue, run
from kubesteward_tools.checks.sources import of_objects
from kubesteward_tools.text.redact import redact

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
WORKLOADS = 1000


def foreign(data: Path) -> dict[str, float]:
    ours = list(polaris.verdicts(data / "polaris"))
    theirs = list(gatekeeper.verdicts(data / "lint/gatekeeper"))
    differing = [item for item in theirs if item.expected != item.found]
    return {
        "polaris_cases": len(ours),
        "polaris_agreed": sum(item.expected == item.found for item in ours),
        "polaris_explained": len(polaris.DIFFERENT),
        "gatekeeper_cases": len(theirs),
        "gatekeeper_agreed": len(theirs) - len(differing),
        "gatekeeper_explained": sum(bool(item.why) for item in differing),
    }


def lifecycles(data: Path) -> dict[str, float]:
    entries = json.loads((data / "deprecations/k8s-api-lifecycle.json").read_text("utf-8"))["entries"]
    right = 0
    for entry in entries:
        life = find(entry["apiVersion"], entry["kind"])
        minors = [int(entry.get(key, "1.0").split(".")[1]) for key in ("introduced", "deprecated", "removed")]
        right += life is not None and [life.since, life.deprecated, life.removed] == minors
    return {"lifecycle_entries": len(entries), "lifecycle_agreed": right}


def redaction(data: Path) -> dict[str, float]:
    with gzip.open(data / "redaction/dev.jsonl.gz", "rt") as lines:
        cases: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def hidden(case: dict[str, Any]) -> bool:
        text = redact(case["text"])
        return case["secret"] not in text if case.get("secret") else text != case["text"]

    secrets = [case for case in cases if case["expected"] == "secret"]
    core = [case for case in secrets if case["core"]]
    clean = [case for case in cases if case["expected"] == "clean"]
    return {
        "secrets_hidden_core": round(sum(map(hidden, core)) / len(core), 4),
        "secrets_hidden_all": round(sum(map(hidden, secrets)) / len(secrets), 4),
        "clean_changed": round(sum(redact(case["text"]) != case["text"] for case in clean) / len(clean), 4),
    }


def speed() -> dict[str, float]:
    objects = []
    for number in range(WORKLOADS):
        name, space = f"web-{number}", f"space-{number % 50}"
        metadata = {"name": name, "namespace": space, "labels": {"app": name}}
        made = workload({"kind": "Deployment", "spec": {"replicas": 3}, "metadata": metadata})
        made["spec"]["template"]["metadata"] = {"labels": {"app": name}}
        service = {"selector": {"app": name}, "ports": [{"port": 80}]}
        objects += [made, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service}]
    started = time.perf_counter()
    run(of_objects(objects, whole=True), Asked())
    return {"seconds_for_1000_workloads": round(time.perf_counter() - started, 2)}


def measured(data: Path) -> dict[str, float]:
    return {"checks": len(catalogue()), **foreign(data), **lifecycles(data), **redaction(data), **speed()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA, help="where the real cases are")
    options = parser.parse_args()
    found = measured(options.data)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<28}{value:>10g}" for name, value in found.items()))


if __name__ == "__main__":
    main()
