"""Who asks which brain: what they chose, what everybody chose, what is set up, a key, or the built-in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubesteward.reasoning.brains.base import BrainMisconfigured
from kubesteward.reasoning.brains.chain import Chain
from kubesteward.reasoning.brains.registry import Brains, default_url, from_environment, made
from kubesteward.reasoning.brains.setups import Choice, Setup, Setups
from kubesteward.store.store import Store

CLOUD = Setup("cloud", "anthropic", "claude-x", "https://api.anthropic.com", "env:LOOPBACK_KEY")
HERE = Setup("here", "ollama", "qwen3", "http://127.0.0.1:11434")
GATEWAY = Setup("gateway", "openai-compatible", "m", "http://vllm.ai.svc:8000/v1", private=True, effort="low")


@pytest.fixture
def setups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setups]:
    monkeypatch.setenv("LOOPBACK_KEY", "sk-1234567890")
    store = Store.open(tmp_path)
    yield Setups(store)
    store.close()


def brains(setups: Setups | None, **environment: str) -> Brains:
    built_in: Any = type("BuiltIn", (), {"name": "builtin", "local": True})
    return Brains(setups, environment, built_in)


def test_without_anything_the_built_in_one_is_asked(setups: Setups) -> None:
    for found in (brains(setups), brains(None)):
        assert found.brain("local:alice", "chat").name == "builtin"
        assert found.chosen("local:alice", "chat").why == "no other brain is set up"


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_key_in_its_usual_variable_is_enough(provider: str, setups: Setups, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"{provider.upper()}_API_KEY"
    monkeypatch.setenv(variable, "sk-1234567890")
    found = brains(setups, **{variable: "sk-1234567890"})

    assert found.brain("local:alice", "chat").provider == provider
    assert found.chosen("local:alice", "chat").why == f"{variable} is set"
    assert not found.brain("local:alice", "chat").local


def test_a_key_for_a_gateway_goes_to_the_gateway() -> None:
    found = from_environment({"ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_BASE_URL": "https://gateway.example"})

    assert found is not None
    assert found.url == "https://gateway.example"


def test_what_is_set_up_comes_before_a_key_and_the_first_before_others(setups: Setups) -> None:
    setups.add(HERE)
    setups.add(CLOUD)
    setups.add(Setup(**{**HERE.to_json(), "model": "qwen3:32b"}))
    found = brains(setups, ANTHROPIC_API_KEY="sk-1234567890")

    assert (found.brain("", "scanner").name, found.brain("", "scanner").model) == ("here", "qwen3:32b")
    assert found.brain("", "scanner") is found.brain("local:alice", "chat")


@pytest.mark.parametrize(
    ("principal", "role", "name"),
    [
        ("local:alice", "chat", "cloud"),
        ("local:alice", "scanner", "gateway"),
        ("local:bob", "scanner", "here"),
        ("local:bob", "chat", "gateway"),
        ("", "scanner", "here"),
        ("", "solver", "gateway"),
    ],
)
def test_ones_own_choice_comes_before_everybodys_and_one_for_the_role_before_any_other(
    setups: Setups, principal: str, role: str, name: str
) -> None:
    for setup in (CLOUD, HERE, GATEWAY):
        setups.add(setup)
    setups.choose("", "", Choice(("gateway",)))
    setups.choose("", "scanner", Choice(("here",)))
    setups.choose("local:alice", "", Choice(("gateway",)))
    setups.choose("local:alice", "chat", Choice(("cloud",)))

    assert brains(setups).brain(principal, role).name == name


def test_several_are_a_chain_that_stays_on_the_premises(setups: Setups) -> None:
    for setup in (CLOUD, HERE):
        setups.add(setup)
    setups.choose("", "", Choice(("here", "cloud", "builtin")))
    known = brains(setups)
    found = known.brain("", "chat")

    assert isinstance(found, Chain)
    assert known.brain("local:alice", "solver") is found
    assert [brain.name for brain in found._brains] == ["here", "builtin"]


def test_a_brain_that_is_removed_is_nobodys_choice_any_more(setups: Setups) -> None:
    for setup in (CLOUD, HERE):
        setups.add(setup)
    setups.choose("", "", Choice(("here", "cloud"), may_leave=True))
    setups.choose("local:alice", "chat", Choice(("here",)))
    setups.remove("here")

    assert setups.choices() == [("", "", Choice(("cloud",), may_leave=True))]
    assert setups.all() == (CLOUD,)


def test_a_choice_without_names_is_none(setups: Setups) -> None:
    setups.add(HERE)
    setups.choose("", "", Choice(("here",)))
    setups.choose("", "", Choice(()))

    assert setups.choices() == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "builtin"}, "name"),
        ({"name": "Two Words"}, "name"),
        ({"kind": "oracle"}, "no such kind"),
        ({"model": ""}, "needs a model"),
        ({"effort": "utmost"}, "no such effort"),
    ],
)
def test_what_cannot_be_set_up_is_told(setups: Setups, fields: dict[str, str], why: str) -> None:
    with pytest.raises(BrainMisconfigured, match=why):
        setups.add(Setup(**{**HERE.to_json(), **fields}))


def test_brains_and_roles_that_are_not_there_are_told(setups: Setups) -> None:
    setups.add(HERE)
    with pytest.raises(BrainMisconfigured, match="no such role"):
        setups.choose("", "poet", Choice(("here",)))
    with pytest.raises(BrainMisconfigured, match="Those set up: here"):
        setups.choose("", "", Choice(("there",)))
    with pytest.raises(BrainMisconfigured, match="no brain 'x'"):
        brains(None).named("x")


@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible", "ollama"])
def test_each_kind_makes_its_brain(setups: Setups, kind: str) -> None:
    found = made(Setup("one", kind, "m", "https://api.example.com/v1", "env:LOOPBACK_KEY"))

    assert (found.name, found.provider, found.local) == ("one", kind, False)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("http://box:8080", "http://box:8080"),
        ("https://box", "https://box"),
    ],
)
def test_the_variable_of_ollama_is_understood(given: str, meant: str) -> None:
    assert default_url("ollama", {"OLLAMA_HOST": given}) == meant


@pytest.mark.anyio
async def test_brains_are_made_once_and_closed(setups: Setups) -> None:
    setups.add(HERE)
    found = brains(setups)
    one = found.named("here")
    again = found.named("here")
    await found.close()

    assert one is again
    assert found.named("here") is not one
