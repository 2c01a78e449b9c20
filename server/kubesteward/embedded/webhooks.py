"""Calls admission webhooks of the embedded cluster, as a real API server does: an AdmissionReview by HTTPS.

Only webhooks by URL can be reached, for no Service of a simulated cluster leads anywhere. The cluster stands still
while it waits for an answer, as long as the webhook's timeout allows.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from kubesteward_tools.twin.admission.calling import Unasked, Unreachable, address, by_state
from kubesteward_tools.world.store import Object, Store

_LARGEST_ANSWER = 3 * 2**20


def call(store: Store, hook: Mapping[str, Any], review: Object) -> Object:
    """The review that the webhook sends back. Raises Unreachable, in the API server's words, when there is none."""
    try:
        return by_state(store, hook, review)
    except Unasked:
        pass
    if (hook.get("clientConfig") or {}).get("service"):
        raise Unreachable(_words(hook, "context deadline exceeded"))
    try:
        status, body = _post(hook, json.dumps(review).encode())
    except TimeoutError:
        raise Unreachable(_words(hook, "context deadline exceeded")) from None
    except ssl.SSLCertVerificationError as error:
        why = f"tls: failed to verify certificate: x509: {error.verify_message}"
        raise Unreachable(_words(hook, why)) from None
    except ConnectionRefusedError:
        parts = urlsplit(address(hook))
        why = f"dial tcp {parts.hostname}:{parts.port or 443}: connect: connection refused"
        raise Unreachable(_words(hook, why)) from None
    except (OSError, http.client.HTTPException, binascii.Error, ValueError) as error:
        raise Unreachable(_words(hook, str(error) or type(error).__name__)) from None
    return _read(status, body)


def _words(hook: Mapping[str, Any], why: str) -> str:
    return f'failed to call webhook: Post "{address(hook)}": {why}'


def _post(hook: Mapping[str, Any], body: bytes) -> tuple[int, bytes]:
    parts = urlsplit(address(hook))
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or 443, timeout=hook.get("timeoutSeconds", 10), context=_trust(hook)
    )
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        connection.request("POST", f"{parts.path or '/'}?{parts.query}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST_ANSWER + 1)
    finally:
        connection.close()


def _trust(hook: Mapping[str, Any]) -> ssl.SSLContext:
    """The webhook's own authority, or the system's where it names none."""
    bundle = (hook.get("clientConfig") or {}).get("caBundle")
    return ssl.create_default_context(cadata=base64.b64decode(bundle).decode() if bundle else None)


def _read(status: int, body: bytes) -> Object:
    if status != http.client.OK:
        why = f"the server responded with the status code {status} but did not return more information"
        raise Unreachable(f"failed to call webhook: {why}")
    if len(body) > _LARGEST_ANSWER:
        raise Unreachable("failed to call webhook: the answer is too large")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Unreachable(f"failed to call webhook: couldn't read the answer: {error}") from None
    if not isinstance(found, dict):
        raise Unreachable("failed to call webhook: the answer is no AdmissionReview")
    return found
