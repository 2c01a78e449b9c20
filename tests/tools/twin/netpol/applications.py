"""Whole applications with the connections that others have found to be allowed in them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml
from tests.data import shared_data

from kubesteward_tools.cluster.bundle import load
from kubesteward_tools.twin.netpol import EVERYWHERE, Outside, Pod, pod_of
from kubesteward_tools.world.relations.templates import POD_LIKE
from kubesteward_tools.world.store import Object, Store

Case = dict[str, Any]
Ends = dict[str, list[Pod | Outside]]
INGRESS_CONTROLLER = "{ingress-controller}"


def cases(name: str) -> list[Case]:
    found: list[Case] = json.loads((shared_data("netpol") / f"{name}-cases.json").read_text())["cases"]
    return found


def store_of(case: Case) -> Store:
    return load(shared_data("netpol") / str(case.get("manifest") or case["dir"])).store


def workloads(case: Case, store: Store) -> Ends:
    """By the names that the tables use, `namespace/name[Kind]`: pods stand for their controllers, then templates."""
    written = _owners(shared_data("netpol") / case["dir"])
    found: Ends = defaultdict(list)
    for key, pod in store.items("pods"):
        found[written.get((key.namespace, key.name)) or f"{key.namespace}/{key.name}[Pod]"].append(pod_of(pod))
    for resource in POD_LIKE[1:]:
        for key, obj in store.items(resource):
            name = f"{key.namespace}/{key.name}[{obj['kind']}]"
            if name not in found:
                found[name].append(pod_of(obj))
    return found


def _owners(folder: Path) -> dict[tuple[str, str], str]:
    """As the manifests say it: some name an owner without its kind. Mirror pods of a node stand for themselves."""
    found = {}
    for file in sorted(folder.rglob("*.*")):
        for document in yaml.load_all(file.read_text(), yaml.CSafeLoader):
            for obj in (document or {}).get("items") or [document or {}]:
                metadata = obj.get("metadata") or {}
                owner = next(iter(metadata.get("ownerReferences") or ()), {"kind": "Node"})
                if owner.get("kind") != "Node":
                    space, name = metadata.get("namespace", "default"), metadata["name"]
                    found[space, name] = f"{space}/{owner['name']}[{owner.get('kind', 'Pod')}]"
    return found


def outside(case: Case) -> Ends:
    """The ranges of addresses that the table of a case has, or the whole of IPv4."""
    names = {row[end] for row in case["allowed"] for end in ("src", "dst") if row[end][0].isdigit()}
    return {name: [_range(name)] for name in sorted(names)} or {"everywhere": [EVERYWHERE]}


def _range(name: str) -> Outside:
    low, high = map(ip_address, name.removesuffix("[External]").split("-"))
    return Outside(low, high)


def expected(case: Case, ends: Ends) -> Iterator[tuple[str, str, str]]:
    """Every pair of different ends and what the table says of it; pairs that it does not list are not allowed.

    Ranges in a table are as fine as the row needs: asked for are those that hold no other one, and such a one is in
    any row whose range holds it.
    """
    rows = {(row["src"], row["dst"]): row["conn"] for row in case["allowed"]}
    ranges = {name for name, found in ends.items() if isinstance(found[0], Outside)}
    coarse = {name for name in ranges for other in ranges - {name} if _holds(ends[name][0], ends[other][0])}
    asked = [name for name in ends if name not in coarse]
    for one in asked:
        for two in asked:
            if one != two and not {one, two} <= ranges:
                pairs = ((a, b) for a in _around(one, ranges, ends) for b in _around(two, ranges, ends))
                yield one, two, next((rows[pair] for pair in pairs if pair in rows), "No Connections")


def _around(name: str, ranges: set[str], ends: Ends) -> list[str]:
    if name not in ranges:
        return [name]
    inner = ends[name][0]
    return [other for other in ranges if _holds(ends[other][0], inner)]


def _holds(outer: Any, inner: Any) -> bool:
    return bool(outer.low <= inner.low and inner.high <= outer.high)


def pod(name: str, namespace: str = "default", *, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    """`ip` and `host_ip` go to the status, the rest to the spec."""
    status = {field: spec.pop(word) for word, field in (("ip", "podIP"), ("host_ip", "hostIP")) if word in spec}
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name} if labels is None else labels}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "c"}], **spec}, "status": status}


def policy(name: str, namespace: str = "default", **spec: Any) -> Object:
    """`ingress`, `egress`, `types`, `app` (of the selected pods, all without)."""
    app, types = spec.pop("app", ""), spec.pop("types", None)
    chosen = {"matchLabels": {"app": app}} if app else {}
    words = {"policyTypes": types} if types else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": chosen, **words, **spec},
    }


def namespace(name: str, **labels: str) -> Object:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}
