"""Recorded runs of a real control plane, as stores and calls that a rehearsal takes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.data import shared_data

from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.store import Key, Store

Case = dict[str, Any]


def cases(family: str) -> Iterator[Case]:
    with gzip.open(shared_data("fidelity/dev") / f"{family}.jsonl.gz", "rt") as lines:
        for line in lines:
            yield json.loads(line)


def store_of(case: Case) -> Store:
    """The cluster as it was before the case's change."""
    store = Store()
    for obj in case["before"]["objects"]:
        group = obj["apiVersion"].rpartition("/")[0]
        kind = by_kind(group, obj["kind"])
        resource = kind.resource if kind else f"{obj['kind'].lower()}s.{group}"
        metadata = obj["metadata"]
        store.put(Key(resource, metadata.get("namespace", ""), metadata["name"]), obj)
        store.revision = max(store.revision, int(metadata["resourceVersion"]))
    return store


def calls_of(case: Case) -> list[ApiCall]:
    return [
        ApiCall(
            verb=step["verb"],
            path=step["path"],
            target=Ref("", "", "", "", ""),
            body=step.get("body"),
            content_type=step.get("content_type") or "application/json",
            query=tuple(sorted((step.get("query") or {}).items())),
        )
        for step in case["mutation"]
    ]


def time_of(case: Case) -> float:
    """When the change was made: two seconds after the youngest object came into being."""
    return 2 + max(parse_timestamp(obj["metadata"]["creationTimestamp"]) for obj in case["before"]["objects"])
