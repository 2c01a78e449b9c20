"""Arguments are taken as they are or refused with a way out."""

from __future__ import annotations

import pytest
from tests.server.mcp.fakes import CATALOGUE

from kubesteward.mcp.arguments import Arguments, compacted
from kubesteward_tools.analyse.simulate_impact import simulate_impact
from kubesteward_tools.errors import InvalidArguments


def refusal(tool: str, **given: object) -> str:
    with pytest.raises(InvalidArguments) as refused:
        Arguments(CATALOGUE[tool]).validate(given)
    return str(refused.value)


def test_defaults_are_filled_in() -> None:
    found = Arguments(CATALOGUE["look"]).validate({"namespace": "shop"})

    assert found == {"namespace": "shop", "limit": 20, "response_format": "concise", "labels": None}


def test_an_unknown_argument_is_refused_with_the_near_one() -> None:
    found = refusal("scale", name="web", replicas=2, dryrun=True)

    assert (
        found == "scale: unknown argument 'dryrun', did you mean 'dry_run'?. "
        "Allowed arguments: name, replicas, justification, dry_run, idempotency_key."
    )


def test_an_argument_of_an_action_is_led_to_where_it_belongs() -> None:
    with pytest.raises(InvalidArguments, match=r"unknown argument 'replicas', does it belong into 'params'\?"):
        Arguments(simulate_impact).validate({"action": "scale", "name": "web", "replicas": 2})


@pytest.mark.parametrize(
    "given", [{"limit": "3"}, {"limit": True}, {"limit": 2.5}, {"limit": 0}, {"namespace": 1}, {"labels": "a"}]
)
def test_nothing_is_coerced(given: dict[str, object]) -> None:
    found = refusal("look", **given)

    assert next(iter(given)) in found
    assert "https://" not in found


def test_rejected_values_are_not_echoed() -> None:
    assert "hunter2" not in refusal("look", limit="hunter2")


def test_a_missing_argument_is_named() -> None:
    assert refusal("scale", name="web").startswith("scale: 'replicas' is missing.")


def test_the_schema_forbids_unknown_arguments_and_has_no_noise() -> None:
    schema = Arguments(CATALOGUE["look"]).schema

    assert {"description": None, **schema} == {
        "type": "object",
        "additionalProperties": False,
        "description": None,
        "properties": {
            "namespace": {"type": "string", "description": "Namespace", "default": "default"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            "response_format": {"type": "string", "enum": ["concise", "detailed"], "default": "concise"},
            "labels": {"type": "array", "items": {"type": "string"}},
        },
    }


def test_every_tool_of_the_last_tier_takes_the_terms_of_the_gate() -> None:
    offered = {name: set(Arguments(tool).schema["properties"]) for name, tool in CATALOGUE.items()}

    assert {"justification", "dry_run", "idempotency_key"} <= offered["scale"]
    assert "dry_run" not in offered["look"]


def test_an_argument_that_is_called_title_survives() -> None:
    schema = {"properties": {"title": {"type": "string", "title": "Title"}}, "title": "X"}

    assert compacted(schema) == {"properties": {"title": {"type": "string"}}}


@pytest.mark.parametrize("number", [2**60, float("inf"), float("nan")])
def test_numbers_that_readers_disagree_on_are_refused(number: float) -> None:
    with pytest.raises(InvalidArguments, match="beyond"):
        Arguments(CATALOGUE["patch"]).validate({"patch": {"spec": [{"replicas": number}]}})
