"""The engine: `cel-expr-python`, Google's C++ implementation, with Kubernetes' libraries as functions in Python.

It differs from the API server's cel-go in its words for errors, which are put right here, and in what it lacks:
comprehensions over two variables, functions that return optional values, and selectors of the authorizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from kubesteward_tools.twin.cel import library
from kubesteward_tools.twin.cel.engine import Failed, Invalid, Undecided

_BEYOND = (
    (r"\.\s*(?:all|exists|existsOne|exists_one)\s*\(\s*\w+\s*,\s*\w+\s*,", "comprehensions over two variables"),
    (r"\.\s*(?:transformList|transformMap|transformMapEntry)\s*\(", "comprehensions over two variables"),
    (r"\bformat\s*\.\s*\w+\s*\(", "the format library"),
    (r"\bstring\s*\(\s*(?:ip|cidr)\s*\(", "addresses as text"),
    (r"\.\s*(?:fieldSelector|labelSelector)\s*\(", "authorizer checks by selector"),
)
_WORDS = (
    (re.compile(r'Key not found in map : "?(.*?)"?$', re.DOTALL), r"no such key: \1"),
    (re.compile(r"divide by zero$"), "division by zero"),
    (re.compile(r"No matching overloads found : .*", re.DOTALL), "no such overload"),
    (re.compile(r"Applying SELECT to non-message type$"), "no such overload"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+$"), r"index out of bounds: \1"),
)
_CODE = re.compile(r"^[A-Z_]+: ")
_DYNAMIC = ("bool", "bytes", "double", "duration", "int", "list", "map", "null", "string", "timestamp", "uint")


def compile_expression(expression: str, names: frozenset[str]) -> _Program:
    """Raises Invalid with the compiler's words, Undecided for what the engine lacks."""
    for pattern, what in _BEYOND:
        if re.search(pattern, expression):
            raise Undecided(f"{what} cannot be evaluated")
    try:
        return _Program(_environment(names).compile(expression))
    except RuntimeError as error:
        text = _CODE.sub("", str(error))
        raise Invalid(re.sub(r" \[[A-Z_]+\]$", "", text)) from None


class _Program:
    def __init__(self, expression: Any) -> None:
        self._expression = expression
        self.result = str(expression.return_type().name()).lower()

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        try:
            value = self._expression.eval(data=dict(data))
            if value.type().name() != "ERROR":
                return value.plain_value()
            text = str(value.value())
        except RuntimeError as error:
            raise Undecided(f"the engine gave up: {error}") from None
        except (TypeError, SystemError):
            raise Undecided("its value has no plain form") from None
        raise Failed(_worded(text))


def _worded(text: str) -> str:
    text = _CODE.sub("", text)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text


@cache
def _environment(names: frozenset[str]) -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional

    extensions = [
        ext_optional.ExtOptional(),
        ext_bindings.ExtBindings(),
        ext_math.ExtMath(),
        ext_encoders.ExtEncoders(),
    ]
    variables = dict.fromkeys(sorted(names), cel.Type.DYN)
    return cel.NewEnv(variables=variables, extensions=extensions, functions=_declared(cel))


def _declared(cel: Any) -> list[Any]:
    """One declaration a name, with all of its overloads; a dynamic parameter takes an overload for each type."""
    overloads: dict[str, list[Any]] = {}
    for function in library.FUNCTIONS:
        for parameters in _expanded(function.parameters):
            name = f"{function.name}_{'_'.join(parameters)}_{'member' if function.is_member else 'global'}"
            types = [getattr(cel.Type, word.upper()) for word in parameters]
            result = getattr(cel.Type, function.result.upper())
            overloads.setdefault(function.name, []).append(
                cel.Overload(name, result, types, function.is_member, impl=function.call)
            )
    return [cel.FunctionDecl(name, found) for name, found in overloads.items()]


def _expanded(parameters: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    if not parameters:
        return [()]
    first = _DYNAMIC if parameters[0] == "dyn" else (parameters[0],)
    return [(word, *rest) for word in first for rest in _expanded(parameters[1:])]
