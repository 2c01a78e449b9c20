"""Bundles: whatever people save of a cluster is read; what cannot be is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.data import shared_data

from kubesteward_tools.cluster.bundle import load
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound, Refused

pytestmark = pytest.mark.anyio


def pod(name: str = "web-1", namespace: str = "shop", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, **more}


def listing(*items: dict[str, Any], kind: str = "List", api_version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"resourceVersion": ""}, "items": list(items)}


NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
WIDGET = {"apiVersion": "example.com/v1", "kind": "Policy", "metadata": {"name": "w", "namespace": "shop"}}


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml", ".txt"])
async def test_one_file_of_kubectl_output_is_a_cluster(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"prod{suffix}"
    file.write_text(json.dumps(listing(pod(), NODE)))
    clusters = Clusters.from_bundle(file)
    world = await clusters.world()
    await world.ensure("pods", "nodes", "services")

    assert clusters.names() == ["prod"]
    assert (world.server, world.writable) == ("bundle", False)
    assert [world.store.count(item) for item in ("pods", "nodes", "services")] == [1, 1, 0]
    assert world.staleness() == 0.0
    await clusters.close()


async def test_a_folder_is_read_with_its_sub_folders_and_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "one.yaml").write_text(yaml.safe_dump_all([pod("a"), None, NODE]))
    (tmp_path / "typed.json").write_text(json.dumps(listing({"metadata": {"name": "b"}}, kind="PodList")))
    (tmp_path / "deep" / "plain.json").write_text(json.dumps([pod("c")]))
    (tmp_path / "deep" / "er" / "mapping.yml").write_text(yaml.safe_dump({"pods": [pod("d")], "when": "today"}))
    (tmp_path / "notes.md").write_text("not a manifest: {")
    bundle = load(tmp_path)

    assert [(key.namespace, key.name) for key, _ in bundle.store.items("pods")] == [
        ("default", "b"),
        ("shop", "a"),
        ("shop", "c"),
        ("shop", "d"),
    ]
    assert bundle.store.count("nodes") == 1


async def test_custom_resources_are_found_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(WIDGET))
    bundle = load(tmp_path)

    assert (await bundle.kinds()).find("Policy.example.com").resource == "policies.example.com"
    assert bundle.store.count("policies.example.com", "shop") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"items": [1, "two", None]},
        {"kind": "Kustomization", "apiVersion": "kustomize.config.k8s.io/v1beta1", "resources": ["a.yaml"]},
        {"kind": "Pod", "apiVersion": "v1", "metadata": None},
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"generateName": "x-"}},
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": {"a": 1}}},
        {"kind": "Pod", "apiVersion": None, "metadata": {"name": "x"}},
        {"kind": 7, "apiVersion": "v1", "metadata": {"name": "x"}},
        {"replicaCount": 2, "tolerations": ["a", 1]},
        "just text",
        7,
        None,
    ],
)
async def test_documents_that_are_no_saved_objects_are_passed_over(tmp_path: Path, other: Any) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([other, pod()]))
    (tmp_path / "b.json").write_text(json.dumps(other))
    store = load(tmp_path).store

    assert store.resources() == ["pods"]
    assert store.count("pods") == 1


async def test_secret_values_are_never_kept(tmp_path: Path) -> None:
    value = "c2VzYW1lLW9wZW4="
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"password": value}})}
    metadata = {"name": "s", "namespace": "shop", "annotations": applied}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": value}}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(listing(secret)))
    store = load(tmp_path).store

    assert value not in json.dumps(store.objects("secrets"))
    assert list(store.objects("secrets")[0]["data"]) == ["password"]


@pytest.mark.parametrize(
    ("name", "text"), [("x.json", "{"), ("x.yaml", "a: [b"), ("x.yaml", "a: !!python/object:os.system x")]
)
async def test_a_file_that_cannot_be_parsed_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(pod()))
    (tmp_path / name).write_text(text)

    with pytest.raises(InvalidArguments, match=rf"{name} cannot be read: .*\. Mend the file or leave it out\."):
        load(tmp_path)


async def test_a_bundle_that_is_missing_or_empty_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match=r"there is no bundle at .*/none"):
        load(tmp_path / "none")
    with pytest.raises(InvalidArguments, match="no Kubernetes object is in"):
        load(tmp_path)


@pytest.mark.parametrize("status", [None, {}, {"nodeInfo": {}}, {"nodeInfo": {"kubeletVersion": "v1.30.1"}}])
async def test_the_version_is_that_of_a_node_if_it_was_saved(tmp_path: Path, status: Any) -> None:
    (tmp_path / "n.json").write_text(json.dumps({**NODE, "status": status}))

    assert await load(tmp_path).version() == ("v1.30.1" if status and status.get("nodeInfo") else "unknown")


async def test_logs_are_found_by_container_pod_and_run(tmp_path: Path) -> None:
    saved = {
        "shop/web-1": {"app": {"current": "now\n", "previous": "before\n"}, "sidecar": ["one", "two"]},
        "lone": "all there is\n",
    }
    (tmp_path / "cluster.json").write_text(json.dumps({"pods": [pod(), pod("lone")]}))
    (tmp_path / "logs.json").write_text(json.dumps(saved))
    bundle = load(tmp_path)

    assert await bundle.log("shop", "web-1", {"container": "app"}) == "now\n"
    assert await bundle.log("shop", "web-1", {"container": "app", "previous": "true"}) == "before\n"
    assert await bundle.log("shop", "web-1", {"container": "sidecar"}) == "one\ntwo"
    assert await bundle.log("shop", "lone", {}) == "all there is\n"
    with pytest.raises(ObjectNotFound, match="holds no log of the pod shop/nope"):
        await bundle.log("shop", "nope", {})


@pytest.mark.parametrize("text", ["[1]", '"text"', "7"])
async def test_logs_in_another_form_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "pod.json").write_text(json.dumps(pod()))
    (tmp_path / "logs.json").write_text(text)

    with pytest.raises(InvalidArguments, match=r"logs\.json does not map pods to their logs"):
        load(tmp_path)


async def test_a_bundle_cannot_be_written_or_measured(tmp_path: Path) -> None:
    (tmp_path / "pod.json").write_text(json.dumps(pod()))
    world = await Clusters.from_bundle(tmp_path).world()

    with pytest.raises(Refused, match="a bundle cannot be changed"):
        await world.can_i({"verb": "patch", "resource": "pods"})
    with pytest.raises(AskDifferently, match="a bundle holds no metrics"):
        await world.metrics("pods")


async def test_every_real_case_is_read_with_its_logs() -> None:
    cases = sorted(path.parent for path in shared_data("rca/dev").glob("*/cluster.json"))
    assert cases
    for case in cases:
        bundle = load(case)
        pods = [key for key, _ in bundle.store.items("pods")]
        saved = [key for key in pods if any(f"{key.name}" in name for name in bundle.logs)]
        assert pods, case
        for key in saved:
            assert isinstance(await bundle.log(key.namespace, key.name, {"container": _container(bundle, key)}), str)


def _container(bundle: Any, key: Any) -> str:
    """The first container whose log was saved, "" for a log of the whole pod."""
    spec = bundle.store.get(key)["spec"]
    names = [item["name"] for item in [*spec["containers"], *(spec.get("initContainers") or ())]]
    return next((name for name in names if f"{key.namespace}/{key.name}/{name}" in bundle.logs), "")


@pytest.mark.parametrize("names", [("a.json", "b.yaml"), ("b.json", "a.yaml")])
async def test_what_was_saved_of_a_cluster_outranks_the_manifest_beside_it(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    saved = pod(status={"phase": "Running"})
    (tmp_path / names[0]).write_text(json.dumps(listing(saved)))
    (tmp_path / names[1]).write_text(yaml.safe_dump(pod()))

    assert [item["status"] for item in load(tmp_path).store.objects("pods")] == [{"phase": "Running"}]
