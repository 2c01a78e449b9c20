"""What a failure hangs on: objects of the graph, and what is no object but shared all the same (image, zone, ...).

A failure whose own words name an ancestor ('configmap "x" not found') is evidence by itself; others only hang on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubesteward_tools.correlation.failures import PEERS, Failure
from kubesteward_tools.correlation.families import EXPLAINS, Family, Kind
from kubesteward_tools.diagnosis import reading, routing
from kubesteward_tools.diagnosis.reading import mapping, named, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.world.store import Key

DOMAINS = {
    "topology.kubernetes.io/zone": "zone",
    "cloud.google.com/gke-nodepool": "node pool",
    "eks.amazonaws.com/nodegroup": "node group",
    "kubernetes.azure.com/agentpool": "agent pool",
    "karpenter.sh/nodepool": "node pool",
}
"""Labels by which nodes share their fate, and what to call that."""
RELEASES = ("app.kubernetes.io/instance", "argocd.argoproj.io/instance", "helm.sh/chart")
"""Labels that things carry which are rolled out together."""

_KINDS: dict[str, Kind] = {
    "nodes": "node",
    "configmaps": "config",
    "secrets": "config",
    "serviceaccounts": "account",
    "persistentvolumeclaims": "claim",
    "services": "service",
    "networkpolicies.networking.k8s.io": "policy",
}
_GIVEN = frozenset({("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")})
_WHEN_MISSING: Mapping[Kind, frozenset[Family]] = {
    **dict.fromkeys(EXPLAINS, frozenset[Family]()),
    "config": frozenset({"config", "volume"}),
    "account": frozenset({"create"}),
    "claim": frozenset({"schedule", "volume"}),
    "service": EXPLAINS["service"],
}
"""What becomes of a pod when such a thing is not there. One that runs already does not notice that a ConfigMap went."""
_SURE = 0.5
"""A call that is guessed with less is none."""
_NAMED = re.compile(
    r"\b(configmap|secret|serviceaccount|persistentvolumeclaim)s? \"(?:[\w.-]+/)?([\w.-]+)\" (?:is )?"
    r"not (?:found|bound)",
    re.I,
)
_ACCOUNT = re.compile(r"error looking up service account [\w.-]+/([\w.-]+)")
_QUOTA = re.compile(r"exceeded quota: ([\w.-]+)")
_HOOK = re.compile(r"(?:failed calling webhook|admission webhook) \"([\w.-]+)\"")
_UNREACHED = re.compile(
    r"no such host|i/o timeout|connection refused|no route to host|TLS handshake timeout|x509|toomanyrequests|"
    r"rate limit|\b(?:429|500|502|503|504)\b|unreachable|server misbehaving|deadline exceeded|request canceled",
    re.I,
)
_LACKS = re.compile(r"Insufficient ([\w./-]+)|Too many pods", re.I)
_PLURALS = {
    "configmap": "configmaps",
    "secret": "secrets",
    "serviceaccount": "serviceaccounts",
    "persistentvolumeclaim": "persistentvolumeclaims",
}


class Ancestor(NamedTuple):
    """`key` is the object, None where there is none; `name` then tells it apart, and `label` is how people say it."""

    kind: Kind
    name: str
    key: Key | None = None
    label: str = ""

    @property
    def said(self) -> str:
        return named(self.key) if self.key else self.label


class Ties(NamedTuple):
    """What one failure hangs on, and which of that its own words name."""

    ancestors: frozenset[Ancestor]
    named: frozenset[Ancestor]
    upstream: frozenset[Key]
    """Services it calls."""


def of_key(kind: Kind, key: Key) -> Ancestor:
    return Ancestor(kind, "/".join(key), key)


def ties(scene: Scene, failure: Failure) -> Ties:
    """Only what can explain a failure of its family."""
    told = {one for one in _told(scene, failure) if failure.family in EXPLAINS[one.kind]}
    found = {one for one in _all(scene, failure) if failure.family in EXPLAINS[one.kind]} | told
    upstream = frozenset(one.key for one in found if one.kind == "service" and one.key)
    return Ties(frozenset(found), frozenset(told), upstream)


def _all(scene: Scene, failure: Failure) -> Iterator[Ancestor]:
    if failure.node:
        yield of_key("node", Key("nodes", "", failure.node))
        yield from zones(scene, failure.node)
    if failure.family in {"lost", "node"}:
        return  # of a pod that is not heard of, only where it stands matters
    yield from _named_by_graph(scene, failure)
    yield from _classes(scene, failure.unit)
    if failure.family in EXPLAINS["image"]:
        yield from _images(scene, failure)
    yield from releases(scene, failure.unit)


def _named_by_graph(scene: Scene, failure: Failure) -> Iterator[Ancestor]:
    for start in filter(None, (failure.unit, failure.pod)):
        for edge in scene.graph.leading(start, None, down=True):
            other = edge.other(start)
            kind = _KINDS.get(other.resource)
            if kind is None or edge.optional or (other.resource, other.name) in _GIVEN:
                continue
            if edge.confidence >= _SURE and (not edge.dangling or failure.family in _WHEN_MISSING[kind]):
                yield of_key(kind, other)
                yield from _classes(scene, other)


def _classes(scene: Scene, claim: Key) -> Iterator[Ancestor]:
    if claim.resource == "persistentvolumeclaims":
        name = text(mapping(scene.get(claim).get("spec")).get("storageClassName"))
        if name:
            yield of_key("class", Key("storageclasses.storage.k8s.io", "", name))


def zones(scene: Scene, node: str) -> Iterator[Ancestor]:
    facts = scene.store.facts(Key("nodes", "", node))
    for label, word in DOMAINS.items() if facts else ():
        value = facts.labels.get(label) if facts else None
        if value:
            yield Ancestor("zone", f"{label}={value}", None, f"{word} {value}")


def releases(scene: Scene, unit: Key) -> Iterator[Ancestor]:
    """What a workload may have been rolled out with: all that bears one label, or all of its namespace."""
    facts = scene.store.facts(unit)
    if facts and unit.resource in SERVERS:
        yield Ancestor("rollout", f"{unit.namespace}/=", None, f"the roll-out in namespace {unit.namespace}")
    for label in RELEASES if facts else ():
        value = facts.labels.get(label) if facts else None
        if value:
            yield Ancestor("rollout", f"{unit.namespace}/{label}={value}", None, f"the roll-out of {label}={value}")


def images(scene: Scene, key: Key) -> set[str]:
    """Images of a pod or workload as they are written."""
    spec = scene.spec(key)
    return {image for item in reading.every(spec) if (image := text(item.get("image")))}


def registry(image: str) -> str:
    """The host that an image comes from."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _images(scene: Scene, failure: Failure) -> Iterator[Ancestor]:
    if failure.pod is None:
        return
    there = images(scene, failure.pod)
    if failure.family == "pull":
        told = " ".join(failure.told)
        there = {image for image in there if image in told} or there
    for image in there:
        yield Ancestor("image", image, None, f"image {image}")
        yield Ancestor("registry", registry(image), None, f"registry {registry(image)}")


def _told(scene: Scene, failure: Failure) -> Iterator[Ancestor]:
    """Ancestors that the failure's own words name."""
    space = failure.unit.namespace
    words = "\n".join(failure.told)
    for word, name in _NAMED.findall(words):
        resource = _PLURALS[word.lower()]
        yield of_key(_KINDS[resource], Key(resource, space, name))
    for name in _ACCOUNT.findall(words):
        yield of_key("account", Key("serviceaccounts", space, name))
    for name in _QUOTA.findall(words):
        yield of_key("admission", Key("resourcequotas", space, name))
    for name in webhooks(words):
        yield Ancestor("admission", f"webhook {name}", None, f"webhook {name}")
    if failure.family == "schedule" and (lacking := _LACKS.findall(words)):
        what = ", ".join(sorted({name or "pods" for name in lacking}))
        yield Ancestor("capacity", what, None, f"the nodes' {what}")
    yield from _pulled(scene, failure, words)
    yield from _peers(scene, failure)


def webhooks(words: str) -> list[str]:
    """Names of the webhooks that a message says have refused or failed."""
    return list(dict.fromkeys(_HOOK.findall(words)))


def _pulled(scene: Scene, failure: Failure, words: str) -> Iterator[Ancestor]:
    """An image that is not there speaks against the image, a registry that does not answer against the registry."""
    if failure.family != "pull" or failure.pod is None:
        return
    for image in images(scene, failure.pod):
        if image in words and not _UNREACHED.search(words):
            yield Ancestor("image", image, None, f"image {image}")
        elif _UNREACHED.search(words):
            yield Ancestor("registry", registry(image), None, f"registry {registry(image)}")


def _peers(scene: Scene, failure: Failure) -> Iterator[Ancestor]:
    """Services that the workload's logs say cannot be reached."""
    for _, _, sign in scene.spoken.get(failure.unit, ()):
        if sign.kind in PEERS and sign.peer and sign.last:
            service = routing.meant(scene, sign.peer, failure.unit.namespace)
            if service is not None:
                yield of_key("service", service)
