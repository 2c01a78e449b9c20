"""Every promise has a test, and every test that names a promise names one that was made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.requirements import REQUIREMENTS


def claimed() -> Iterator[tuple[str, str]]:
    """Ids of `@pytest.mark.requirement(...)` decorators, with where they stand."""
    for file in sorted(Path(__file__).parent.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement":
                    yield from ((ast.literal_eval(word), f"{file.name}: {node.name}") for word in mark.args)


def test_every_promise_has_a_test() -> None:
    assert set(REQUIREMENTS) - {promise for promise, _ in claimed()} == set()


def test_no_test_claims_a_promise_that_was_not_made() -> None:
    assert [(promise, where) for promise, where in claimed() if promise not in REQUIREMENTS] == []
