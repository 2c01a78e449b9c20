"""Certificates that have expired: of webhooks, in TLS Secrets by their metadata, and those of cert-manager."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, deployment, made, service, verdict

ADMISSION = "admissionregistration.k8s.io/v1"
GONE, VALID = "2026-03-01T00:00:00Z", "2027-03-01T00:00:00Z"


def _authority(until: str) -> str:
    """A caBundle that is valid for a year up to a time."""
    key, end = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.fromisoformat(until)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, end - datetime.timedelta(365), end)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return base64.b64encode(pem).decode()


def _webhook(bundle: str, policy: str = "Fail") -> list[lab.Object]:
    client = {"service": {"name": "guard", "namespace": "shop"}, "caBundle": bundle}
    hook = {"name": "guard.example.com", "failurePolicy": policy, "clientConfig": client}
    config = made("ValidatingWebhookConfiguration", "guard", "", ADMISSION, webhooks=[hook])
    return [config, *deployment("guard"), service("guard")]


def _served(secret: lab.Object) -> list[lab.Object]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    tls = [{"hosts": ["a.example.com"], "secretName": "web-tls"}]
    spec = {"ingressClassName": "nginx", "tls": tls, "rules": [rule]}
    ingress = made("Ingress", "front", "shop", "networking.k8s.io/v1", spec=spec)
    ours = made("IngressClass", "nginx", "", "networking.k8s.io/v1", spec={"controller": "k8s.io/ingress-nginx"})
    return [secret, ingress, ours, *deployment("web"), service("web")]


def _secret(**notes: str) -> lab.Object:
    return made("Secret", "web-tls", type="kubernetes.io/tls", data={"tls.crt": "x", "tls.key": "y"}, annotations=notes)


def test_a_webhook_whose_authority_has_expired_is_blamed_though_its_pods_run() -> None:
    found = verdict(_webhook(_authority(GONE)))

    assert blamed(found) == ("CertificateExpired", "ValidatingWebhookConfiguration", "guard")
    assert found.best.since == GONE


@pytest.mark.parametrize("bundle", [_authority(VALID), "", "bm8gUEVN", "%%%"])
def test_a_valid_or_unreadable_authority_is_no_fault(bundle: str) -> None:
    assert verdict(_webhook(bundle)).best.category == "Healthy"


def test_a_secret_whose_annotation_says_that_it_has_expired_is_blamed_with_who_uses_it() -> None:
    found = verdict(_served(_secret(**{"auth.openshift.io/certificate-not-after": GONE})))

    assert blamed(found) == ("CertificateExpired", "Secret", "web-tls")
    assert "Ingress shop/front uses it" in found.best.diagnosis


@pytest.mark.parametrize("notes", [{}, {"example.com/expiry": VALID}, {"example.com/expiry": "soon"}])
def test_a_secret_that_says_nothing_bad_is_well(notes: dict[str, str]) -> None:
    assert verdict(_served(_secret(**notes))).best.category == "Healthy"


def _issued(until: str, ready: str) -> lab.Object:
    condition = {"type": "Ready", "status": ready, "reason": "Failed", "message": "the issuer is not ready"}
    spec, status = {"secretName": "web-tls"}, {"notAfter": until, "conditions": [condition]}
    return made("Certificate", "web", "shop", "cert-manager.io/v1", spec=spec, status=status)


@pytest.mark.parametrize(("until", "ready"), [(GONE, "False"), (GONE, "True"), (VALID, "False")])
def test_a_certificate_that_is_not_renewed_or_not_issued_is_blamed(until: str, ready: str) -> None:
    found = verdict([_issued(until, ready), *_served(_secret())])

    assert blamed(found) == ("CertificateExpired", "Certificate", "web")
