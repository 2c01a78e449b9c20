"""From what the operator chose (names of packs, files, folders) to the texts, and from texts to compiled rules."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from kubesteward_policies import packs
from kubesteward_policies.documents import Sources, read
from kubesteward_policies.rules import RuleSet, RulesInvalid
from kubesteward_tools.errors import AskDifferently


class GuardrailsUnusable(AskDifferently):
    """The rules cannot be used, so nothing is executed until they can be."""

    code = "GUARDRAILS_UNUSABLE"


def gathered(chosen: Iterable[str]) -> Sources:
    """The texts of packs and files in the order they are named; of a folder, its *.yaml sorted by name.

    Raises:
        GuardrailsUnusable: no pack and no file has that name, or it cannot be read.
    """
    return tuple(pair for name in chosen for pair in _texts(name))


def _texts(name: str) -> Iterable[tuple[str, str]]:
    if name in packs.names():
        return [(name, packs.text(name))]
    path = Path(name).expanduser()
    try:
        paths = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not paths:
            raise GuardrailsUnusable(f"the folder {name} holds no *.yaml.", todo="Name a file of rules.")
        return [(str(item), item.read_text("utf-8")) for item in paths]
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(packs.names())
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        todo = f"KUBESTEWARD_POLICIES takes packs ({known}) and paths of YAML files."
        raise GuardrailsUnusable(f"the rules {name!r} cannot be read ({why}).", todo=todo) from None


@lru_cache(maxsize=16)
def rules_of(sources: Sources) -> RuleSet:
    """Compiled once for each set of texts.

    Raises:
        GuardrailsUnusable: says file, line and what is wrong.
    """
    from kubesteward_tools.twin.cel import compiled

    try:
        return read(sources, compiled)
    except RulesInvalid as error:
        raise GuardrailsUnusable(f"{error}.", todo="Mend it; `kubesteward policy check` looks again.") from None
