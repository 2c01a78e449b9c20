"""Which clusters a kubeconfig names, how to get to them, and what is said when it cannot be used."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import ApiServer, serving

from kubesteward_tools.cluster.clusters import IN_CLUSTER, Clusters
from kubesteward_tools.cluster.connection import connect
from kubesteward_tools.errors import ClusterUnreachable, InvalidArguments, UnknownCluster

pytestmark = pytest.mark.anyio

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own configuration."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", *PROXIES, *map(str.upper, PROXIES)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
async def other() -> AsyncIterator[ApiServer]:
    async with serving() as running:
        yield running


async def test_every_context_is_a_cluster_of_its_own(server: ApiServer, other: ApiServer, tmp_path: Path) -> None:
    server.put("pods", "here")
    other.put("pods", "there")
    path = kubeconfigs.write(tmp_path / "k", {"one": server.url, "two": other.url}, current="two", token="t")
    clusters = Clusters.from_kubeconfig(path)
    for name in ("one", "two"):
        await (await clusters.world(name)).ensure("pods")

    assert [(item.name, item.current) for item in clusters.describe()] == [("one", False), ("two", True)]
    names = {name: [key.name for key, _ in (await clusters.world(name)).store.items("pods")] for name in ("one", "two")}
    assert names == {"one": ["here"], "two": ["there"]}
    assert clusters.current == (await clusters.world()).cluster
    await clusters.close()


async def test_nothing_is_asked_before_somebody_asks(server: ApiServer, tmp_path: Path) -> None:
    clusters = Clusters.from_kubeconfig(kubeconfigs.write(tmp_path / "k", {"lab": server.url}, token="t"))

    assert [item.state for item in clusters.describe()] == ["not connected"]
    assert server.asked == []


async def test_several_files_are_merged_and_missing_ones_passed_over(
    server: ApiServer, other: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kubeconfigs.write(tmp_path / "first", {"one": server.url}, token="a")
    second = kubeconfigs.write(tmp_path / "second", {"two": other.url}, token="b")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (tmp_path / "none", first, "", second))))
    clusters = Clusters.from_kubeconfig()
    await clusters.world("two")

    assert (clusters.names(), clusters.current) == (["one", "two"], "one")
    await clusters.close()


async def test_without_any_configuration_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownCluster, match=r"no cluster is configured: there is no kubeconfig. Set KUBECONFIG"):
        await Clusters.from_kubeconfig().world()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")

    assert Clusters.from_kubeconfig().names() == [IN_CLUSTER]
    with pytest.raises(ClusterUnreachable, match="the configuration of 'in-cluster' cannot be used"):
        await Clusters.from_kubeconfig().world()


async def test_the_usual_file_is_found(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".kube"
    folder.mkdir(parents=True)
    kubeconfigs.write(folder / "config", {"lab": server.url}, token="t")

    assert Clusters.from_kubeconfig().names() == ["lab"]


async def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArguments, match=r"there is no kubeconfig at .*/nowhere"):
        Clusters.from_kubeconfig(tmp_path / "nowhere")
    monkeypatch.setenv("KUBECONFIG", "/a:/b")
    with pytest.raises(InvalidArguments, match=r"there is no kubeconfig at /a, /b. Name one that is there"):
        Clusters.from_kubeconfig()


@pytest.mark.parametrize(
    "text", ["{broken: [yaml", "just words", "- a\n- list", "contexts: [1]", "contexts: 1", "\x00", "a: &a [*a"]
)
async def test_a_file_that_is_no_kubeconfig_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(f"{text}\n")
    with pytest.raises(InvalidArguments) as caught:
        Clusters.from_kubeconfig(path)

    assert f"{path} is no kubeconfig. `kubectl config view` shows what is wrong." == str(caught.value)


async def test_a_folder_or_bytes_are_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match="cannot be read"):
        Clusters.from_kubeconfig(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidArguments, match="is no kubeconfig"):
        Clusters.from_kubeconfig(tmp_path / "bytes")


async def test_an_unknown_context_names_the_nearest(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "k", {"prod-eu": server.url, "stage": server.url}, token="t")

    with pytest.raises(UnknownCluster, match=r"there is no cluster 'prod-ue'. Did you mean prod-eu\?"):
        Clusters.from_kubeconfig(path, "prod-ue")
    with pytest.raises(UnknownCluster, match=r"there is no cluster 'x'. There are: prod-eu, stage."):
        await Clusters.from_kubeconfig(path).world("x")


async def test_a_context_that_leads_nowhere_is_said_to_and_stops_no_other(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "k", {"lab": server.url}, token="t")
    config = json.loads(path.read_text())
    config["contexts"].append({"name": "lost", "context": {"cluster": "gone", "user": "me"}})
    path.write_text(json.dumps(config))
    clusters = Clusters.from_kubeconfig(path)
    with pytest.raises(ClusterUnreachable, match=r"the configuration of 'lost' cannot be used \(.*gone"):
        await clusters.world("lost")
    await clusters.world("lab")
    await clusters.close()


async def test_one_broken_context_does_not_hide_the_others(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "k", {"lab": server.url, "bare": ""}, token="t")
    config = json.loads(path.read_text())
    config["clusters"][1] = {"name": "bare"}
    path.write_text(json.dumps(config))
    clusters = Clusters.from_kubeconfig(path)

    with pytest.raises(ClusterUnreachable, match="the configuration of 'bare' cannot be used"):
        await clusters.world("bare")
    assert (await clusters.world("lab")).cluster == "lab"
    await clusters.close()


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxied"),
    [
        ("https://k8s.example.com:6443", "", True),
        ("https://k8s.example.com:6443", "k8s.example.com", False),
        ("https://k8s.example.com:6443", ".example.com", False),
        ("https://k8s.example.com:6443", "other.com, EXAMPLE.com", False),
        ("https://k8s.example.com:6443", "*", False),
        ("https://k8s.example.com:6443", "k8s.example.com:6443", False),
        ("https://k8s.example.com:6443", "k8s.example.com:443", True),
        ("https://notexample.com", "example.com", True),
        ("https://10.1.2.3", "10.1.2.3", False),
        ("https://10.1.2.3", "10.0.0.0/8,192.168.0.0/16", False),
        ("https://11.1.2.3", "10.0.0.0/8", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://127.0.0.1:6443", "", False),
        ("https://[::1]:6443", "", False),
        ("https://localhost:6443", "", False),
    ],
)
async def test_proxies_are_for_whom_no_proxy_does_not_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, proxied: bool
) -> None:
    """As kubectl does: names, domains, addresses, blocks, ports; never for loopback."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    path = kubeconfigs.write(tmp_path / "k", {"lab": url}, token="t")
    connection = await connect("lab", str(path), "lab")

    assert ("http://proxy.example:3128" if proxied else None) == connection.proxy


async def test_a_proxy_of_the_kubeconfig_itself_is_used(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever NO_PROXY says: it is meant for this server, which does not exist otherwise."""
    path = kubeconfigs.write(tmp_path / "k", {"lab": "http://nowhere.invalid"}, token="t")
    config = json.loads(path.read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = server.url
    monkeypatch.setenv("NO_PROXY", "*")
    path.write_text(json.dumps(config))
    clusters = Clusters.from_kubeconfig(path)
    await clusters.world()

    assert "/api/v1" in server.paths()
    await clusters.close()


async def test_a_kind_of_proxy_that_is_not_spoken_is_said_to_be_none(tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "k", {"lab": "https://k8s.example.com"}, token="t")
    config = json.loads(path.read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = "socks5://127.0.0.1:1080"
    path.write_text(json.dumps(config))

    with pytest.raises(ClusterUnreachable, match="'lab' is behind a proxy of the kind 'socks5'; only HTTP"):
        await Clusters.from_kubeconfig(path).world()


async def test_a_server_on_loopback_is_reached_in_spite_of_a_proxy(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    clusters = Clusters.from_kubeconfig(kubeconfigs.write(tmp_path / "k", {"lab": server.url}, token="t"))
    await clusters.world()

    assert [item.state for item in clusters.describe()] == ["connected"]
    await clusters.close()


def acting_as(path: Path, **user: object) -> str:
    named = {name.replace("_", "-").removeprefix("-"): value for name, value in user.items()}
    return str(kubeconfigs.write(path, {"lab": "https://lab.invalid"}, token="t", **named))


async def test_whom_a_kubeconfigs_user_acts_as_is_told_with_every_request(tmp_path: Path) -> None:
    extra = {"Reason": ["on call", "drill"], "example.com/team": ["blue"]}
    path = acting_as(tmp_path / "k", _as="viewer", as_groups=["staff"], as_uid="7", as_user_extra=extra)
    connection = await connect("lab", path, "lab")

    assert [item for item in await connection.sent({}) if item[0].startswith("Impersonate")] == [
        ("Impersonate-User", "viewer"),
        ("Impersonate-Group", "staff"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-reason", "on call"),
        ("Impersonate-Extra-reason", "drill"),
        ("Impersonate-Extra-example.com%2Fteam", "blue"),
    ]
    assert ("Impersonate-User", "alice") in await connection.acting("alice").sent({})
    assert ("Impersonate-User", "viewer") not in await connection.acting("alice").sent({})
    with pytest.raises(ValueError, match="on behalf of a user"):
        await connection.authorization()


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"as_groups": ["staff"]}, "whom its user acts as"),
        ({"_as": "a\nb"}, "characters that no header has"),
        ({"_as": ["a"]}, "whom its user acts as"),
        ({"_as": "a", "as_groups": 7}, "whom its user acts as"),
    ],
)
async def test_acting_as_nobody_in_particular_is_refused(tmp_path: Path, user: dict[str, object], words: str) -> None:
    with pytest.raises(ClusterUnreachable, match=words):
        await connect("lab", acting_as(tmp_path / "k", **user), "lab")
