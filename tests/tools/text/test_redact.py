"""Secrets are replaced; what only looks like one stays."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data import shared_data

from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.text.redact import redact, redact_lines, redact_object


def cases() -> list[dict[str, Any]]:
    with gzip.open(shared_data("redaction/dev.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


def hidden(case: dict[str, Any]) -> bool:
    text = redact(case["text"])
    return case["secret"] not in text if case.get("secret") else text != case["text"]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


@pytest.mark.requirement("text.redaction")
def test_nearly_all_core_secrets_are_hidden() -> None:
    assert share([hidden(case) for case in cases() if case["core"] and case["expected"] == "secret"]) >= 0.97


def test_nine_of_ten_secrets_of_all_kinds_are_hidden() -> None:
    assert share([hidden(case) for case in cases() if case["expected"] == "secret"]) >= 0.9


def test_hardly_a_clean_text_is_changed() -> None:
    assert share([redact(case["text"]) != case["text"] for case in cases() if case["expected"] == "clean"]) <= 0.03


def test_a_key_that_its_issuers_samples_print_is_hidden_only_where_it_is_called_secret() -> None:
    printed = "AIzaSyA5_iVawFQ8AB" + "uTZNUdcwERLJv_a_p4wtM"

    assert redact(f"the samples use {printed} for it") == f"the samples use {printed} for it"
    assert redact(f"the samples use {printed[:-1]}N for it") == f"the samples use {REDACTED} for it"
    assert redact(f"password={printed}") == f"password={REDACTED}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: hunter2x", f"password: {REDACTED}"),
        ("password: zQxP(jzQSV@XzQn4/3z", f"password: {REDACTED}"),
        ("password=mypw(secret99", f"password={REDACTED}"),
        ("DB_PASSWORD=correcthorse", f"DB_PASSWORD={REDACTED}"),
        ('{"db_password": "s3cr et", "x": 1}', f'{{"db_password": "{REDACTED}", "x": 1}}'),
        ("postgres://u:pa55w0rd@db:5432/x", f"postgres://u:{REDACTED}@db:5432/x"),
        ("Server=db;Password=Pa55word!;Timeout=5", f"Server=db;Password={REDACTED};Timeout=5"),
        ("Authorization: Basic dXNlcjpodW50ZXIy", f"Authorization: Basic {REDACTED}"),
        ("password=a;b&c,d9 next", f"password={REDACTED} next"),
        ("at=1;password=a;b&c,d9;user=me", f"at=1;password={REDACTED};user=me"),
        ("db:\n  password: it's'mine\"9\n  host: db", f"db:\n  password: {REDACTED}\n  host: db"),
        ("password: |\n  abc9\n  def9\nhost: db", f"password: |\n  {REDACTED}\nhost: db"),
        ("password: 'it''s mine'", f"password: '{REDACTED}'"),
        (r'{"m": "{\"password\": \"a1\\\"b2\"}"}', rf'{{"m": "{{\"password\": \"{REDACTED}\"}}"}}'),
        ('{"name":"DB_PASSWORD","value":"hunter2"}', f'{{"name":"DB_PASSWORD","value":"{REDACTED}"}}'),
        ("- name: API_TOKEN\n  value: hunter2x", f"- name: API_TOKEN\n  value: {REDACTED}"),
        ("app --api-token hunter2x -v", f"app --api-token {REDACTED} -v"),
        ("args:\n- --api-token\n- hunter2x", f"args:\n- --api-token\n- {REDACTED}"),
        ("<dbPassword>hunter2</dbPassword>", f"<dbPassword>{REDACTED}</dbPassword>"),
        ('{"auths":{"r":{"auth":"dTpodW50ZXIy"}}}', f'{{"auths":{{"r":{{"auth":"{REDACTED}"}}}}}}'),
        (
            "kind: Secret\nstringData:\n  a: b c\n  d: |\n    e\n",
            f"kind: Secret\nstringData:\n  a: {REDACTED}\n  d: |\n    {REDACTED}\n",
        ),
        ('{"kind":"Secret","data":{"a":"Yg=="}}', f'{{"kind":"Secret","data":{{{REDACTED}}}}}'),
    ],
)
def test_the_value_goes_and_what_is_around_it_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "secretName: web-tls-2024",
        'MountVolume.SetUp failed for volume "x" : secret "web-tls1" not found',
        "token: expired",
        "automountServiceAccountToken: false",
        "image: registry.example/shop/cart@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "max_tokens=4096",
        '{"name": "MAX_TOKENS_FILE", "value": "512"}',
        '"auth": "required1"',
        "kind: ConfigMap\ndata:\n  a: plainwords\n",
        "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJkekNDQVIyZ0F3SUJBZ0lCQURBS0Jn",
        "usage: app --token-file /etc/x --password-stdin now",
    ],
)
def test_names_of_secrets_digests_and_prose_stay(text: str) -> None:
    assert redact(text) == text


def test_a_private_key_goes_even_when_its_end_is_cut_off() -> None:
    begin = "-----BEGIN RSA " + "PRIVATE KEY-----"
    assert redact(f"before\n{begin}\nMIIEow\nabc") == f"before\n{REDACTED}"


def test_a_long_token_goes_although_a_stand_in_stands_in_it_by_chance() -> None:
    token = f"eyJhbGciOiJIUzI1NiJ9.eyJ{'Ab3dE5fG7h' * 10}xXxx{'k9LmN2pQ4r' * 10}.sig-1234567890"
    assert redact(f"got {token}") == f"got {REDACTED}"


def test_text_that_is_no_valid_unicode_is_redacted_all_the_same() -> None:
    assert redact("a\ud800 password=abc1234x") == f"a? password={REDACTED}"


def test_an_object_keeps_its_shape_without_its_secrets() -> None:
    env = [{"name": "DB_PASSWORD", "value": "hunter"}, {"name": "MODE", "value": "fast"}]
    secret = {
        "kind": "Secret",
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "shop"}},
        "data": {"a": "YQ=="},
        "stringData": {"b": "plain"},
    }

    assert redact_object([secret, {"env": env, "volumes": [{"secret": {"secretName": "tls-1234567"}}]}]) == [
        {
            "kind": "Secret",
            "metadata": {"annotations": {"team": "shop"}},
            "data": {"a": REDACTED},
            "stringData": {"b": REDACTED},
        },
        {
            "env": [{"name": "DB_PASSWORD", "value": REDACTED}, {"name": "MODE", "value": "fast"}],
            "volumes": [{"secret": {"secretName": "tls-1234567"}}],
        },
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "MAX_TOKENS", "value": "512"}, {"name": "MAX_TOKENS", "value": "512"}),
        ({"name": "API_TOKEN", "value": "$(OTHER)"}, {"name": "API_TOKEN", "value": "$(OTHER)"}),
        (["--api-token", "hunter2", "--v=1"], ["--api-token", REDACTED, "--v=1"]),
        (["--db-password=a,b&c", "x"], [f"--db-password={REDACTED}", "x"]),
        (["--token=$(TOKEN)"], ["--token=$(TOKEN)"]),
        ({"password": {"value": "hunter2"}}, {"password": {"value": REDACTED}}),
        ({"tokens": ["hunter2x"], "secrets": ["web-tls-1"]}, {"tokens": [REDACTED], "secrets": ["web-tls-1"]}),
        ({"secret": {"secretName": "web-tls-1"}}, {"secret": {"secretName": "web-tls-1"}}),
        (
            {"op": "add", "path": "/data/db.password", "value": "hunter2"},
            {"op": "add", "path": "/data/db.password", "value": REDACTED},
        ),
        ({"kind": "secrets", "patch": {"stringData": {}}}, {"kind": "secrets", "patch": {"stringData": REDACTED}}),
        ({"target": {"kind": "Secret"}, "body": {"a": 1}}, {"target": {"kind": "Secret"}, "body": {"a": REDACTED}}),
        ({"manifest": "kind: Secret"}, {"manifest": REDACTED}),
        (["mysql", "-u", "root", "-phunter2x"], ["mysql", "-u", "root", f"-p{REDACTED}"]),
        (["redis-cli", "-a", "hunter2x"], ["redis-cli", "-a", REDACTED]),
        (["grep", "-a", "pattern2x"], ["grep", "-a", "pattern2x"]),
        (
            {"kind": "SecretList", "items": [{"data": {"a": "YQ=="}}]},
            {"kind": "SecretList", "items": [{"data": {"a": REDACTED}}]},
        ),
        ({"name": "Cookie", "value": "session=hunter2x"}, {"name": "Cookie", "value": REDACTED}),
    ],
)
def test_a_value_is_judged_by_what_stands_around_it(given: Any, expected: Any) -> None:
    assert redact_object(given) == expected


@given(st.text(max_size=300))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=8, max_size=40), st.sampled_from(["=", ": ", '": "']))
def test_a_password_of_any_letters_never_survives_its_key(value: str, between: str) -> None:
    assert value not in redact(f"db_password{between}{value}1Q").replace("db_password", "")


@pytest.mark.parametrize(
    "token",
    [
        "shpat_" + "0a7f3c9d" * 4,
        "dapi" + "1b6e8f20" * 4,
        "PMAK-" + "2c91f0" * 4 + "-" + "3d" * 17,
        "sqp_" + "4e71c0a9d2" * 4,
        "pnu_" + "a1b2c3d4e5f6" * 3,
        "lin_api_" + "A1b2C3d4E5" * 4,
        "123456789:AA" + "Hq3_x9Z" * 4 + "abcde",
        "xkeysib-" + "5f0e91c7" * 8 + "-A1b2C3d4E5f6G7h8",
    ],
)
def test_tokens_of_many_issuers_are_known_by_their_form(token: str) -> None:
    assert redact(f"sent {token} to the API") == f"sent {REDACTED} to the API"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '<add key="ClearTextPassword" value="correct-horse" />',
            f'<add key="ClearTextPassword" value="{REDACTED}" />',
        ),
        ('if ("correct-horse" == password) {', f'if ("{REDACTED}" == password) {{'),
        ('<add key="PageSize" value="twenty-five" />', '<add key="PageSize" value="twenty-five" />'),
        ('if ("ready" == state) {', 'if ("ready" == state) {'),
    ],
)
def test_a_setting_of_xml_and_a_comparison_with_the_value_first(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_of_a_key_whose_beginning_is_cut_off_no_line_is_shown() -> None:
    kind = "RSA PRIVATE " + "KEY"
    lines = ["12:00 starting", "MIIEowIBAAKCAQEAx9", "Zm9vYmFyYmF6cXV4", f"-----END {kind}-----", "12:01 ready"]

    assert redact_lines(lines) == ["12:00 starting", REDACTED, REDACTED, REDACTED, "12:01 ready"]


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("SECRET_KEY", "a8Jd72kLmQ0pZx91vBtR", True),
        ("SECRET_KEY_BASE", "a8Jd72kLmQ0pZx91vBtR", True),
        ("STRIPE_KEY", "a8Jd72kLmQ0pZx91vBtR", True),
        ("STRIPE_KEY", "the-key-of-the-shop", False),
        ("STRIPE_KEY", "/etc/keys/stripe.pem", False),
        ("PARTITION_KEY", "a8Jd72kLmQ0pZx91vBtR", False),
        ("VAULT_PUBLIC_KEY", "a8Jd72kLmQ0pZx91vBtR", False),
        ("RELEASE", "a8Jd72kLmQ0pZx91vBtR", False),
    ],
)
def test_the_key_of_something_is_hidden_where_it_looks_drawn_by_lot(name: str, value: str, hidden: bool) -> None:
    variable = {"name": name, "value": value}

    assert redact_object(variable) == (variable | {"value": REDACTED} if hidden else variable)
