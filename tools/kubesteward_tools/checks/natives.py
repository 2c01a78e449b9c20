"""What an expression cannot tell: Pod Security, the life of API versions, and values that look like secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_policies.check import Severity
from kubesteward_policies.checking import Situation
from kubesteward_tools.checks import lifecycle
from kubesteward_tools.checks.inventory import Subject
from kubesteward_tools.checks.units import Path


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong. `path` goes on from the unit, `details` are for machines."""

    message: str
    path: Path = ()
    severity: Severity | None = None
    details: Mapping[str, str] = field(default_factory=dict)


Native = Callable[[Situation, Subject, int | None], Iterator[Told]]


def _pod_security(level: str) -> Native:
    def told(_situation: Situation, subject: Subject, target: int | None) -> Iterator[Told]:
        from kubesteward_tools.twin.psa import violations
        from kubesteward_tools.twin.worlds import pod_of

        part = subject.part
        if part is None:
            return
        pod = pod_of({"metadata": {**part.metadata, "name": subject.ref.name}, "spec": part.spec})
        version = f"1.{target}" if target else "latest"
        for name, found in violations(_checked(pod), level, version):
            yield Told(f"{found.reason}: {found.detail}", details={"standard": name})

    return told


def _checked(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A pod that names containers, whatever else is wrong with it."""
    spec = pod.get("spec")
    return {**pod, "spec": {"containers": [], **(spec if isinstance(spec, Mapping) else {})}}


def _removed(_situation: Situation, subject: Subject, target: int | None) -> Iterator[Told]:
    found = lifecycle.of(subject.obj)
    if found is not None and found.removed_at(target):
        yield Told(found.sentence(), ("apiVersion",), details=found.details())


def _deprecated(_situation: Situation, subject: Subject, target: int | None) -> Iterator[Told]:
    found = lifecycle.of(subject.obj)
    if found is not None and found.deprecated_at(target) and not found.removed_at(target):
        yield Told(found.sentence(), ("apiVersion",), details=found.details())


def _too_new(_situation: Situation, subject: Subject, target: int | None) -> Iterator[Told]:
    found = lifecycle.of(subject.obj)
    if found is not None and target is not None and found.since and found.since > target:
        said = f"{found.api} {found.kind} is served from Kubernetes 1.{found.since} on, not by 1.{target}"
        yield Told(said, ("apiVersion",), details={"introduced_in": f"1.{found.since}"})


_SECRET = {
    *("password", "passwd", "pwd", "passphrase", "pass", "secret", "secrets", "token", "credential", "credentials"),
    *("apikey", "privatekey", "accesskey", "secretkey", "authkey"),
}
_HARMLESS_LAST = {
    *("name", "names", "file", "path", "dir", "url", "uri", "id", "ref", "length", "policy", "type", "ttl", "expiry"),
    *("size", "timeout", "lifetime", "validity", "minutes", "seconds", "hours", "days", "expiration", "expires"),
    *(
        "endpoint",
        "audience",
        "region",
        "rounds",
        "backend",
        "store",
        "format",
        "version",
        "method",
        "interval",
        "limit",
    ),
    *("required", "pattern", "regex", "iterations", "encoding", "driver", "field", "scope", "scopes", "server", "arn"),
    *("enabled", "provider", "mount", "count", "issuer", "algorithm", "header", "namespace", "prefix", "host", "port"),
}
_KEYS_OF_LOCKS = re.compile(
    r"(?:^|_)(?:api|access|secret|private|auth|account|encryption|signing|master|shared|storage|batch|service|client"
    r"|license|admin|ssh|deploy|session|app|application|aws|azure|gcp|oci|cli|data)_key(?:_(?:content|data|base64))?$"
)
_PRIVATE_KEY = re.compile(r"BEGIN [A-Z ]{0,30}PRIVATE KEY")
"""Also where the dashes around it are not as they should be."""
_SHORTEST = 3


def names_secret(name: str) -> bool:
    """Whether a variable or key of this name holds a secret and not where it is: AWS_SECRET_ACCESS_KEY, dbPassword."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = [word for word in re.split(r"[^A-Za-z0-9]+", plain.lower()) if word]
    if words in (["pwd"], ["oldpwd"]):  # a shell's working directory
        return False
    if not words or words[-1] in _HARMLESS_LAST or words[0] in {"public", "no", "allow", "max", "min", "use"}:
        return False
    return not _SECRET.isdisjoint(words) or _KEYS_OF_LOCKS.search("_".join(words)) is not None


def _holds_secret(name: str, value: Any) -> bool:
    from kubesteward_tools.text.likeness import belongs_to_key

    text = str(value)
    if not isinstance(value, str) or not text.strip():
        return False
    if names_secret(name):
        return len(text) >= _SHORTEST and belongs_to_key(text) and text.lower() not in {"true", "false"}
    return _is_secret(text)


def _is_secret(text: str) -> bool:
    """By its own shape: a private key, a token of a known issuer, a URL with a password."""
    from kubesteward_tools.text.likeness import REDACTED
    from kubesteward_tools.text.redact import redact

    return _PRIVATE_KEY.search(text) is not None or (REDACTED not in text and REDACTED in redact(text))


def _plain_environment(situation: Situation, _subject: Subject, _target: int | None) -> Iterator[Told]:
    for number, variable in enumerate(situation["container"].get("env") or ()):
        if isinstance(variable, Mapping) and _holds_secret(str(variable.get("name", "")), variable.get("value")):
            yield Told(f"variable {variable.get('name')} has its secret written in the manifest", ("env", number))


def _plain_configuration(_situation: Situation, subject: Subject, _target: int | None) -> Iterator[Told]:
    data = subject.obj.get("data")
    for key, value in data.items() if isinstance(data, Mapping) else ():
        if _holds_secret(str(key), value):
            yield Told(f"{key} looks like a secret, and whoever may read ConfigMaps sees it", ("data", str(key)))


def _plain_arguments(situation: Situation, _subject: Subject, _target: int | None) -> Iterator[Told]:
    from kubesteward_tools.text.redact import redact_object

    for name in ("command", "args"):
        given = situation["container"].get(name)
        parts = given if isinstance(given, list) else []
        for number, (text, shown) in enumerate(zip(parts, redact_object(parts), strict=True)):
            if isinstance(text, str) and (_is_secret(text) or _was_hidden(text, shown)):
                yield Told(f"{name}[{number}] has a secret in it", (name, number))


def _was_hidden(text: str, shown: str) -> bool:
    """What only its place tells, after `--password`; a file there holds the secret and is none."""
    from kubesteward_tools.text.likeness import REDACTED
    from kubesteward_tools.text.standins import is_file

    return shown != text and REDACTED in shown and REDACTED not in text and not is_file(text)


NATIVES: Mapping[str, Native] = {
    "api-deprecated": _deprecated,
    "api-removed": _removed,
    "api-too-new": _too_new,
    "plain-arguments": _plain_arguments,
    "plain-configuration": _plain_configuration,
    "plain-environment": _plain_environment,
    "pod-security-baseline": _pod_security("baseline"),
    "pod-security-restricted": _pod_security("restricted"),
}
