"""Lists of any length are picked, sorted and cut from what is known of the objects, and nothing is left out unsaid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.bench.fleet.objects import Fleet
from tests.tools.desk import TestDesk, create, shop

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.errors import Forbidden, InvalidArguments
from kubesteward_tools.lookup.notes import note
from kubesteward_tools.text import cursor as cursors
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Key, Object, Store

pytestmark = pytest.mark.anyio

LIST = load_tools()["list_resources"]
PODS = 400


def pods(count: int = PODS, broken: int = 10) -> list[Object]:
    """Of a made-up fleet; every `count / broken`th crashes."""
    (found,) = [list(objects) for path, objects in Fleet(count, 10).lists() if path == "/api/v1/pods"]
    made = [{"apiVersion": "v1", "kind": "Pod", **pod} for pod in found]
    return [_broken(pod, number) if number % (count // broken) == 0 else pod for number, pod in enumerate(made)]


def _broken(pod: Object, number: int) -> Object:
    copy: Object = json.loads(json.dumps(pod))
    copy["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    for item in copy["status"]["containerStatuses"]:
        item |= {"state": waiting, "ready": False, "restartCount": number}
    return copy


def filled(store: Store, objects: list[Object]) -> Store:
    for obj in objects:
        store.put(Key("pods", obj["metadata"]["namespace"], obj["metadata"]["name"]), obj)
    return store


@pytest.fixture(scope="module")
def every() -> list[Object]:
    return pods()


@pytest.fixture(scope="module")
def packed(every: list[Object]) -> Store:
    return filled(Store(Packing(), note), every)


@pytest.fixture(scope="module")
def plain(every: list[Object]) -> Store:
    return filled(Store(), every)


async def ask(desk: TestDesk, **arguments: Any) -> Answer:
    answer = await LIST.function(desk, kind=arguments.pop("kind", "pods"), **arguments)
    assert isinstance(answer, Answer)
    return answer


async def all_names(desk: TestDesk, **arguments: Any) -> list[str]:
    names, cursor = list[str](), ""
    while True:
        data = (await ask(desk, cursor=cursor, **arguments)).data
        names += [f"{item['namespace']}/{item['name']}" for item in data["items"]]
        cursor = data["next_cursor"]
        if not cursor:
            return names


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"sort": "age"},
    {"sort": "restarts"},
    {"sort": "status"},
    {"status": "not_ready"},
    {"status": "crashloop", "sort": "restarts"},
    {"label_selector": "team in (team-01, team-02)"},
    {"field_selector": "spec.nodeName=node-0003"},
    {"field_selector": "status.phase!=Running"},
    {"field_selector": "spec.serviceAccountName=app-0007,metadata.namespace=team-07"},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_packed_objects_are_found_as_plain_ones_are(
    packed: Store, plain: Store, question: dict[str, Any]
) -> None:
    assert await all_names(TestDesk(packed), **question) == await all_names(TestDesk(plain), **question)


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("limit", [7, 500])
async def test_pages_of_any_length_make_up_the_same_list(plain: Store, question: dict[str, Any], limit: int) -> None:
    found = await all_names(TestDesk(plain), limit=limit, **question)

    assert found == await all_names(TestDesk(plain), **question)
    assert len(found) == len(set(found)) == (await ask(TestDesk(plain), **question)).data["total"]


@pytest.mark.parametrize("question", QUESTIONS[:8], ids=str)
async def test_only_what_is_shown_is_read(
    packed: Store, monkeypatch: pytest.MonkeyPatch, question: dict[str, Any]
) -> None:
    desk, keys, original = TestDesk(packed), set[Key](), Packing.read
    await desk.clusters.world()  # its graph reads everything once

    def reading(self: Packing, key: Key, content: bytes) -> Object:
        keys.add(key)
        return original(self, key, content)

    monkeypatch.setattr("kubesteward_tools.lookup.scope.moment", lambda world, now: now)
    monkeypatch.setattr(Packing, "read", reading)
    answer = await ask(desk, **question)

    assert len(keys) == len(answer.data["items"]) <= 50


@pytest.mark.parametrize("sort", ["name", "age", "restarts", "status"])
async def test_a_cursor_that_was_tampered_with_is_refused(plain: Store, sort: str) -> None:
    desk = TestDesk(plain)
    position = cursors.decode((await ask(desk, sort=sort)).data["next_cursor"])

    for forged in ([], 7, [None, 1, 2, 3], [[], "lab", "team-01", "x", "y"], ["", "lab", 5, "x"]):
        with pytest.raises(InvalidArguments, match="cursor"):
            await ask(desk, sort=sort, cursor=cursors.encode({**position, "a": forged}))


async def test_what_all_have_in_common_is_said_once(plain: Store) -> None:
    text = (await ask(TestDesk(plain), namespace="team-01")).text

    assert "Unless shown: " in text
    assert "STATUS Running" in text
    assert text.count("Running") == 1


async def test_a_namespace_heads_its_pods(plain: Store) -> None:
    lines = (await ask(TestDesk(plain))).text.splitlines()

    assert "namespace team-00:" in lines


async def test_columns_are_chosen_by_name(plain: Store) -> None:
    answer = await ask(TestDesk(plain), namespace="team-01", columns=["node", "Restarts"])

    assert {"name", "node", "restarts"} == set(answer.data["items"][0])
    with pytest.raises(InvalidArguments, match=r"no column 'nodes'.*There are: .*node, "):
        await ask(TestDesk(plain), columns=["nodes"])


async def test_a_status_that_nothing_has_is_answered_with_those_that_there_are(plain: Store) -> None:
    text = (await ask(TestDesk(plain), status="Craschloop")).text

    assert "No Pod has the status 'Craschloop' now. There are: Running (390), CrashLoopBackOff (10)." in text


async def test_a_kind_without_a_state_says_so() -> None:
    text = (await ask(TestDesk(shop(1).store), kind="configmaps", status="ready")).text

    assert "Objects of the kind ConfigMap are neither ready nor not ready." in text


async def test_a_field_that_no_object_has_is_named(plain: Store) -> None:
    text = (await ask(TestDesk(plain), field_selector="spec.node=node-0003")).text

    assert "Not one of these Pod objects has the field 'spec.node'" in text


def two_clusters() -> TestDesk:
    desk = TestDesk(Store())
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    sources = {name: BundleSource(shop(count).store, kinds, {}) for name, count in (("east", 2), ("west", 1))}
    desk.clusters = Clusters.of(sources)
    return desk


async def test_clusters_are_listed_together_and_in_order() -> None:
    answer = await ask(two_clusters(), clusters=["*"])

    assert [item["cluster"] for item in answer.data["items"]] == ["east", "east", "west"]


async def test_an_answer_that_lacks_a_cluster_says_so() -> None:
    desk = two_clusters()
    (await desk.clusters.world("west")).forbidden["pods"] = "pods is forbidden"
    answer = await ask(desk, clusters=["*"])

    assert (answer.data["total"], answer.data["complete"]) == (2, False)
    assert "INCOMPLETE, see NOT SEEN" in answer.text
    assert "NOT SEEN west pods: pods is forbidden" in answer.text


async def test_what_no_cluster_may_list_is_refused() -> None:
    desk = TestDesk(shop(1).store)
    (await desk.clusters.world()).forbidden["pods"] = "pods is forbidden"

    with pytest.raises(Forbidden, match="Nothing was read"):
        await ask(desk)


async def test_events_are_listed_with_what_they_say() -> None:
    items = (await ask(TestDesk(shop(1).store), kind="events", status="normal")).data["items"]

    assert {"type", "reason", "object", "message"} <= set(items[0])


@pytest.mark.parametrize("content", [{"status": "Synced"}, {"status": {"conditions": "none"}}, {"status": None}])
def test_an_object_of_any_shape_can_be_noted(content: Object) -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, **content}

    assert note(Key("widgets.example.com", "", "w"), obj).word == ""


async def test_a_budget_that_is_not_kept_is_not_ready() -> None:
    cluster = shop(1)
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    create(cluster, "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": spec})

    assert (await ask(TestDesk(cluster.store), kind="pdb", status="not_ready")).data["total"] == 1
