"""get_logs: what is asked of the server, what is made of the answer, and what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from tests.data import shared_data
from tests.tools.desk import NOW, TestDesk, shop

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import AskAgain, AskDifferently, InvalidArguments, ObjectNotFound, SteadyError
from kubesteward_tools.text.fence import fence
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.clock import timestamp

pytestmark = pytest.mark.anyio

TOOL = load_tools()["get_logs"]
START = NOW - 3600


async def logs(desk: Any, target: str = "deploy/web", **arguments: Any) -> Answer:
    answer = await TOOL.function(desk, target=target, **arguments)
    assert isinstance(answer, Answer)
    return answer


def stamped(*lines: str, start: float = START, step: float = 1.0) -> str:
    return "".join(f"{timestamp(start + n * step)} {line}\n" for n, line in enumerate(lines))


class Pods:
    """Three pods of a Deployment, whose logs a function tells; it remembers what it was asked."""

    def __init__(self, tell: Callable[[str], str], count: int = 3) -> None:
        store = shop(count).store
        self.names = sorted(pod["metadata"]["name"] for pod in store.objects("pods", "shop"))
        self.desk = TestDesk(store)
        self.asked: list[Mapping[str, str]] = []
        self.tell = tell
        self.at_once = self.most = 0

    async def ready(self) -> TestDesk:
        (await self.desk.clusters.world()).log = self.log  # type: ignore[method-assign] # a server's place
        return self.desk

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str:
        self.asked.append(query)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return self.tell(pod)


async def test_ten_thousand_similar_lines_are_a_few_templates_with_counts_and_times() -> None:
    def tell(pod: str) -> str:
        lines = [f"INFO request {n} from 10.0.{n % 256}.{n % 7} took {n % 97}ms" for n in range(5000)]
        lines[3000] = "ERROR dial tcp 10.0.0.7:5432: connect: connection refused"
        return stamped(*lines)

    answer = await logs(await Pods(tell, 2).ready(), since="2h")
    entries = answer.data["log"]

    assert [entry["count"] for entry in entries] == [9998, 2]
    assert entries[0]["text"] == "INFO request <*> from <*> took <*>"
    assert (entries[0]["at"], entries[0]["until"]) == (timestamp(START), timestamp(START + 4999))
    assert entries[1]["text"] == "ERROR dial tcp 10.0.0.7:5432: connect: connection refused"
    assert answer.data["lines"] == {"read": 10_000, "shown": 0, "folded": 10_000, "left_out": 0, "not_asked_for": 0}
    assert len(answer.text + answer.untrusted) < 900


async def test_all_pods_are_merged_in_time_under_their_short_names() -> None:
    pods = Pods(lambda pod: "", 2)
    first, second = pods.names
    told = {first: stamped("one", "three", step=2), second: stamped("two", "four", start=START + 1, step=2)}
    pods.tell = told.__getitem__
    answer = await logs(await pods.ready())
    short = [name.rsplit("-", 1)[1] for name in pods.names]

    assert answer.untrusted.split("\n") == [
        f"00:00:00 {short[0]} one",
        f"00:00:01 {short[1]} two",
        f"00:00:02 {short[0]} three",
        f"00:00:03 {short[1]} four",
    ]
    assert answer.data["containers"] == [f"{name}/app" for name in pods.names]


async def test_the_server_is_asked_for_no_more_than_is_wanted() -> None:
    pods = Pods(lambda pod: stamped("x"), 1)
    desk = await pods.ready()
    await logs(desk, since="15m", tail=50)
    await logs(desk)
    await logs(desk, hint="errors", previous=True, container="app")
    base = {"container": "app", "timestamps": "true", "limitBytes": "4194304"}

    assert pods.asked == [
        {**base, "tailLines": "50", "sinceSeconds": "900"},
        {**base, "tailLines": "1000"},
        {**base, "tailLines": "10000", "previous": "true"},
    ]


async def test_pods_are_read_at_the_same_time_but_not_all_at_once() -> None:
    pods = Pods(lambda pod: stamped("x"), 20)
    await logs(await pods.ready())

    assert (len(pods.asked), pods.most) == (20, 8)


async def test_a_pod_that_fails_is_named_and_the_others_are_shown() -> None:
    pods = Pods(lambda pod: "")

    def tell(pod: str) -> str:
        if pod == pods.names[1]:
            raise AskAgain("the kubelet does not answer.")
        return stamped("fine")

    pods.tell = tell
    answer = await logs(await pods.ready())

    assert f"NOT READ {pods.names[1]}/app: the kubelet does not answer." in answer.text
    assert answer.data["not_read"] == [f"{pods.names[1]}/app: the kubelet does not answer."]
    assert answer.data["log"][0]["count"] == 2


async def test_when_no_pod_answers_the_error_says_what_to_do() -> None:
    def tell(pod: str) -> str:
        raise AskDifferently(f'previous terminated container "app" in pod "{pod}" not found')

    desk = await Pods(tell).ready()
    with pytest.raises(SteadyError, match="ask with previous=false"):
        await logs(desk, previous=True)
    with pytest.raises(InvalidArguments, match="There are: app"):
        await logs(desk, container="nope")
    with pytest.raises(ObjectNotFound, match="Did you mean 'web'"):
        await logs(desk, target="deploy/wep")


async def test_a_log_that_is_longer_than_its_tail_says_so() -> None:
    answer = await logs(await Pods(lambda pod: stamped(*"abcdef"), 1).ready(), tail=6)

    assert "only the last 6 lines" in answer.text


async def test_a_pattern_picks_lines_with_their_neighbours_in_the_same_container() -> None:
    pods = Pods(lambda pod: "", 2)
    first, second = pods.names
    steps = [f"step {word}" for word in ("aa", "bb", "cc", "BOOM", "dd", "ee", "ff")]
    pods.tell = {first: stamped(*steps), second: stamped(*["other"] * 7)}.__getitem__
    answer = await logs(await pods.ready(), pattern="BO+M$")

    assert [line.rsplit(" ", 1)[1] for line in answer.untrusted.split("\n")] == ["bb", "cc", "BOOM", "dd", "ee"]
    assert [bool(entry.get("context")) for entry in answer.data["log"]] == [True, True, False, True, True]
    assert answer.data["lines"]["not_asked_for"] == 9


async def test_errors_that_a_hint_does_not_ask_for_are_still_counted() -> None:
    lines = ["GET / 200"] * 50 + ["ERROR x509: certificate signed by unknown authority"] * 4 + ["WARN heap at 94%"]
    answer = await logs(await Pods(lambda pod: stamped(*lines), 1).ready(), hint="out of memory")

    assert [entry["text"] for entry in answer.data["log"]] == ["WARN heap at 94%"]
    assert answer.data["other_errors"] == ["4x ERROR x509: certificate signed by unknown authority"]
    assert "OTHER ERRORS 4x ERROR" in answer.untrusted


async def test_a_hint_that_fits_nothing_shows_the_log_and_says_so() -> None:
    answer = await logs(await Pods(lambda pod: stamped("up", "ERROR no"), 1).ready(), hint="kafka")

    assert "Nothing fits" in answer.text
    assert "ERROR no" in answer.untrusted


async def test_a_pattern_that_fits_nothing_shows_nothing_but_the_errors_by_shape() -> None:
    answer = await logs(await Pods(lambda pod: stamped("up", "ERROR no"), 1).ready(), pattern="zebra")

    assert "Nothing fits" in answer.text
    assert (answer.data["log"], answer.data["other_errors"]) == ([], ["1x ERROR no"])


async def test_a_spike_is_marked_against_the_rest_of_the_window() -> None:
    lines = ["ERROR no" if 1800 <= n < 1860 or n % 900 == 0 else "fine" for n in range(3600)]
    answer = await logs(await Pods(lambda pod: stamped(*lines, start=NOW - 3600), 1).ready(), since="1h")

    assert "SPIKE 2026-11-21T00:30:00Z" in answer.text
    assert answer.data["spikes"][0]["errors"] >= 60


async def test_a_secret_is_gone_before_a_pattern_or_a_template_can_tell_it() -> None:
    lines = [f"login with password=hunter{n}{n}xyz ok" for n in range(3)]
    desk = await Pods(lambda pod: stamped(*lines), 1).ready()
    whole, guessed = await logs(desk), await logs(desk, pattern="hunter1")

    assert "hunter" not in json.dumps(whole.data) + whole.untrusted
    assert guessed.data["log"] == []


async def test_an_empty_log_says_what_to_ask_next() -> None:
    answer = await logs(await Pods(lambda pod: "", 1).ready())

    assert "Nothing was printed" in answer.text
    assert (answer.untrusted, answer.data["log"]) == ("", [])


async def test_a_log_of_all_different_lines_stays_within_the_budget() -> None:
    def word(n: int) -> str:
        return "".join(chr(97 + n // 26**k % 26) for k in range(5))

    lines = [
        f"{'ERROR' if n % 3 else 'INFO'} {word(n * 7919)} {' '.join(word(n * k) for k in range(3, 30))}"
        for n in range(4000)
    ]
    answer = await logs(await Pods(lambda pod: stamped(*lines)).ready(), since="2h")
    text = f"{answer.text}\n{fence(answer.untrusted, answer.source)}"

    assert len(text.encode()) / 4 <= 2000
    assert "left out" in text
    assert "To see what is left out" in text


async def test_the_same_log_gives_the_same_answer() -> None:
    pods = Pods(lambda pod: stamped(*(f"ERROR {pod} {n % 7} {n % 5}" for n in range(200))))
    desk = await pods.ready()

    assert await logs(desk, hint="errors") == await logs(desk, hint="errors")


async def test_a_bundle_obeys_since_and_tail_too_and_tells_a_pods_one_log_once() -> None:
    store = shop(1).store
    (name,) = (pod["metadata"]["name"] for pod in store.objects("pods", "shop"))
    log = "".join(f"2026-11-21 00:{n:02d}:00 INFO tick {'x' * n}\n" for n in range(30))
    desk = TestDesk(store, {f"shop/{name}": log})
    recent, last = await logs(desk, since="5m"), await logs(desk, tail=3)

    (entry,) = recent.data["log"]
    assert (entry["at"][11:16], entry["until"][11:16], entry["count"]) == ("00:24", "00:29", 6)
    assert last.data["lines"]["read"] == 3


def test_the_definition_costs_few_characters() -> None:
    hints = get_type_hints(TOOL.function, include_extras=True)
    fields = [item for hint in hints.values() for item in getattr(hint, "__metadata__", ())]
    words = [field.description or "" for field in fields]

    assert len(TOOL.description) + sum(map(len, words)) <= 1200


CASES = [
    ("rca-038", "app-23", "deploy/meme-deployment", "memcom", "DNS"),
    ("rca-056", "default", "job/product-data-scraper", "syntax error", "configuration"),
    (
        "rca-063",
        "app-09",
        "deploy/payment-processing-worker",
        "DEPLOY_ENV is undefined",
        "missing environment variable",
    ),
    ("rca-068", "namespace-84", "deploy/frontend", "Connection timeout to backend-service", "network"),
    ("rca-090", "calc-app", "calc-app-pod", "division by zero", "why does it crash"),
]


@pytest.mark.parametrize(("case", "namespace", "target", "line", "hint"), CASES)
async def test_the_decisive_line_of_a_real_case_is_shown_with_and_without_a_hint(
    case: str, namespace: str, target: str, line: str, hint: str
) -> None:
    class Saved:
        clusters = Clusters.from_bundle(Path(shared_data(f"rca/dev/{case}")))

        def now(self) -> float:
            return NOW

    for asked in ("", hint):
        answer = await logs(Saved(), target, namespace=namespace, hint=asked)

        assert line in answer.untrusted
        assert "Nothing fits" not in answer.text
