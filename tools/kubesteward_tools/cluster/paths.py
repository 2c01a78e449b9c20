"""Which paths the read-only transport goes to. GET alone is no promise: some GETs act, and names can be made to travel.

`pods/x/exec` runs a command and `services/x/proxy` reaches any application, both by GET. A name such as `../secrets/x`
would turn the path of a log into the path of a Secret. Names never reach a URL unchecked, whoever passed them in.
"""

from __future__ import annotations

import re

from kubesteward_tools.errors import InvalidArguments

REVIEWS = frozenset(
    f"/apis/{group}/v1/{name}"
    for group, name in (
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    )
)
_READABLE = re.compile(r"/(?:api|apis|version|livez|readyz)(?:/[A-Za-z0-9._:~@+-]+)*")
_CONNECTING = re.compile(r"/(?:exec|attach|portforward|proxy)(?=/|$)")
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def readable(path: str) -> str:
    """`path` itself.

    Raises:
        InvalidArguments: it leaves the API, goes up, carries a query, or connects to something that may act.
    """
    parts = path.split("/")
    if not _READABLE.fullmatch(path) or "." in parts or ".." in parts:
        raise InvalidArguments(f"{path[:200]!r} is no path of the Kubernetes API.", todo="Give plain names.")
    # A namespace or an object may be called "proxy"; what connects is the part after a name.
    for connecting in _CONNECTING.finditer(path):
        before = path[: connecting.start()].split("/")
        if len(before) >= 3 and before[-2] in {"pods", "services", "nodes"}:
            raise InvalidArguments(f"{path[:200]!r} connects to a workload; this transport only reads.")
    return path


def segment(value: str, what: str) -> str:
    """`value` if it can be the name of a namespace or pod (RFC 1123), else InvalidArguments that names `what`."""
    if not _SEGMENT.fullmatch(value) or len(value) > 253:
        raise InvalidArguments(
            f"{value[:80]!r} is no name of a {what}.", todo="Give the name as list_resources shows it."
        )
    return value
