"""Reads rules from YAML, strictly: what is not known is refused with its line, for a misspelt key is a rule that does
not hold. Conditions are compiled here once, so that a rule that cannot be evaluated is found before it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kubesteward_policies.cel import Compile, Invalid, Undecided
from kubesteward_policies.rules import NAMES, Effect, Exemption, Match, Rule, RuleSet, RulesInvalid

if TYPE_CHECKING:
    from yaml.nodes import Node

_ID = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LISTS = ("tools", "verbs", "kinds", "namespaces", "clusters")
_VERBS = ("create", "update", "patch", "delete")
_RULE = ("id", "description", "match", "conditions", "effect", "message", "remediation", "exceptions")
_EXCEPTION = ("match", "justification", "granted_by", "until")
Sources = tuple[tuple[str, str], ...]


def read(sources: Sources, compiled: Compile) -> RuleSet:
    """The rules of several files as one set.

    Raises:
        RulesInvalid: one of them cannot be used, or two rules have one id.
    """
    rules = tuple(rule for name, text in sources for rule in _File(name).rules(text))
    known: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in known:
            first = known[rule.id]
            raise RulesInvalid(f"{rule.source}:{rule.line}: {rule.id!r} is a rule of {first.source}:{first.line} too")
        known[rule.id] = rule
        _compile(rule, compiled)
    return RuleSet(rules, sources)


def _compile(rule: Rule, compiled: Compile) -> None:
    for condition in rule.conditions:
        try:
            result = compiled(condition, NAMES).result
        except (Invalid, Undecided) as error:
            text = str(error).splitlines()[0]
            raise RulesInvalid(f"{rule.source}:{rule.line}: a condition of {rule.id!r}: {text}") from None
        if result not in {"bool", "dyn"}:
            why = f"is a {result} and has to be true or false"
            raise RulesInvalid(f"{rule.source}:{rule.line}: a condition of {rule.id!r} {why}")


class _File:
    """One YAML text. Methods take its nodes, which know their lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def rules(self, text: str) -> list[Rule]:
        import yaml

        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise RulesInvalid(f"{self._name}:{line}: no YAML: {error.problem}") from None
        except yaml.YAMLError as error:  # a character that no YAML may hold
            raise RulesInvalid(f"{self._name}:1: no YAML: {' '.join(str(error).split())}") from None
        if root is None:
            raise RulesInvalid(f"{self._name}:1: the file is empty; it needs `rules`")
        fields = self._fields(root, ("description", "rules"), "a file of rules")
        if "description" in fields:
            self._text(fields["description"], "description")
        return [self._rule(item) for item in self._items(self._need(root, fields, "rules"), "rules")]

    def _rule(self, node: Node) -> Rule:
        fields = self._fields(node, _RULE, "a rule")
        name = self._text(self._need(node, fields, "id"), "id")
        if not _ID.fullmatch(name):
            raise self._fault(fields["id"], f"{name!r} is no id: lower-case words, joined by dots, - or _")
        effect = self._one_of(self._need(node, fields, "effect"), [item.value for item in Effect], "effect")
        return Rule(
            id=name,
            effect=Effect(effect),
            message=self._text(self._need(node, fields, "message"), "message"),
            remediation=self._text(self._need(node, fields, "remediation"), "remediation"),
            description=self._text(fields["description"], "description") if "description" in fields else "",
            match=self._match(fields.get("match")),
            conditions=self._texts(fields["conditions"], "conditions") if "conditions" in fields else (),
            exemptions=tuple(map(self._exemption, self._items(fields.get("exceptions"), "exceptions"))),
            source=self._name,
            line=node.start_mark.line + 1,
        )

    def _match(self, node: Node | None) -> Match:
        if node is None:
            return Match()
        fields = self._fields(node, (*_LISTS, "tiers", "labels"), "a match")
        lists = {key: self._texts(fields[key], key) for key in _LISTS if key in fields}
        for verb in lists.get("verbs", ()):
            if verb not in _VERBS:
                raise self._fault(fields["verbs"], f"{verb!r} is no verb{_near(verb, _VERBS)}")
        return Match(**lists, tiers=self._tiers(fields.get("tiers")), labels=self._labels(fields.get("labels")))

    def _tiers(self, node: Node | None) -> tuple[int, ...]:
        texts = self._texts(node, "tiers") if node is not None else ()
        if node is not None and not {"1", "2", "3", "4"}.issuperset(texts):
            raise self._fault(node, "tiers are 1 to 4")
        return tuple(map(int, texts))

    def _labels(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        if node is None:
            return ()
        return tuple((key, self._text(value, key)) for key, value in self._pairs(node, "labels").items())

    def _exemption(self, node: Node) -> Exemption:
        fields = self._fields(node, _EXCEPTION, "an exception")
        until = self._need(node, fields, "until")
        return Exemption(
            self._match(self._need(node, fields, "match")),
            self._text(self._need(node, fields, "justification"), "justification"),
            self._text(self._need(node, fields, "granted_by"), "granted_by"),
            self._moment(until),
        )

    def _moment(self, node: Node) -> datetime:
        text = self._text(node, "until")
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise self._fault(node, f"until is a moment with its zone (2026-12-01T08:00:00Z), not {text!r}")
        return found

    def _fields(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        fields = self._pairs(node, what)
        for key, value in fields.items():
            if key not in known:
                raise self._fault(value, f"{what} has no {key!r}{_near(key, known)}")
        return fields

    def _pairs(self, node: Node, what: str) -> dict[str, Node]:
        from yaml.nodes import MappingNode, ScalarNode

        if not isinstance(node, MappingNode):
            raise self._fault(node, f"{what} is a mapping of keys to values")
        found: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.value in found:
                raise self._fault(key, f"{what} has a key twice, or one that is no word")
            found[key.value] = value
        return found

    def _need(self, node: Node, fields: dict[str, Node], key: str) -> Node:
        if key not in fields:
            raise self._fault(node, f"{key!r} is missing")
        return fields[key]

    def _items(self, node: Node | None, what: str) -> list[Node]:
        from yaml.nodes import SequenceNode

        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            raise self._fault(node, f"{what} is a list")
        return list(node.value)

    def _texts(self, node: Node, what: str) -> tuple[str, ...]:
        """At least one: an empty list would mean any, which nobody expects of it."""
        found = tuple(self._text(item, what) for item in self._items(node, what))
        if not found:
            raise self._fault(node, f"{what} is empty; leave it out to mean any")
        return found

    def _text(self, node: Node, what: str) -> str:
        from yaml.nodes import ScalarNode

        if not isinstance(node, ScalarNode) or not node.value.strip():
            raise self._fault(node, f"{what} is a text, and not an empty one")
        return str(node.value).strip()

    def _one_of(self, node: Node, known: Iterable[str], what: str) -> str:
        text, words = self._text(node, what), tuple(known)
        if text not in words:
            raise self._fault(node, f"{what} is one of {', '.join(words)}, not {text!r}{_near(text, words)}")
        return text

    def _fault(self, node: Node, message: str) -> RulesInvalid:
        return RulesInvalid(f"{self._name}:{node.start_mark.line + 1}: {message}")


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
