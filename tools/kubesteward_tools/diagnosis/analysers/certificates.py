"""Certificates that have expired or will soon: of webhooks and API services, in TLS Secrets, of cert-manager."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import validity
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, condition, mapping, mappings, message_of, named, seconds, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.text.ages import ago
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

_HOOKS = (
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
)
_MANAGED = "certificates.cert-manager.io"
_SOON = 3 * 86400.0
_EXPIRED = re.compile(r"cert.{0,20}expired", re.I)


def analyse(scene: Scene) -> Iterator[Candidate]:
    yield from _bundles(scene)
    told = set[Key]()
    for found in _managed(scene):
        told |= set(found.suffers)
        yield found
    for key, secret in scene.all("secrets"):
        until = validity.told(secret) if key not in told else None
        if until is not None and until < scene.now + _SOON:
            yield _of_secret(scene, key, until)


def _bundles(scene: Scene) -> Iterator[Candidate]:
    """Webhooks and API services whose own authority is no longer valid, so that every call to them is refused."""
    for resource in _HOOKS:
        for key, config in scene.all(resource):
            for hook in mappings(config.get("webhooks")):
                until = validity.bundle(at(hook, "clientConfig").get("caBundle"))
                if until is not None and until < scene.now:
                    ignored = hook.get("failurePolicy") == "Ignore"
                    yield _of_bundle(scene, key, f"webhook {text(hook.get('name'))!r}", until, ignored=ignored)
                    break
    for key, service in scene.all("apiservices.apiregistration.k8s.io"):
        until = validity.bundle(at(service, "spec").get("caBundle"))
        if until is not None and until < scene.now:
            yield _of_bundle(scene, key, "API service", until, ignored=False)


def _of_bundle(scene: Scene, key: Key, what: str, until: float, *, ignored: bool) -> Candidate:
    effect = (
        "its failurePolicy is Ignore, so what it should watch over passes unseen"
        if ignored
        else "every request that has to go through it fails (x509: certificate has expired)"
    )
    sentence = (
        f"the certificate authority (caBundle) of the {what} of {named(key)} expired at {timestamp(until)}, "
        f"{ago(scene.now - until)} ago: the API server trusts no answer of it, and {effect}."
    )
    return Candidate(
        "CertificateExpired",
        key,
        sentence,
        0.7 if ignored else 0.92,
        (f"caBundle: valid until {timestamp(until)}", *_refused(scene)),
        fix="Renew the serving certificate and its authority, and write the new one into caBundle.",
        since=until,
    )


def _refused(scene: Scene) -> list[str]:
    """A call that failed for an expired certificate, as events tell."""
    said = (one.message for items in scene.warnings.values() for one in items if _EXPIRED.search(one.message))
    return [line for line, _ in zip(said, range(1), strict=False)]


def _managed(scene: Scene) -> Iterator[Candidate]:
    for key, certificate in scene.all(_MANAGED):
        status, ready = mapping(certificate.get("status")), condition(certificate, "Ready")
        until = seconds(status.get("notAfter"))
        secret = Key("secrets", key.namespace, text(at(certificate, "spec").get("secretName")))
        if until is not None and until < scene.now + _SOON:
            why = message_of(ready)
            yield _ending(scene, key, secret, until, why)
        elif ready.get("status") == "False":
            said = f"{ready.get('reason')}: {ready.get('message')}"
            sentence = f"the certificate {named(key)} for the Secret {secret.name!r} is not issued ({said})."
            yield Candidate(
                "CertificateExpired",
                key,
                sentence,
                0.66,
                (said,),
                fix="Look at its CertificateRequest, its issuer and the challenge.",
                since=seconds(ready.get("lastTransitionTime")),
                suffers=(secret, *_users(scene, secret)),
            )


def _of_secret(scene: Scene, key: Key, until: float) -> Candidate:
    return _ending(scene, key, key, until, "")


def _ending(scene: Scene, key: Key, secret: Key, until: float, why: str) -> Candidate:
    over = until < scene.now
    users = _users(scene, secret)
    when = f"expired at {timestamp(until)}, {ago(scene.now - until)} ago" if over else f"expires at {timestamp(until)}"
    lines = list(_complaints(scene))
    sentence = (
        f"the certificate in {named(secret)} {when}{f' ({why})' if why else ''}; "
        f"{', '.join(map(named, users[:4])) or 'nobody that is seen here'} {'uses' if len(users) < 2 else 'use'} it"
        f"{', so TLS connections are refused (x509: certificate has expired)' if over else ''}."
    )
    return Candidate(
        "CertificateExpired",
        key,
        sentence,
        0.9 if over and users else 0.55 if over else 0.45,
        (f"valid until {timestamp(until)}", *lines[:1]),
        () if lines or not over else ("no log that was read complains of it",),
        fix="Renew the certificate, and restart what does not read it again by itself.",
        since=until if over else None,
        suffers=(secret, *users),
    )


def _users(scene: Scene, secret: Key) -> tuple[Key, ...]:
    """Ingresses and workloads that name the Secret."""
    found = (scene.owner(edge.source) for edge in sorted(scene.graph.edges(secret)) if edge.target == secret)
    return tuple(dict.fromkeys(one for one in found if one.resource not in {"replicasets.apps", "namespaces"}))


def _complaints(scene: Scene) -> Iterator[str]:
    for workload, said in scene.spoken.items():
        for _, _, sign in said:
            if sign.kind == "certificate" and _EXPIRED.search(sign.line):
                yield f"log of {workload.name}: {sign.line}"
