"""A question as PromQL: the rules' expressions with what is asked for as escaped label matchers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubesteward_tools.prometheus.rules import BY_POD, Alternative, Rule, alternatives
from kubesteward_tools.world.metrics.readings import Name, Question

LONGEST = 5000
"""Characters. Proxies cut addresses off at 8 KiB, and some of these grow by escaping."""

_LABELS = {
    "pods": ("namespace", "pod"),
    "containers": ("namespace", "pod", "container"),
    "namespaces": ("namespace",),
    "persistentvolumeclaims": ("namespace", "persistentvolumeclaim"),
    "nodes": ("node", "instance", "Hostname"),
}
_OWN = {level: labels[1:] or labels for level, labels in _LABELS.items()}
_META = re.compile(r"[.\\+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True)
class Expression:
    """`text` gives the values, `newest` the epoch second of the newest sample behind them."""

    text: str
    newest: str
    metrics: tuple[str, ...]


def expressions(question: Question) -> list[Expression]:
    """To be tried in order; empty where no rule fits. Too many names for one address are left to `name_of`."""
    return [
        next(made for matched in (True, False) if len((made := _made(item, question, matched)).text) <= LONGEST)
        for item in alternatives(question.query, question.level)
    ]


def _made(rules: Alternative, question: Question, by_name: bool) -> Expression:
    summed = question.level == "namespaces" and question.query in BY_POD
    texts, wholes, newest = [], [], []
    for rule in rules:
        select = _selector(rule, question, by_name)
        by = ", ".join(_labels(rule, "pods" if summed else question.level))
        texts.append(rule.build(select, by))
        wholes += [rule.whole(select, by)] if rule.whole else []
        newest.append(f"max(timestamp({select()}))")
    if summed:
        text = " / ".join(f"sum by (namespace) ({' or '.join(each)})" for each in (texts, wholes) if each)
    else:
        shares = [f"{part} / {whole}" for part, whole in zip(texts, wholes, strict=False)]
        text = " or ".join(shares or texts)
    return Expression(text, " or ".join(newest), tuple(dict.fromkeys(rule.metric for rule in rules)))


def _labels(rule: Rule, level: str) -> tuple[str, ...]:
    return tuple(rule.prefix + label for label in _LABELS[level])


def _selector(rule: Rule, question: Question, by_name: bool) -> Callable[..., str]:
    wanted = _matchers(rule, question, by_name)

    def select(*more: str, name: str = "") -> str:
        return f"{name or rule.metric}{{{','.join(filter(None, (rule.only, *wanted, *more)))}}}"

    return select


def _matchers(rule: Rule, question: Question, by_name: bool) -> list[str]:
    if question.level == "nodes":  # few, and what they are called is found out afterwards
        return []
    labels, found = _labels(rule, question.level), []
    if question.namespace:
        found.append(f"{labels[0]}={quoted(question.namespace)}")
    if question.names is not None and by_name:
        found.append(one_of(labels[:2][-1], sorted(question.names)))
    return found or [f'{labels[-1]}!=""']


def one_of(label: str, names: list[str]) -> str:
    """A matcher for any of these."""
    if len(names) == 1:
        return f"{label}={quoted(names[0])}"
    escaped = "|".join(_META.sub(r"\\\g<0>", name) for name in names)
    return f"{label}=~{quoted(escaped)}"


def quoted(text: str) -> str:
    """A PromQL string, escaped as in Go."""
    escaped = "".join(_ESCAPES.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in text)
    return f'"{escaped}"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def name_of(labels: Mapping[str, str], question: Question) -> Name | None:
    """Whose value it is; None where it is none of those that are asked for."""
    if question.level == "nodes":
        called = (labels.get(label, "") for label in _LABELS["nodes"])
        name = ("", next((found for item in called if (found := _node(item, question.nodes))), ""))
    else:
        plain = {label.removeprefix("exported_"): value for label, value in sorted(labels.items(), reverse=True)}
        namespace, own = plain.get("namespace", ""), "/".join(plain.get(item, "") for item in _OWN[question.level])
        name = ("", own) if question.level == "namespaces" else (namespace, own)
    return name if name[1] and question.wants(name) else None


def _node(called: str, nodes: Mapping[str, str]) -> str:
    """By name or address, with or without a port."""
    return nodes.get(called) or nodes.get(called.rpartition(":")[0].strip("[]")) or ""
