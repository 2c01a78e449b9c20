"""Words become PromQL whose labels cannot be broken out of; addresses are those of contexts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.observe.get_metrics import Query
from kubesteward_tools.prometheus.addresses import addresses, shown
from kubesteward_tools.prometheus.expressions import LONGEST, expressions, name_of, one_of, quoted
from kubesteward_tools.prometheus.rules import alternatives
from kubesteward_tools.world.metrics.readings import LEVELS, Question

WORDS = get_args(Query)


def made(query: str, level: str = "pods", namespace: str = "", *names: str) -> list[str]:
    wanted = frozenset(names) if names else None
    return [item.text for item in expressions(Question(query, level, 1.0, 1.0, namespace, wanted))]


@pytest.mark.parametrize("query", WORDS)
def test_every_word_has_an_expression_for_pods_and_namespaces(query: str) -> None:
    assert made(query)
    assert made(query, "namespaces")


@pytest.mark.parametrize(("query", "level"), [(query, level) for query in WORDS for level in LEVELS])
def test_brackets_and_quotes_close(query: str, level: str) -> None:
    for text in made(query, level, "shop", "web-1", "web.2"):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)

        assert all(bare.count(left) == bare.count(right) for left, right in ("()", "[]", "{}"))
        assert '"' not in bare


def test_the_words_that_nodes_and_claims_do_not_have() -> None:
    assert [query for query in WORDS if not alternatives(query, "nodes")] == [
        "restarts",
        "error_rate",
        "latency_p99",
        "request_rate",
    ]
    assert [query for query in WORDS if alternatives(query, "persistentvolumeclaims")] == ["disk_usage"]


def test_a_pod_is_matched_exactly() -> None:
    assert made("cpu_usage", "pods", "shop", "web.1") == [
        "sum by (namespace, pod) (rate(container_cpu_usage_seconds_total"
        '{container!="",container!="POD",namespace="shop",pod="web.1"}[5m]))'
    ]
    assert 'pod=~"a\\\\.1|b"' in made("cpu_usage", "pods", "shop", "b", "a.1")[0]


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_a_string(text: str) -> None:
    found = quoted(text)
    inner = found[1:-1]

    assert re.fullmatch(r'(?:[^"\\\n]|\\.)*', inner)
    assert text == _go_string(found)


def _go_string(literal: str) -> str:
    """Read as Go does, in the escapes that are used."""
    short = re.sub(r"\\U([0-9a-f]{8})", lambda match: json.dumps(chr(int(match[1], 16)))[1:-1], literal)
    return str(json.loads(short, strict=False))


@given(st.lists(st.text("abc.-*|()[]\\", min_size=1, max_size=8), min_size=2, max_size=4, unique=True))
def test_a_pattern_of_names_matches_just_these(names: list[str]) -> None:
    pattern = json.loads(one_of("pod", names).partition("=~")[2])

    assert all(re.fullmatch(pattern, name) for name in names)
    assert not re.fullmatch(pattern, "".join(names) + "x")


def test_too_many_names_are_left_to_the_reader_of_the_answer() -> None:
    names = [f"checkout-7c9d8b6f5d-{number:05d}" for number in range(400)]
    (text,) = made("error_rate", "pods", "shop", *names)

    assert len(text) <= LONGEST
    assert names[0] not in text
    assert 'namespace="shop"' in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("http://p:9090/", {"now": "http://p:9090"}),
        ("prod=https://p/prometheus, dev=http://d", {"prod": "https://p/prometheus", "dev": "http://d"}),
        ("arn:aws:eks:eu-1:1:cluster/a=https://p", {"arn:aws:eks:eu-1:1:cluster/a": "https://p"}),
        ("http://p,dev=http://d", {"now": "http://p", "dev": "http://d"}),
    ],
)
def test_addresses_belong_to_contexts(text: str, expected: dict[str, str]) -> None:
    assert expected == addresses(text, "now")


@pytest.mark.parametrize(
    "text", ["p:9090", "ftp://p", "http://", "http://p?x=1", "http://p#x", "http://p:x", "a=http://b,a=http://c", "a="]
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_PROMETHEUS_URL"):
        addresses(text, "now")


def test_an_address_is_shown_without_credentials() -> None:
    assert shown("https://user:hunter2@p.example:9090/prom") == "p.example:9090/prom"


def test_containers_are_told_apart_and_named_with_their_pods() -> None:
    asked = Question("memory_usage", "containers", 60.0, 0.0, "shop", frozenset({"web-1", "web-2"}))
    (expression,) = expressions(asked)

    assert expression.text.startswith("sum by (namespace, pod, container) (container_memory_working_set_bytes{")
    assert 'pod=~"web-1|web-2"' in expression.text
    assert name_of({"namespace": "shop", "pod": "web-1", "container": "app"}, asked) == ("shop", "web-1/app")
    assert name_of({"namespace": "shop", "pod": "web-9", "container": "app"}, asked) is None
    assert expressions(replace(asked, query="restarts")) == []
