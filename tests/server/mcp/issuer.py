"""An OAuth issuer on loopback that signs real tokens."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE = "https://mcp.example.com/mcp"


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Issuer:
    """`keys` are published under their ids; `asked` are the paths that were fetched."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, Any] = {"one": rsa_key()}
        self.asked: list[str] = []
        self.published: dict[str, Any] = {}

    def sign(self, *, key: Any = None, kid: str | None = "one", algorithm: str = "RS256", **claims: Any) -> str:
        """A token that is right in everything that `claims` do not change; None leaves a claim out."""
        now = int(time.time())
        right = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 300, **claims}
        body = {name: value for name, value in right.items() if value is not None}
        return jwt.encode(body, key or self.keys["one"], algorithm, {"kid": kid} if kid else None)

    def public_pem(self) -> bytes:
        return self.keys["one"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def answer(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.published}
        if path == "/keys":
            return {"keys": [{**_jwk(key), "kid": kid, "use": "sig"} for kid, key in self.keys.items()]}
        return None


def _jwk(key: Any) -> dict[str, Any]:
    algorithm = (
        jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    )
    return json.loads(algorithm.to_jwk(key.public_key()))


@contextlib.contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.answer(self.path)
            body = json.dumps(found).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
