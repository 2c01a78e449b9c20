"""Images that cannot be pulled: a name or tag that is not there, a registry that refuses or cannot be reached."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, count, kind_of, mappings, named, text, waiting
from kubesteward_tools.diagnosis.scene import Ailing, Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key

_REASONS = frozenset(
    [
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    ]
)
_POPULAR = [
    "alpine",
    "apache",
    "busybox",
    "cassandra",
    "debian",
    "elasticsearch",
    "golang",
    "grafana",
    "haproxy",
    "httpd",
    "influxdb",
    "java",
    "jenkins",
    "kafka",
    "mariadb",
    "memcached",
    "mongo",
    "mysql",
    "nginx",
    "node",
    "openjdk",
    "php",
    "postgres",
    "prometheus",
    "python",
    "rabbitmq",
    "redis",
    "ruby",
    "tomcat",
    "traefik",
    "ubuntu",
    "vault",
    "wordpress",
    "zookeeper",
]
_WHY: tuple[tuple[str, str, str], ...] = (
    (
        r"toomanyrequests|rate limit|429",
        "the registry's pull rate limit is reached (too many requests)",
        "Log in to the registry with imagePullSecrets, or pull from a mirror.",
    ),
    (
        r"no match for platform|no matching manifest|exec format",
        "the image has no build for the node's architecture (platform)",
        "Use an image built for that platform, or select other nodes.",
    ),
    (
        r"no such host|server misbehaving|lookup ",
        "the registry's host name cannot be resolved (DNS: no such host)",
        "Correct the registry's host in the image name, or the node's DNS.",
    ),
    (
        r"i/o timeout|deadline exceeded|connection refused|no route|unreachable|TLS handshake timeout|"
        r"request canceled|EOF",
        "the registry cannot be reached from the node (connection refused or timeout)",
        "Check the registry's address and the node's way to it: proxy, firewall, air gap.",
    ),
    (
        r"x509|certificate|server gave HTTP response to HTTPS client",
        "the registry's TLS certificate is not trusted, or it speaks plain HTTP",
        "Give the nodes the registry's CA, or configure it as insecure.",
    ),
    (
        r"manifest unknown|manifest for .* not found|: not found|NotFound",
        "this image or tag does not exist in the registry (not found)",
        "Set an image name and tag that exist.",
    ),
    (
        r"401|unauthorized|authentication required|403|forbidden|denied|no basic auth credentials|"
        r"insufficient_scope|authorization failed",
        "the registry refuses access: the repository does not exist, or it is private and the credentials "
        "(imagePullSecrets) are missing or wrong (pull access denied, unauthorized)",
        "Correct the image name, or create a docker-registry Secret and name it in imagePullSecrets.",
    ),
    (r"couldn't parse image|invalid reference", "the image name is not a valid reference", "Correct the image name."),
)


def analyse(scene: Scene) -> Iterator[Candidate]:
    for item in scene.ailing:
        reason, message = waiting(item.status)
        if reason in _REASONS:
            yield _candidate(scene, item, reason, message)


def _candidate(scene: Scene, item: Ailing, reason: str, message: str) -> Candidate:
    image = text(item.container.get("image")) or text(item.status.get("image"))
    warned = scene.warned(
        item.pod_key, "Failed", "InspectFailed", "ErrImageNeverPull", "FailedToRetrieveImagePullSecret"
    )
    told = [one.message for one in warned if "Failed to pull" in one.message or "pull" in one.message.lower()]
    said = " ".join([message, *told])
    why, fix = _why(reason, said)
    secrets = _missing_secrets(scene, item)
    if secrets:
        why += f"; the imagePullSecret {secrets[0].name!r} that it names does not exist (secret not found)"
        fix = f"Create the Secret {secrets[0].name!r} in namespace {secrets[0].namespace}, or correct imagePullSecrets."
    near = _misspelt(image)
    if near:
        why += f"; {image.partition(':')[0]!r} looks like a typo of {near!r}"
        fix = f"Use image {near!r} (check the spelling)."
    sentence = (
        f"container {item.name!r} cannot pull its image {image!r} ({reason}): {why}. "
        f"{count(item.pods, 'pod')} of {named(item.workload)} cannot start."
    )
    fixed = image.replace(image.partition(":")[0].rpartition("/")[2], near) if near else ""
    return Candidate(
        "ImagePull",
        item.workload,
        sentence,
        0.97,
        (*dict.fromkeys(told[:2]), message)[:3],
        fix=fix,
        proposal=_proposal(item, fixed) if fixed else None,
        suffers=(item.pod_key,),
    )


def _why(reason: str, said: str) -> tuple[str, str]:
    if reason == "ErrImageNeverPull":
        return "imagePullPolicy is Never and the image is not on the node", "Load the image or use IfNotPresent."
    if reason == "InvalidImageName":
        return "the image name is not a valid reference (invalid format)", "Correct the image name."
    for pattern, why, fix in _WHY:
        if re.search(pattern, said, re.I):
            return why, fix
    return "the image, its tag, its registry or its credentials are wrong", "Check the image name, tag and credentials."


def _missing_secrets(scene: Scene, item: Ailing) -> list[Key]:
    names = [text(one.get("name")) for one in mappings(at(item.pod, "spec").get("imagePullSecrets"))]
    keys = [Key("secrets", item.workload.namespace, name) for name in names if name]
    return [key for key in keys if scene.missing(key) and scene.store.count("secrets")]


def _misspelt(image: str) -> str:
    """The popular image that one without a registry may mean."""
    path = image.partition("@")[0].rpartition(":")[0] or image
    parts = path.split("/")
    if len(parts) > 1 and parts[0] != "library":
        return ""
    close = difflib.get_close_matches(parts[-1], _POPULAR, n=1, cutoff=0.75)
    return close[0] if close and close[0] != parts[-1] else ""


def _proposal(item: Ailing, image: str) -> Proposal | None:
    if item.workload.resource not in {"deployments.apps", "statefulsets.apps", "daemonsets.apps"} or item.init:
        return None
    key = item.workload
    params = {"image": image, "container": item.name}
    return Proposal("set_image", kind_of(key.resource), key.name, key.namespace, params)
