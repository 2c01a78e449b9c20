"""What stands in for a secret stays, by its whole form; a secret that only begins or sounds like that goes."""

from __future__ import annotations

import base64
import json

import pytest

from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.text.redact import redact

TOKEN = "Yq7" + "vZk2LmX9" * 3


@pytest.mark.parametrize(
    "text",
    [
        'curl -u "admin:${ADMIN_PASSWORD}" https://x',
        "curl -u bob:$PASSWORD https://x",
        "curl --user {user}:{password} https://x",
        'api_key = "00000000-0000-0000-0000-000000000000"',
        'api_key = "example-api-key"',
        'API_KEY="REPLACE_ME"',
        "secret_key = local.secret_key",
        'access_key = data.vault_secret.aws.data["access_key"]',
        "token: ((ci-token))",
        "token: %CI_TOKEN%",
        'token = config.get("token")',
        "token = readToken(user, scope)",
        'tokenEndpoint: "https://idp.example.com/oauth/token"',
        "tokenTTL: 24h0m0s",
        "total_tokens: 12345678",
        "existingSecret: my-release-postgresql",
        "existingSecretPasswordKey: postgres-password",
        "PWD=/home/app/src",
        "OLDPWD=/var/lib/app",
        "password: string",
        "password: ENC[AES256_GCM,data:Tr7o=,iv:1=,tag:k=,type:str]",
        "secret: vault:secret/data/app#api_key",
        'aws_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"',
        "err = s.validateSignatureOptions(ctx)",
        "X-Cache-Key: assets-app-js-12345678",
        "password: <your password>",
        "$token = $this->getToken();",
        "api_key = ENV['API_KEY']",
        "password = random_password.db.result",
        "msg=synced secret=shop/web-tls-2024a",
        "--from-file=ssh-privatekey=/path/to/.ssh/id_rsa",
        "Cookie: lang=en; theme=dark",
        "token: [your token]",
    ],
)
def test_a_stand_in_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "password",
    [
        *("$ecret123", "$uperS3cret!", "<hunter2", "[brackets1", "os.hunter2", "env.hunter2", "var.pass99"),
        *("example123", "changeme", "xxxx1234", "((paren9", "{curly9x", "hello(world)9", "%41bc9x", "vault:9x"),
        "$2a$10$" + "N9qo8uLOickgx2ZMRZoMye",
    ],
)
@pytest.mark.parametrize("form", ["DB_PASSWORD={}", '"password": "{}"', "password = '{}'"])
def test_a_password_that_begins_like_a_reference_or_says_example_goes(form: str, password: str) -> None:
    assert password not in redact(form.format(password))


@pytest.mark.parametrize("secret", ["changeme-prod-8f3a9d2c", "example-team-a8f3k29d", "your-mum-9f8a7c6b5d"])
def test_a_key_with_more_than_the_words_of_a_stand_in_goes(secret: str) -> None:
    assert secret not in redact(f'SECRET_KEY="{secret}"')
    assert secret not in redact(f"Authorization: Bearer {secret}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("postgres://u:my-example-", "@db:5432/x"),
        ("jdbc:oracle:thin:app/", "@db:1521/x"),
        ("app:", "@tcp(db:3306)/x?parseTime=true"),
        ("https://x.blob.core.windows.net/c/b?sv=2022&sig=", "&se=2025"),
        ("Authorization: ApiKey ", "=="),
        ('Authorization: Digest username="x", response="', '"'),
        ("Cookie: theme=dark; session=", ""),
        ("Set-Cookie: sid=", "; Domain=example.com; HttpOnly"),
        ("mysql -u root -p", " db"),
        ("docker login -u bob -p ", " registry.example"),
        ("sshpass -p ", " ssh x"),
        ("redis-cli -h r -a ", " ping"),
        ("kubectl create secret generic x --from-literal=a=1 --from-literal=b=", ""),
        ("ENV SECRET_TOKEN ", "\n"),
        ("env:\n- value: ", "\n  name: DB_PASSWORD"),
        ("MASTER_KEY=", ""),
        ('"passwords": ["', '", "other"]'),
        ("FlyV1 fm2_" + "aB3" * 40, ""),
    ],
)
def test_secrets_where_tools_and_protocols_write_them(before: str, after: str) -> None:
    assert TOKEN not in redact(f"{before}{TOKEN}{after}")


def test_text_in_base64_is_as_secret_as_what_it_says() -> None:
    key = f"-----BEGIN {'PRIVATE'} KEY-----\n{TOKEN}\n-----END {'PRIVATE'} KEY-----\n"
    login = json.dumps({"auths": {"registry.example": {"username": "bob", "password": TOKEN}}})
    config = f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: {TOKEN}\n"
    for text in (key, login, config):
        once = base64.b64encode(text.encode()).decode()
        twice = base64.b64encode(once.encode()).decode()
        lines = "\n".join(once[at : at + 76] for at in range(0, len(once), 76))

        assert [redact(f"x: {form}") for form in (once, twice, lines)] == [f"x: {REDACTED}"] * 3


def test_base64_that_says_nothing_secret_stays() -> None:
    plain = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIBdzCCAR2gAwIBAgIBADAKBggqhkjOPQQDAjAj\n").decode()
    digest = base64.b64encode(bytes(range(64))).decode()

    assert [redact(plain), redact(f"sha512-{digest}")] == [plain, f"sha512-{digest}"]


@pytest.mark.parametrize("unit", ["kind: Secret\n---\n", "password: [", "Cookie: a=b; ", "$key", "<", "a.b("])
def test_a_long_text_of_beginnings_takes_no_longer_than_its_length(unit: str) -> None:
    """Quadratic work on 300 kB would take minutes, and the run's own limit would end it."""
    assert redact(unit * (300_000 // len(unit)))
