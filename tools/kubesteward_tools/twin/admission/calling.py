"""Who answers for an admission webhook: in a rehearsal nobody, so that only the state of its Service speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kubesteward_tools.world.store import Key, Object, Store

Caller = Callable[[Store, Mapping[str, Any], Object], Object]
"""From the store, a webhook's configuration and an AdmissionReview to the review that comes back.

Raises Unreachable when it does not come to an answer, Unasked when nobody calls webhooks here.
"""

_DISCARDING = frozenset({1, 7, 9})
"""Ports of tcpmux, echo and discard: whoever points a webhook there wants that nobody answers (RFC 1078, 862, 863)."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Unreachable(Exception):
    """The webhook gave no answer; the text is what a call of it would say."""


class Unasked(Exception):
    """The webhook may be alive, and its answer is not known."""


def by_state(store: Store, hook: Mapping[str, Any], review: Object) -> Object:
    """Calls nobody. Raises Unreachable for a webhook that the state shows dead, Unasked for every other one."""
    config = hook.get("clientConfig") or {}
    why = _dead_service(store, config["service"]) if config.get("service") else _dead_url(str(config.get("url", "")))
    if why:
        raise Unreachable(f'failed to call webhook: Post "{address(hook)}": {why}')
    raise Unasked(f"admission webhook {hook.get('name', '')} was not asked")


def address(hook: Mapping[str, Any]) -> str:
    """The URL that the API server posts to."""
    config, seconds = hook.get("clientConfig") or {}, hook.get("timeoutSeconds", 10)
    service = config.get("service")
    if not service:
        return f"{config.get('url', '')}?timeout={seconds}s"
    path = "/" + str(service.get("path") or "").lstrip("/")
    return f"https://{service['name']}.{service['namespace']}.svc:{service.get('port', 443)}{path}?timeout={seconds}s"


def _dead_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.hostname in _LOOPBACK and parts.port in _DISCARDING:
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"dial tcp {shown}:{parts.port}: connect: connection refused"
    return ""


def _dead_service(store: Store, service: Mapping[str, Any]) -> str:
    """Why a call by way of this Service cannot come through, "" when it may (proxy.ResolveCluster)."""
    namespace, name, port = service["namespace"], service["name"], service.get("port", 443)
    found = store.get(Key("services", namespace, name))
    if found is None:
        return f'service "{name}" not found'
    spec = found["spec"]
    if spec.get("type") == "ExternalName":
        return ""
    if spec.get("clusterIP") == "None":
        return 'cannot route to service with ClusterIP "None"'
    if all(item.get("port") != port for item in spec.get("ports") or ()):
        return f'no service port {port} found for service "{name}"'
    if not has_endpoints(store, namespace, name):
        return f"dial tcp {spec.get('clusterIP', '')}:{port}: connect: connection refused"
    return ""


def has_endpoints(store: Store, namespace: str, name: str) -> bool:
    """Whether a Service leads to anybody who is ready."""
    for piece in store.objects("endpointslices.discovery.k8s.io", namespace):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name:
            for endpoint in piece.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready", True):
                    return True
    return False
