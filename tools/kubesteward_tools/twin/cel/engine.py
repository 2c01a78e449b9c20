"""What the twin wants of an engine for expressions, and the one place where one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol


class Invalid(Exception):
    """The expression does not compile; the text is the compiler's, as the API server gives it."""


class Failed(Exception):
    """The evaluation ended in an error, worded as the API server words it ("no such key: team")."""


class Undecided(Exception):
    """Nobody here can tell what it evaluates to: it goes beyond the engine. The text says why."""


class Program(Protocol):
    """A compiled expression."""

    @property
    def result(self) -> str:
        """The type that it evaluates to: "bool", "string", "dyn", ..."""
        ...

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """The value as plain data.

        Raises:
            Failed: the evaluation ended in an error.
            Undecided: it goes beyond the engine.
        """
        ...


@lru_cache(maxsize=4096)
def compiled(expression: str, names: frozenset[str]) -> Program:
    """The expression over variables of these names; programs are kept.

    Raises:
        Invalid: it does not compile.
        Undecided: it uses what the engine does not have.
    """
    from kubesteward_tools.twin.cel import cel_cpp

    return cel_cpp.compile_expression(expression, names)
