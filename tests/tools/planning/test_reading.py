"""Sentences about changes are read exactly or refused with the part that is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.planning.reading import read, told


@pytest.mark.parametrize(
    ("intent", "understood"),
    [
        (
            "scale deployment web in shop to 5 and restart it",
            ["scale deployment web in shop to 5", "restart deployment web in shop"],
        ),
        ("drain node a, then b", ["drain node a", "drain node b"]),
        ("Drain nodes a and b.", ["drain node a", "drain node b"]),
        ("cordon a; drain a; uncordon it", ["cordon Node a", "drain Node a", "uncordon Node a"]),
        ("scale web to 0 in namespace shop", ["scale Deployment web in shop to 0"]),
        ("restart sts db, then scale deploy/web to 3 replicas", ["restart sts db", "scale deploy web to 3"]),
        ("set the image of web in shop to x.example/web:2", ["set_image Deployment web in shop to x.example/web:2"]),
        ("change image of web container app to nginx:1.27.1", ["set_image Deployment web to nginx:1.27.1"]),
        ("remove the configmap old in shop", ["delete configmap old in shop"]),
        ("evict pod a in shop and then evict b in shop", ["evict pod a in shop", "evict Pod b in shop"]),
        ("restart statefulset a, then b", ["restart statefulset a", "restart statefulset b"]),
        ("restart web and api in shop", ["restart Deployment web in shop", "restart Deployment api in shop"]),
    ],
)  # fmt: skip
def test_what_is_meant_is_read(intent: str, understood: list[str]) -> None:
    assert [told(item) for item in read(intent)] == understood


def test_the_container_is_read() -> None:
    assert read("set image of web container app to nginx:1")[0]["params"] == {"image": "nginx:1", "container": "app"}


@pytest.mark.parametrize(
    ("intent", "words"),
    [
        ("make web faster", "'make web faster' is not understood"),
        ("scale web up", "'scale web up' is not understood"),
        ("scale deployment web to 5, then fix the rest", "'fix the rest' is not understood"),
        ("restart it", "it is not said what 'it' is"),
        ("delete web", "names no kind"),
        ("scale web to 5, then db", "'db' is not understood"),
        ("", "names no change"),
        ("scale web to five", "is not understood"),
    ],
)
def test_what_is_not_understood_is_named(intent: str, words: str) -> None:
    with pytest.raises(InvalidArguments, match=words) as raised:
        read(intent)
    assert "restart statefulset db" in raised.value.todo or raised.value.todo.startswith("Say delete KIND")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(intent: str) -> None:
    try:
        found = read(intent)
    except InvalidArguments:
        return
    assert all(item["name"] for item in found)
