"""The public keys of an OAuth issuer: found by its metadata, kept for minutes, fetched again when a key is new.

Whoever sends tokens with invented key ids must not be able to make this server call the issuer all the time, so that
there is a floor between two fetches.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kubesteward_tools.errors import AskDifferently, InvalidArguments, SteadyError
from kubesteward_tools.outgoing import Outgoing, checked, fetch

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger(__name__)

FRESH = 600.0
"""Seconds for which keys are taken as they are."""
FLOOR = 30.0
FLOOR_AFTER_FAILURE = 5.0
STALE = 3600.0
"""Seconds after which keys that could not be fetched again are no longer believed."""
MOST = 100
SHORTEST_RSA = 2048

KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key by the first letters of an algorithm (RFC 7518, 8037). Only asymmetric ones are here."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

Fetch = Callable[[Outgoing, str], Awaitable[tuple[int, bytes]]]


class Keys:
    """The keys of one issuer. `jwks_url` is asked of the issuer's metadata where it is empty."""

    def __init__(
        self,
        issuer: str,
        jwks_url: str = "",
        *,
        plain: bool = False,
        clock: Callable[[], float] = time.monotonic,
        get: Fetch = fetch,
    ) -> None:
        """Raises InvalidArguments for an address that is never called."""
        self._issuer = issuer
        self._places = [checked(place, "KUBESTEWARD_OAUTH_ISSUER", plain=plain) for place in well_known(issuer)]
        self._jwks = checked(jwks_url, "KUBESTEWARD_OAUTH_JWKS_URL", plain=plain) if jwks_url else None
        self._plain = plain
        self._clock = clock
        self._get = get
        self._known: list[dict[str, Any]] = []
        self._fetched = -math.inf
        self._next = -math.inf
        self._fetching = asyncio.Lock()

    async def count(self) -> int:
        """How many keys the issuer publishes now. Raises SteadyErrors that say why there are none."""
        return len(_usable(await self._document()))

    async def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key for a token's header; None where there is none, or where the issuer has never answered."""
        if self._clock() - self._fetched > FRESH:
            await self._renew()
        found = self._match(kid, algorithm)
        if found is None:
            await self._renew()
            found = self._match(kid, algorithm)
        return found

    def _match(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """A token without a key id is for the only key of its kind, or for none."""
        from jwt import PyJWK
        from jwt.exceptions import PyJWTError

        fitting = [key for key in self._known if _fits(key, algorithm) and kid in {None, key.get("kid")}]
        if len(fitting) != 1:
            return None
        try:
            return PyJWK(fitting[0], algorithm=algorithm)
        except PyJWTError:
            return None

    async def _renew(self) -> None:
        async with self._fetching:
            if self._clock() < self._next:
                return
            try:
                self._known = _usable(await self._document())
            except SteadyError as error:
                self._next = self._clock() + FLOOR_AFTER_FAILURE
                if self._clock() - self._fetched > STALE:
                    self._known = []
                log.warning("the keys of the OAuth issuer cannot be fetched: %s", error)
            else:
                self._fetched = self._clock()
                self._next = self._fetched + FLOOR

    async def _document(self) -> Any:
        where = self._jwks or await self._discovered()
        return await self._json(where, "the OAuth issuer's key set")

    async def _discovered(self) -> Outgoing:
        """Where the keys are, by the first metadata document there is (RFC 8414, OpenID Connect Discovery).

        Raises:
            SteadyError: there is none, or it is another issuer's.
        """
        failure: SteadyError = AskDifferently("the OAuth issuer publishes no metadata.")
        for place in self._places:
            try:
                found = await self._json(place, "the OAuth issuer")
            except SteadyError as error:
                failure = error
                continue
            if found.get("issuer") != self._issuer:  # RFC 8414, section 3.3: to the letter
                raise AskDifferently("what answers as the OAuth issuer calls itself otherwise.")
            try:
                return checked(str(found.get("jwks_uri", "")), "the OAuth issuer's jwks_uri", plain=self._plain)
            except InvalidArguments as error:
                raise AskDifferently(error.message) from None
        raise failure

    async def _json(self, where: Outgoing, what: str) -> dict[str, Any]:
        status, body = await self._get(where, what)
        try:
            found = json.loads(body) if status == 200 else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise AskDifferently(f"{what} answered HTTP {status} without what was asked for.")
        return found


def well_known(issuer: str) -> list[str]:
    """Where an issuer's metadata may be: RFC 8414 puts the path behind, OpenID Connect in front."""
    parts = urlsplit(issuer)
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [
        f"{base}/.well-known/oauth-authorization-server{path}",
        f"{base}{path}/.well-known/openid-configuration",
    ]


def _usable(document: Any) -> list[dict[str, Any]]:
    """Raises AskDifferently for what is no key set."""
    found = document.get("keys")
    if not isinstance(found, list):
        raise AskDifferently("the OAuth issuer's key set is none.")
    return list(_public(found[:MOST]))


def _public(keys: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Those for signatures. A symmetric key in a published set is everybody's."""
    for key in keys:
        if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig":
            yield {name: value for name, value in key.items() if name not in {"d", "p", "q", "dp", "dq", "qi", "k"}}


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    kind = KINDS.get(algorithm[:2])
    named = key.get("alg") in {None, algorithm}
    long_enough = kind != "RSA" or len(str(key.get("n", ""))) * 6 >= SHORTEST_RSA
    return algorithm in ALGORITHMS and key["kty"] == kind and named and long_enough and _curve(key, algorithm)


def _curve(key: dict[str, Any], algorithm: str) -> bool:
    wanted = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}.get(algorithm)
    return wanted is None or key.get("crv") == wanted
