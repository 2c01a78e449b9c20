"""What an expression of a policy or webhook sees: objects, request, parameters, variables and the authorizer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kubesteward_tools.twin import rbac
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.admission.reviewing import namespace_of, objects_of, request_of
from kubesteward_tools.twin.cel import Failed, Invalid, Program, Undecided, compiled
from kubesteward_tools.twin.cel.library import rights
from kubesteward_tools.twin.identity import CONTROL_PLANE, User

ALWAYS = frozenset({"object", "oldObject", "request", "namespaceObject"})
_MENTIONED = re.compile(r"\bvariables\s*\.\s*\??\s*(\w+)")
_MISSING = "no such key: "
_CONTROLLERS = "system:serviceaccount:kube-system:"
_MANAGER = {"username": "system:kube-controller-manager", "groups": ["system:authenticated"]}
"""What controllers are where they have no accounts of their own (--use-service-account-credentials=false)."""
_SECRET_PARTS = re.compile(r"\b(?:data|stringData)\b")


def view(attempt: Attempt) -> dict[str, Any]:
    """The variables that are the same for every expression about one attempt."""
    new, old = objects_of(attempt)
    kind = attempt.kind
    own = {
        "group": kind.group,
        "resource": kind.plural,
        "subresource": attempt.subresource,
        "namespace": attempt.namespace,
        "name": attempt.name,
    }
    return {
        "object": new,
        "oldObject": old,
        "request": request_of(attempt),
        "namespaceObject": namespace_of(attempt),
        "authorizer": rights.of_request(own),
    }


class Scope:
    """Evaluates expressions about one attempt, with the parameters of one binding. Variables wait until they are used.

    `evaluate` raises Failed with the API server's words, Undecided where nobody here can tell.
    """

    def __init__(self, attempt: Attempt, data: Mapping[str, Any], variables: Sequence[Mapping[str, str]] = ()) -> None:
        self._attempt = attempt
        self._data = dict(data)
        self._definitions = {item["name"]: item["expression"] for item in variables}
        self._values: dict[str, Any] = {}
        self._errors: dict[str, Failed | Undecided] = {}
        who = attempt.user
        self._is_controller = who == CONTROL_PLANE or (who.name.startswith(_CONTROLLERS) and who.is_superuser)
        self._unanswered: Undecided | None = None
        self._is_veiled = attempt.resource == "secrets" and any(map(_is_veiled, (attempt.obj, attempt.old)))

    def evaluate(self, expression: str, *, can_ask: bool = True) -> Any:
        """The value of one expression of a policy; its failure names it."""
        try:
            return self._value(expression, can_ask=can_ask)
        except Failed as error:
            raise Failed(f"expression '{expression}' resulted in error: {error}") from None

    def _value(self, expression: str, *, can_ask: bool) -> Any:
        if self._is_veiled and _SECRET_PARTS.search(expression):
            raise Undecided("the contents of Secrets are not read")
        mentioned = [name for name in _MENTIONED.findall(expression) if name in self._definitions]
        for name in mentioned:
            self._define(name)
        try:
            program = compiled(expression, self._names(can_ask=can_ask))
        except Invalid as error:
            raise Undecided(f"it does not compile here: {str(error).splitlines()[0]}") from None
        data = {**self._data, "variables": {name: self._values[name] for name in mentioned if name in self._values}}
        seen = {name: data[name] for name in self._names(can_ask=can_ask)}
        try:
            found = self._run(program, seen)
            if self._is_controller and "userInfo" in expression:
                manager = {**data["request"], "userInfo": _MANAGER}
                if self._run(program, {**seen, "request": manager}) != found:
                    raise Undecided("it depends on who the controllers are to the API server")
        except Failed as error:
            raise self._traced(error, mentioned) from None
        return found

    def _run(self, program: Program, data: Mapping[str, Any]) -> Any:
        self._unanswered = None
        with rights.asking(self._ask):
            try:
                return program.evaluate(data)
            finally:
                if self._unanswered is not None:
                    raise self._unanswered

    def _names(self, *, can_ask: bool) -> frozenset[str]:
        more = {"authorizer"} if can_ask else set()
        return frozenset({*(self._data.keys() - {"authorizer"}), *more, *(["variables"] if self._definitions else [])})

    def _define(self, name: str) -> None:
        """Once; what goes wrong is told to whoever needs the value."""
        if name in self._values or name in self._errors:
            return
        self._errors[name] = Undecided(f"variable {name} refers to itself")
        try:
            self._values[name] = self._value(self._definitions[name], can_ask=True)
            del self._errors[name]
        except (Failed, Undecided) as error:
            self._errors[name] = error

    def _traced(self, error: Failed, mentioned: Sequence[str]) -> Exception:
        """A variable that could not be had looks like a key that is missing."""
        name = str(error).removeprefix(_MISSING) if str(error).startswith(_MISSING) else ""
        found = self._errors.get(name) if name in mentioned else None
        if isinstance(found, Undecided):
            return found
        if found is not None:
            return Failed(f'composited variable "{name}" fails to evaluate: {found}')
        return error

    def _ask(self, question: dict[str, str]) -> tuple[bool, str]:
        user = self._attempt.user
        if self._is_controller and not question.get("user"):
            self._unanswered = Undecided("the rights of controllers are not known")
        if who := question.get("user"):
            namespace = who.split(":")[2]
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
            user = User(who, groups)
        verb = question["verb"]
        parts = ("group", "resource", "namespace", "name", "subresource", "path")
        decision = rbac.permits(self._attempt.store, user, rbac.Access(verb, **{p: question.get(p, "") for p in parts}))
        return decision.allowed, decision.reason


def _is_veiled(secret: Mapping[str, Any] | None) -> bool:
    """Whether a mirror has put hashes in place of the values."""
    return any(str(value).startswith("hmac:") for value in ((secret or {}).get("data") or {}).values())


def conditions_hold(scope: Scope, conditions: Sequence[Mapping[str, str]]) -> bool:
    """Whether every match condition is true; one that is false settles it, whatever the others come to.

    Raises:
        Failed: some could not be evaluated and none is false.
        Undecided: nobody here can tell.
    """
    errors, undecided = list[str](), list[Undecided]()
    for condition in conditions:
        try:
            if scope.evaluate(condition["expression"]) is False:
                return False
        except Failed as error:
            errors.append(str(error))
        except Undecided as error:
            undecided.append(error)
    if undecided:
        raise undecided[0]
    if errors:
        raise Failed(errors[0] if len(errors) == 1 else f"[{', '.join(dict.fromkeys(errors))}]")
    return True
