"""Rules are read strictly: a misspelt key would be a rule that does not hold."""

from __future__ import annotations

import pytest

from kubesteward_policies.documents import read
from kubesteward_policies.rules import Effect, RulesInvalid
from kubesteward_tools.twin.cel import compiled

WHOLE = """\
description: all of it
rules:
  - id: a.b-c
    description: why
    match: {tools: [x], tiers: [4], verbs: [patch], kinds: [Pod], namespaces: ["p*"], clusters: [c], labels: {l: v}}
    conditions: ['call.name == "web"', rehearsal.pods > 1]
    effect: require_two
    message: says
    remediation: do
    exceptions: [{match: {tools: [y]}, justification: j, granted_by: g, until: 2026-12-01T00:00:00Z}]
"""
RULE = "  - {id: r, effect: deny, message: m, remediation: d%s}\n"


def test_everything_that_is_documented_is_read() -> None:
    (rule,) = read((("f.yaml", WHOLE),), compiled).rules

    assert (rule.id, rule.effect, rule.source, rule.line) == ("a.b-c", Effect.REQUIRE_TWO, "f.yaml", 3)
    assert (rule.match.tiers, rule.match.labels, rule.rehearsed) == ((4,), (("l", "v"),), True)
    assert rule.exemptions[0].until.isoformat() == "2026-12-01T00:00:00+00:00"


@pytest.mark.requirement("guardrails.strict")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        (", efect: warn", "f.yaml:2: a rule has no 'efect'; did you mean 'effect'?"),
        (", match: {namespace: [a]}", "a match has no 'namespace'; did you mean 'namespaces'?"),
        (", match: {verbs: [pach]}", "'pach' is no verb; did you mean 'patch'?"),
        (", match: {tiers: [5]}", "tiers are 1 to 4"),
        (", match: {kinds: []}", "kinds is empty; leave it out to mean any"),
        (", match: [a]", "a match is a mapping"),
        (", match: {kinds: Pod}", "kinds is a list"),
        (", conditions: ['']", "conditions is a text, and not an empty one"),
        (", conditions: ['1 +']", "a condition of 'r': "),
        (", conditions: [objekt.spec]", "undeclared reference to 'objekt"),
        (", conditions: ['1 + 1']", "a condition of 'r' is a int and has to be true or false"),
        (", conditions: ['[1].all(a, b, true)']", "comprehensions over two variables cannot be evaluated"),
        (", message: twice", "a rule has a key twice"),
        (", exceptions: [{match: {}, granted_by: g, until: 2026-12-01T00:00:00Z}]", "'justification' is missing"),
        (", exceptions: [{match: {}, justification: j, granted_by: g}]", "'until' is missing"),
        (
            ", exceptions: [{match: {}, justification: j, granted_by: g, until: never}]",
            "until is a moment with its zone",
        ),
        (", exceptions: [{match: {}, justification: j, granted_by: g, until: 2026-12-01}]", "until is a moment"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(more: str, why: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        read((("f.yaml", "rules:\n" + RULE % more),), compiled)

    assert why in str(refused.value)
    assert str(refused.value).startswith("f.yaml:2: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "f.yaml:1: the file is empty"),
        ("- a", "a file of rules is a mapping"),
        ("rules:\n  - id: r\n   x: y", "f.yaml:3: no YAML"),
        ("rules: \x07", "f.yaml:1: no YAML"),
        ("description: d", "f.yaml:1: 'rules' is missing"),
        ("rules:\n  - {id: R, effect: deny, message: m, remediation: d}", "'R' is no id"),
        ("rules:\n  - {id: r, effect: block, message: m, remediation: d}", "effect is one of warn, require_approval"),
        ("rules:\n  - {id: r, effect: deny, message: m}", "'remediation' is missing"),
        ("rules:\n" + RULE % "" + RULE % "", "f.yaml:3: 'r' is a rule of f.yaml:2 too"),
    ],
)
def test_a_file_that_holds_no_rules_is_refused(text: str, why: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        read((("f.yaml", text),), compiled)

    assert why in str(refused.value)


def test_a_set_is_named_by_the_texts_it_was_read_from() -> None:
    one, same, other = (read((("f.yaml", text),), compiled) for text in (WHOLE, WHOLE, WHOLE + "# more\n"))

    assert one.digest == same.digest != other.digest
