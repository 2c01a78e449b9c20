"""Expressions as the documentation has them: what they come to, how they fail, and what nobody here can tell."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_tools.twin.cel import Failed, Invalid, Undecided, compiled
from kubesteward_tools.twin.cel.library import rights

OBJECT = {
    "replicas": 3,
    "labels": {"app": "web"},
    "ports": [80, 443],
    "memory": "512Mi",
    "nothing": None,
    "containers": [{"name": "app", "image": "registry.example/app:1"}],
}
NAMES = frozenset({"object", "authorizer"})


def value(expression: str) -> Any:
    """Whoever wants to create pods may, and nobody may do anything else."""

    def ask(question: dict[str, str]) -> tuple[bool, str]:
        return question["verb"] == "create" and question.get("resource") == "pods", "the rule for creators"

    own = {"group": "", "resource": "pods", "subresource": "", "namespace": "shop", "name": "web"}
    with rights.asking(ask):
        return compiled(expression, NAMES).evaluate({"object": OBJECT, "authorizer": rights.of_request(own)})


@pytest.mark.parametrize(
    "expression",
    [
        "object.replicas <= 3 && object.replicas > 2.5",
        "has(object.labels.app) && !has(object.labels.team)",
        "object.nothing == null",
        "object.containers.all(c, c.image.startsWith('registry.example/'))",
        "object.containers.exists_one(c, c.name == 'app')",
        "object.containers.map(c, c.name) == ['app']",
        "object.?labels.?team.orValue('none') == 'none'",
        "object.labels[?'app'].hasValue()",
        "object.?replicas.optMap(n, n + 1).orValue(0) == 4",
        "optional.ofNonZeroValue('').orValue('x') == 'x'",
        "[?object.?missing, 1].size() == 1",
        "cel.bind(n, object.replicas, n + n == 6)",
        "math.greatest(1, 2) == 2",
        "base64.decode('eA==') == b'x'",
        "duration('90s') > duration('1m')",
        "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
        "quantity(object.memory).isLessThan(quantity('1Gi'))",
        "quantity('1Gi') == quantity('1024Mi')",
        "quantity('1500m').add(quantity('500m')).asInteger() == 2",
        "quantity('3').sub(1).compareTo(quantity('2')) == 0",
        "quantity('-1').sign() == -1 && !quantity('100m').isInteger() && quantity('2k').isGreaterThan(quantity('1k'))",
        "quantity('500m').asApproximateFloat() == 0.5",
        "isQuantity('20Mi') && !isQuantity('20Mx')",
        "url('https://example.com:8443/a/b?x=1&x=2').getPort() == '8443'",
        "url('https://example.com/a?x=1&x=2').getQuery()['x'] == ['1', '2']",
        "url('https://[::1]:80/p').getHostname() == '::1' && url('https://u@h:1/p').getHost() == 'h:1'",
        "url('https://h/a%20b').getEscapedPath() == '/a%20b' && url('https://h').getScheme() == 'https'",
        "isURL('https://example.com') && isURL('/path') && !isURL('relative')",
        "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && isIP('1.2.3.4') && !isIP('1.2.3')",
        "ip('192.168.0.1').isGlobalUnicast() && ip('169.254.0.1').isLinkLocalUnicast()",
        "ip('0.0.0.0').isUnspecified() && !ip('10.0.0.1').isLoopback()",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip.isCanonical('::1') && !ip.isCanonical('0:0::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsIP(ip('10.9.9.9'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8",
        "cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && isCIDR('::/0') && !isCIDR('10.0.0.1')",
        "'abc 123 45'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
        "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']",
        "'web-1'.matches('^[a-z]+-[0-9]$')",
        "object.ports.indexOf(443) == 1 && object.ports.lastIndexOf(8080) == -1",
        "object.ports.isSorted() && object.ports.sum() == 523 && object.ports.min() == 80 && object.ports.max() == 443",
        "['b', 'a'].max() == 'b' && [].sum() == 0 && [1.5, 2.5].sum() == 4.0",
        "[1, [2, [3]]].flatten() == [1, 2, [3]] && [1, 1, 2].distinct() == [1, 2]",
        "[3, 1, 2].sort() == [1, 2, 3] && [1, 2, 3].slice(1, 2) == [2] && lists.range(2) == [0, 1]",
        "sets.contains([1, 2, 3], [2, 3]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        "semver('1.10.0').isGreaterThan(semver('1.9.3')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
        "semver('v1.2', true).minor() == 2 && isSemver('1.2.3') && !isSemver('v1.2.3')",
        "'%s has %d of %.1f'.format(['web', 3, 2.5]) == 'web has 3 of 2.5'",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b'",
        "'Hello'.lowerAscii() == 'hello' && 'Hello'.upperAscii() == 'HELLO' && ' x '.trim() == 'x'",
        "'banana'.replace('a', 'o', 2) == 'bonona' && 'abc'.charAt(1) == 'b' && 'abcd'.substring(1, 3) == 'bc'",
        "'banana'.indexOf('a', 2) == 3 && 'banana'.lastIndexOf('a') == 5 && strings.quote('a') == '\"a\"'",
        "authorizer.group('').resource('pods').namespace('shop').check('create').allowed()",
        "!authorizer.group('apps').resource('deployments').subresource('scale').name('web').check('update').allowed()",
        "authorizer.requestResource.check('create').reason() == 'the rule for creators'",
        "!authorizer.serviceAccount('shop', 'default').path('/healthz').check('get').allowed()",
        "!authorizer.requestResource.check('delete').errored()",
    ],
)
def test_what_the_documentation_promises_is_true(expression: str) -> None:
    assert value(expression) is True


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("object.labels['team'] == 'x'", "no such key: team"),
        ("object.labels.team == 'x'", "no such key: team"),
        ("object.ports[7] == 1", "index out of bounds: 7"),
        ("1 / (object.replicas - 3) == 1", "division by zero"),
        ("object.replicas + object.memory == 1", "no such overload"),
        ("quantity('20Mx').sign() == 1", "quantities must match"),
        ("object.ports.indexOf(80) == ip('x').family()", "parse error"),
        ("[].min() == 1", "min called on empty list"),
        ("object.labels.isInteger()", "no such overload"),
    ],
)
def test_errors_are_worded_as_the_api_server_words_them(expression: str, words: str) -> None:
    with pytest.raises(Failed, match=words):
        value(expression)


def test_what_is_true_in_any_case_does_not_fail() -> None:
    assert value("object.missing == 1 || object.replicas == 3") is True


@pytest.mark.parametrize(
    "expression",
    [
        "object.ports.all(i, p, p > i)",
        "object.labels.transformMap(k, v, v)",
        "format.dns1123Label().validate('x').hasValue()",
        "authorizer.group('').resource('pods').labelSelector('app=web').check('list').allowed()",
        "string(ip('::1')) == '::1'",
    ],
)
def test_what_the_engine_does_not_have_is_undecided_and_not_guessed(expression: str) -> None:
    with pytest.raises(Undecided):
        value(expression)


def test_an_expression_that_runs_away_is_stopped() -> None:
    digits = "[0,1,2,3,4,5,6,7,8,9]"
    runaway = "true"
    for letter in "abcdefg":
        runaway = f"{digits}.all({letter}, {runaway})"

    with pytest.raises(Undecided, match="budget"):
        value(runaway)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("object.replicas <", "ERROR: <input>:1:18: Syntax error"),
        ("params.max > 1", "undeclared reference to 'params"),
        ("object.name.nope()", "undeclared reference to 'nope'"),
        ("'a' + 1 == 2", "found no matching overload for '_[+]_'"),
    ],
)
def test_what_does_not_compile_is_refused_with_the_compiler_s_words(expression: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        value(expression)


def test_a_program_is_compiled_once() -> None:
    assert compiled("object.replicas > 0", NAMES) is compiled("object.replicas > 0", NAMES)
