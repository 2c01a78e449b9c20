"""Of a TLS Secret its certificate's dates and names are kept; of its key nothing, whatever shape it comes in."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubesteward_tools.cluster.intake import trimmed
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.world.certificates import certificates, of_secret

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def pair(name: str, days: float, *, authority: bool = False) -> tuple[str, str]:
    """Certificate and key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    host = x509.DNSName(f"{name.encode('ascii', 'ignore').decode()}.example.com")
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


def tls(values: dict[str, str], *, plain: bool = False) -> dict[str, object]:
    data = values if plain else {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    word = "stringData" if plain else "data"
    return {"metadata": {"name": "web-tls", "namespace": "shop"}, "type": "kubernetes.io/tls", word: data}


@pytest.mark.parametrize("plain", [False, True])
def test_the_dates_and_names_stay_and_the_key_goes(plain: bool) -> None:
    certificate, key = pair("shop", 20)
    kept = trimmed(tls({"tls.crt": certificate, "tls.key": key}, plain=plain), "Secret", "v1")
    ((where, (found,)),) = of_secret(kept)

    assert where == "tls.crt"
    assert found.ends == (NOW + timedelta(days=20)).timestamp()
    assert (found.subject, found.names, found.authority) == ("shop", ("shop.example.com",), False)
    text = json.dumps(kept)
    for line in key.splitlines()[1:-1] + certificate.splitlines()[1:-1]:
        assert line not in text
    assert kept["data"]["tls.key"].startswith("hmac:")
    assert " " not in kept["data"]["tls.key"]


def test_a_file_with_certificate_and_key_keeps_no_byte_of_the_key() -> None:
    certificate, key = pair("shop", 20)
    for text in (key + certificate, certificate + key, "note\n" + certificate + key):
        kept = trimmed(tls({"both.pem": text}), "Secret", "v1")

        assert len(list(of_secret(kept))) == 1
        assert not any(line in json.dumps(kept) for line in key.splitlines()[1:-1])


def test_the_values_of_a_secret_are_shown_to_nobody() -> None:
    kept = trimmed(tls({"tls.crt": pair("shop", 20)[0]}), "Secret", "v1")

    assert "shop.example.com" not in json.dumps(redact_object(kept))


def test_equal_values_are_still_known_as_equal() -> None:
    certificate, _ = pair("shop", 20)
    first, second = (trimmed(tls({"tls.crt": certificate}), "Secret", "v1") for _ in range(2))

    assert first["data"] == second["data"]


@pytest.mark.parametrize(
    "value",
    ["", "hunter2", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "x" * 300_000, "LS0tLS1CRUdJTg=="],
)
def test_what_is_no_certificate_is_kept_as_before(value: str) -> None:
    kept = trimmed(tls({"tls.crt": value}), "Secret", "v1")

    assert list(of_secret(kept)) == []
    assert len(kept["data"]["tls.crt"]) == len("hmac:") + 16


def test_a_chain_is_read_in_its_order() -> None:
    leaf, authority = pair("leaf", 20)[0], pair("authority", 10, authority=True)[0]
    found = certificates(leaf + "comment\n" + authority)

    assert [(item.subject, item.authority) for item in found] == [("leaf", False), ("authority", True)]
