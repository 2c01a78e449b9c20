"""A rehearsal's digest is worked out once, and is of what it says."""

from __future__ import annotations

from kubesteward_policies.digest import digest
from kubesteward_tools.twin.rehearsal import Rehearsal


def test_a_copy_that_says_something_else_has_another_digest() -> None:
    first = Rehearsal(verdict="safe", admission=())
    assert first.digest == digest(first.model_dump(mode="json"))
    other = first.model_copy(update={"assumptions": ("the moon is full",)})
    assert other.digest == digest(other.model_dump(mode="json")) != first.digest


def test_whoever_has_asked_for_the_digest_finds_the_rehearsal_as_it_was() -> None:
    asked, fresh = Rehearsal(verdict="safe", admission=()), Rehearsal(verdict="safe", admission=())
    assert asked.digest
    assert asked == fresh
    assert asked.model_dump_json() == fresh.model_dump_json()
    assert Rehearsal.model_validate_json(asked.model_dump_json()).digest == asked.digest
