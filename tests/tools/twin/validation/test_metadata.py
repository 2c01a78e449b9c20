"""Labels that an API server takes, and those that it does not."""

from __future__ import annotations

import pytest

from kubesteward_tools.twin.resources import find
from kubesteward_tools.twin.validation.metadata import check


def _faults(labels: dict[str, str]) -> list[str]:
    kind = find("", "configmaps")
    assert kind is not None
    return [str(item) for item in check(kind, {"metadata": {"name": "x", "labels": labels}}, None)]


@pytest.mark.parametrize("key", ["app", "app.kubernetes.io/name", "A_b.c-1", "a" * 63])
def test_a_qualified_name_may_be_a_labels_key(key: str) -> None:
    assert _faults({key: "web"}) == []


@pytest.mark.parametrize("key", ["ключ", "", "-a", "a b", "/a", "UPPER.example/a", "a/b/c", "a" * 64])
def test_what_is_no_qualified_name_may_not(key: str) -> None:
    assert _faults({key: "web"})
