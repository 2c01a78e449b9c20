"""What looks like a secret in a manifest, and what only names where one is."""

from __future__ import annotations

import pytest

from kubesteward_tools.checks.natives import names_secret


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "dbPassword",
        "api-token",
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_STORAGE_KEY",
        "OCI_CLI_KEY_CONTENT",
        "jwtSecret",
        "credentials",
    ],
)
def test_a_name_can_say_that_its_value_is_a_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD_FILE",
        "secretName",
        "TOKEN_TTL",
        "PUBLIC_KEY",
        "PARTITION_KEY",
        "MAX_TOKENS_PER_SECOND_LIMIT_TYPE",
        "CACHE_KEY",
        "compass",
        "PWD",
        "TOKEN_BUCKET_SIZE",
        "PASSWORD_RESET_TIMEOUT",
        "SECRETS_BACKEND",
        "",
    ],
)
def test_a_name_can_say_that_its_value_is_none(name: str) -> None:
    assert not names_secret(name)
