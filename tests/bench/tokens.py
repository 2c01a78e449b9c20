"""What answers cost a model, in tokens as bytes / 4 of their text, beside what kubectl prints about the same pods.

500 pods of 50 apps in 50 namespaces, every 25th in a crash loop. Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml
from tests.bench.fleet.objects import Fleet
from tests.tools.desk import NOW, TestDesk

from kubesteward.embedded.columns import COLUMNS
from kubesteward.embedded.tables import table
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.lookup.notes import note
from kubesteward_tools.text.fence import fence
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Key, Object, Store

PODS = 500
BROKEN_EVERY = 25
LOG_LINES = 2000


def pods() -> list[Object]:
    """Without managedFields, as `kubectl get -o yaml` shows them."""
    (found,) = [list(objects) for path, objects in Fleet(PODS, 20).lists() if path == "/api/v1/pods"]
    for number, pod in enumerate(found):
        del pod["metadata"]["managedFields"]
        if number % BROKEN_EVERY == 0:
            _break(pod)
    return [{"apiVersion": "v1", "kind": "Pod", **pod} for pod in found]


def _break(pod: Object) -> None:
    for condition in pod["status"]["conditions"]:
        if condition["type"] in {"Ready", "ContainersReady"}:
            condition["status"] = "False"
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
    for item in pod["status"]["containerStatuses"]:
        item |= {"state": {"waiting": waiting}, "ready": False, "restartCount": 9}


def log() -> str:
    """A busy server's log in which three requests fail."""
    lines = [f"2026-11-20T10:{n // 60 % 60:02}:{n % 60:02}Z GET /orders/{n} 200 {n % 90}ms" for n in range(LOG_LINES)]
    for number in (700, 1300, 1900):
        lines[number] = lines[number][:21] + f"ERROR database: connection refused while reading order {number}"
    return "\n".join(lines) + "\n"


def tokens(text: str) -> int:
    return len(text.encode()) // 4


def cost(answer: Answer) -> int:
    """Text from the cluster is counted with its fence."""
    return tokens(answer.text + (fence(answer.untrusted, answer.source) if answer.untrusted else ""))


def kubectl_table(objects: list[Object]) -> str:
    """`kubectl get pods -A`: the server's cells without the wide ones, three blanks between columns."""
    kind = by_kind("", "Pod")
    assert kind is not None
    printed = table(kind, COLUMNS["pods"], objects, {}, NOW)
    narrow = [number for number, column in enumerate(printed["columnDefinitions"]) if not column["priority"]]
    head = ["NAMESPACE", *(printed["columnDefinitions"][number]["name"].upper() for number in narrow)]
    rows = [head] + [
        [row["object"]["metadata"]["namespace"], *(str(row["cells"][number]) for number in narrow)]
        for row in printed["rows"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


async def measure() -> dict[str, Any]:
    objects, store, tools = pods(), Store(Packing(), note), load_tools()
    for pod in objects:
        store.put(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), pod)
    place = {"name": objects[0]["metadata"]["name"], "namespace": objects[0]["metadata"]["namespace"]}
    desk = TestDesk(store, {f"{place['namespace']}/{place['name']}": log()})

    async def ask(tool: str, **arguments: Any) -> Answer:
        answer = await tools[tool].function(desk, **arguments)
        assert isinstance(answer, Answer)
        return answer

    pages = [await ask("list_resources", kind="pods")]
    while cursor := pages[-1].data["next_cursor"]:
        pages.append(await ask("list_resources", kind="pods", cursor=cursor))
    target = {"target": f"Pod/{place['name']}", "namespace": place["namespace"]}
    return {
        "notready_of_500_tokens": cost(await ask("list_resources", kind="pods", status="not_ready")),
        "list_500_tokens": sum(map(cost, pages)),
        "list_500_pages": len(pages),
        "list_500_in_one_page_tokens": cost(await ask("list_resources", kind="pods", limit=500)),
        "kubectl_500_tokens": tokens(kubectl_table(objects)),
        "kubectl_500_yaml_tokens": tokens(yaml.safe_dump({"items": objects})),
        "get_pod_tokens": cost(await ask("get_resource_yaml", kind="Pod", **place)),
        "kubectl_pod_yaml_tokens": tokens(yaml.safe_dump(objects[0])),
        "logs_hint_tokens": cost(await ask("get_logs", **target, hint="database errors")),
        "kubectl_logs_tokens": tokens(log()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure())
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:30}{value}")


if __name__ == "__main__":
    main()
