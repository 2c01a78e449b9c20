"""The reading tools answer briefly, say what they cover, and give no secret away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.desk import TestDesk, create, shop

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound, SteadyError
from kubesteward_tools.tool import Answer
from kubesteward_tools.world.store import Key, Object, Store

pytestmark = pytest.mark.anyio

TOOLS = load_tools()
CANARY = "kX9canaryQ7vLm2Zr8Tt4Wp"


async def ask(desk: TestDesk, tool: str, /, **arguments: Any) -> Answer:
    answer = await TOOLS[tool].function(desk, **arguments)
    assert isinstance(answer, Answer)
    return answer


def tokens(answer: Answer) -> float:
    """Both forms together, as a host that shows both would pay for them."""
    data = json.dumps(answer.data, separators=(",", ":"))
    return len((answer.text + answer.untrusted + data).encode()) / 4


def many_pods(broken: int = 20) -> Store:
    store = shop(1).store
    pod = store.objects("pods", "shop")[0]
    store.delete(Key("pods", "shop", pod["metadata"]["name"]))
    for number in range(500):
        name = f"checkout-7c9d8b6f5d-{number:05d}"
        store.put(Key("pods", "shop", name), _like(pod, name, broken=number % 25 == 0 and number // 25 < broken))
    return store


def _like(pod: Object, name: str, *, broken: bool) -> Object:
    copy: Object = json.loads(json.dumps(pod))
    copy["metadata"]["name"] = name
    if broken:
        copy["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
        for item in copy["status"]["containerStatuses"]:
            item |= {"state": waiting, "ready": False, "restartCount": 9}
    return copy


async def test_the_pods_that_are_not_ready_cost_few_tokens() -> None:
    answer = await ask(TestDesk(many_pods()), "list_resources", kind="pods", namespace="shop", status="not_ready")

    assert answer.data["total"] == 20
    assert tokens(answer) <= 2000


async def test_pages_cost_few_tokens_and_make_up_the_whole() -> None:
    desk, names, cursor = TestDesk(many_pods()), set[str](), ""
    for _ in range(10):
        page = await ask(desk, "list_resources", kind="pods", namespace="shop", cursor=cursor)
        assert tokens(page) <= 5000
        names |= {item["name"] for item in page.data["items"]}
        cursor = page.data["next_cursor"]

    assert (len(names), cursor) == (500, "")


async def test_a_cursor_belongs_to_its_question() -> None:
    desk = TestDesk(many_pods())
    page = await ask(desk, "list_resources", kind="pods", namespace="shop")

    for cursor, namespace in ((page.data["next_cursor"], ""), ("garbage", "shop")):
        with pytest.raises(InvalidArguments):
            await ask(desk, "list_resources", kind="pods", namespace=namespace, cursor=cursor)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"kind": "Deployment", "name": "wep", "namespace": "shop"}, "Did you mean 'web'?"),
        ({"kind": "Deployment", "name": "web", "namespace": "default"}, "It is in namespace 'shop'."),
        ({"kind": "StatefulSet", "name": "web", "namespace": "shop"}, "'web' is a Deployment."),
        ({"kind": "Deployment", "name": "web", "namespace": "shap"}, "It is in namespace 'shop'."),
        ({"kind": "Deploymnet", "name": "web"}, "Did you mean Deployment?"),
    ],
)
async def test_a_wrong_name_gets_one_sentence_with_the_right_one(arguments: dict[str, str], hint: str) -> None:
    with pytest.raises(SteadyError, match=r"there is no|has no kind") as caught:
        await ask(TestDesk(shop().store), "get_resource_yaml", **arguments)

    assert str(caught.value).endswith(hint)


async def test_a_namespace_that_is_not_there_is_no_empty_answer() -> None:
    with pytest.raises(ObjectNotFound, match="Did you mean 'shop'"):
        await ask(TestDesk(shop().store), "list_resources", kind="pods", namespace="shp")


async def test_an_answer_says_which_kinds_were_not_seen() -> None:
    desk = TestDesk(shop().store)
    (await desk.clusters.world()).forbidden["events"] = "events is forbidden"
    answer = await ask(desk, "cluster_overview")

    assert "NOT SEEN lab events: events is forbidden" in answer.text
    assert answer.data["scope"]["not_seen"] == {"lab events": "events is forbidden"}


async def test_events_of_a_workload_include_those_of_its_pods_told_once() -> None:
    answer = await ask(TestDesk(shop().store), "get_events", related_resource="deploy/web", since="1d")
    told = {item["reason"]: item for item in answer.data["events"]}

    assert told["Started"]["count"] == 3
    assert "ScalingReplicaSet" in told


async def test_logs_are_merged_by_time_and_picked_by_hint_and_pattern() -> None:
    store = shop(2).store
    first, second = (pod["metadata"]["name"] for pod in store.objects("pods", "shop"))
    logs = {
        f"shop/{first}/app": "2026-11-21T00:00:01Z GET / 200\n2026-11-21T00:00:03Z ERROR database refused\n",
        f"shop/{second}/app": "2026-11-21T00:00:02Z GET / 200\n"
        "2026-11-21T00:00:04Z Traceback (most recent call last):\n"
        '2026-11-21T00:00:04Z   File "a.py"\n2026-11-21T00:00:04Z ValueError: no\n',
    }
    desk = TestDesk(store, logs)
    whole = (await ask(desk, "get_logs", target="deploy/web", namespace="shop")).untrusted
    hinted = (await ask(desk, "get_logs", target="deploy/web", hint="database errors")).untrusted
    matched = (await ask(desk, "get_logs", target="deploy/web", pattern="ValueError")).untrusted

    assert [line.split(" ")[0] for line in whole.splitlines()[:3]] == ["00:00:01-00:00:02", "00:00:03", "00:00:04"]
    assert ("database refused" in hinted, "GET /" in hinted) == (True, False)
    assert "Traceback" in matched
    with pytest.raises(InvalidArguments, match="pattern"):
        await ask(desk, "get_logs", target="deploy/web", pattern="(a")


async def test_a_canary_in_every_field_that_may_hold_one_is_in_no_answer() -> None:
    cluster = shop(1)
    create(cluster, "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "s"}, "stringData": {"k": CANARY}})
    store = cluster.store
    key, pod = next(iter(store.items("pods", "shop")))
    canary: Object = json.loads(json.dumps(pod))
    last = json.dumps({"kind": "Secret", "stringData": {"k": CANARY}})
    canary["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": last,
        "note": f"password={CANARY}",
    }
    canary["spec"]["containers"][0]["env"] = [
        {"name": "DB_PASSWORD", "value": CANARY},
        {"name": "DSN", "value": f"postgres://app:{CANARY}@db/shop"},
    ]
    canary["spec"]["containers"][0]["args"] = [f"--token={CANARY}"]
    canary["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": f"password={CANARY}"}]
    store.put(key, canary)
    event = {"metadata": {"name": "e", "namespace": "shop"}, "type": "Warning", "reason": "Failed", "count": 1}
    about = {"kind": "Pod", "namespace": "shop", "name": key.name}
    event |= {"involvedObject": about, "message": f"token={CANARY}", "lastTimestamp": "2026-11-21T00:00:00Z"}
    store.put(Key("events", "shop", "e"), event)
    desk = TestDesk(store, {f"shop/{key.name}/app": f"password={CANARY}\nAuthorization: Bearer {CANARY}\n"})
    calls: list[tuple[str, dict[str, Any]]] = [
        ("cluster_overview", {"response_format": "detailed"}),
        ("list_resources", {"kind": "pods", "response_format": "detailed"}),
        ("list_resources", {"kind": "secrets", "response_format": "detailed"}),
        ("get_resource_yaml", {"kind": "secret", "name": "s", "response_format": "detailed"}),
        ("get_resource_yaml", {"kind": "pod", "name": key.name, "namespace": "shop", "response_format": "detailed"}),
        ("get_events", {"since": "9999d", "response_format": "detailed"}),
        ("get_logs", {"target": key.name, "namespace": "shop", "response_format": "detailed"}),
        ("simulate_impact", {"action": "delete", "kind": "pod", "name": key.name, "response_format": "detailed"}),
    ]
    for name, arguments in calls:
        answer = await ask(desk, name, **arguments)

        assert CANARY not in answer.text + answer.untrusted + json.dumps(answer.data), (name, arguments)
