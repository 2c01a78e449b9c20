"""Makes brains out of what was set up, and finds the one for a principal and a role. SDKs are loaded by asking one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward.reasoning.brains.base import Brain, BrainMisconfigured
from kubesteward.reasoning.brains.chain import Chain
from kubesteward.reasoning.brains.keys import ENVIRONMENT, find
from kubesteward.reasoning.brains.retry import Retry
from kubesteward.reasoning.brains.setups import BUILT_IN, Choice, Setup, Setups

if TYPE_CHECKING:
    from kubesteward.reasoning.brains.remote import RemoteBrain

MODELS: Mapping[str, str] = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}
"""Asked where nobody has named one: of each provider the one between the quickest and the largest."""
URLS: Mapping[str, str] = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "ollama": "http://127.0.0.1:11434",
}
URL_VARIABLES: Mapping[str, str] = {
    "anthropic": "ANTHROPIC_BASE_URL",
    "openai": "OPENAI_BASE_URL",
    "ollama": "OLLAMA_HOST",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """`why` is for the status: who or what has decided."""

    choice: Choice
    why: str


def made(setup: Setup, retry: Retry | None = None) -> RemoteBrain:
    """The brain of a set-up; nothing is connected to yet.

    Raises:
        BrainMisconfigured: its address is refused, or its key is not there.
    """
    from kubesteward.reasoning.brains.addresses import address
    from kubesteward.reasoning.brains.remote import Place

    setup.check()
    place = Place(
        name=setup.name,
        model=setup.model,
        address=address(setup.url, private=setup.private),
        key=find(setup.key) if setup.key else None,
        effort=setup.effort,
        retry=retry or Retry(),
    )
    return _class(setup.kind)(place)


def _class(kind: str) -> type[RemoteBrain]:
    match kind:
        case "anthropic":
            from kubesteward.reasoning.brains.anthropic import AnthropicBrain

            return AnthropicBrain
        case "openai":
            from kubesteward.reasoning.brains.openai import OpenAIBrain

            return OpenAIBrain
        case "openai-compatible":
            from kubesteward.reasoning.brains.openai_compatible import OpenAICompatibleBrain

            return OpenAICompatibleBrain
        case "ollama":
            from kubesteward.reasoning.brains.ollama import OllamaBrain

            return OllamaBrain
    raise BrainMisconfigured("There is no such kind of brain.")


def default_url(kind: str, environment: Mapping[str, str]) -> str:
    """Where a provider is asked if nobody said otherwise: the variable that its own tools go by, or its usual address.

    OLLAMA_HOST is also the address that Ollama listens at, so it may have no scheme and stand for all interfaces.
    """
    given = environment.get(URL_VARIABLES.get(kind, ""), "").strip()
    if kind == "ollama" and given:
        given = given if "://" in given else f"http://{given}"
        given = given.replace("://0.0.0.0", "://127.0.0.1", 1)
        scheme, _, host = given.partition("://")
        return given if ":" in host or scheme == "https" else f"{given.rstrip('/')}:11434"
    return given or URLS.get(kind, "")


def from_environment(environment: Mapping[str, str]) -> Setup | None:
    """The brain of a key in a variable, for those who have set up nothing else."""
    for kind, model in MODELS.items():
        variable = ENVIRONMENT[kind]
        if environment.get(variable, "").strip():
            return Setup(kind, kind, model, default_url(kind, environment), f"env:{variable}")
    return None


class Brains:
    """Finds and makes brains. `builtin` makes the one that needs no set-up; each is made once."""

    def __init__(
        self,
        setups: Setups | None,
        environment: Mapping[str, str],
        builtin: Callable[[], Brain],
        retry: Retry | None = None,
    ) -> None:
        self._setups = setups
        self._environment = environment
        self._builtin = builtin
        self._retry = retry
        self._made: dict[Setup | str, Brain] = {}
        self._chains: dict[tuple[Choice, tuple[int, ...]], Chain] = {}

    def chosen(self, principal: str, role: str) -> Chosen:
        """Which brains a principal's questions in a role go to: a choice, the only one set up, a key, or built in."""
        if self._setups is not None:
            if (choice := self._setups.chosen(principal, role)) is not None:
                return Chosen(choice, "it was chosen")
            if found := self._setups.all():
                return Chosen(Choice((found[0].name,)), "it was set up first")
        if (setup := from_environment(self._environment)) is not None:
            return Chosen(Choice((setup.name,)), f"{ENVIRONMENT[setup.kind]} is set")
        return Chosen(Choice((BUILT_IN,)), "no other brain is set up")

    def brain(self, principal: str, role: str) -> Brain:
        """The brain for a principal's questions in a role, or a chain of several.

        Raises:
            BrainMisconfigured: one of them cannot be made.
        """
        choice = self.chosen(principal, role).choice
        brains = [self.named(name) for name in choice.brains]
        if len(brains) == 1:
            return brains[0]
        which = (choice, tuple(map(id, brains)))  # the same chain for all, for it remembers who is offline
        if which not in self._chains:
            self._chains[which] = Chain(brains, may_leave=choice.may_leave)
        return self._chains[which]

    def named(self, name: str) -> Brain:
        """Raises BrainMisconfigured where there is none of that name, or it cannot be made."""
        found: Setup | str = BUILT_IN if name == BUILT_IN else self._setup(name)
        if found not in self._made:
            self._made[found] = self._builtin() if isinstance(found, str) else made(found, self._retry)
        return self._made[found]

    def _setup(self, name: str) -> Setup:
        setup = from_environment(self._environment)
        known = self._setups.all() if self._setups is not None else ()
        if setup is not None and setup.name == name and name not in {other.name for other in known}:
            return setup
        if self._setups is None:
            raise BrainMisconfigured(f"There is no brain {name!r}.", "Set one up with `kubesteward brain add`.")
        return self._setups.get(name)

    async def close(self) -> None:
        for brain in self._made.values():
            await brain.close()
        self._made.clear()
        self._chains.clear()
