"""OAuth 2.1 resource server: access tokens that an issuer signed for this server and nobody else.

A token is a JWT (RFC 9068) with an asymmetric signature, checked against the issuer's published keys; `exp`, `nbf`,
`iss` and `aud` (RFC 8707) have to fit. It goes no further than this module: what follows knows a digest of it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kubesteward.mcp.jwks import ALGORITHMS, Keys
from kubesteward.settings import Settings
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.outgoing import checked

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

log = logging.getLogger(__name__)

LEEWAY = 10
"""Seconds by which clocks may differ."""
LONGEST = 16_384
LONGEST_NAME = 256
MOST_GROUPS = 200
TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})

SCOPES = {
    Tier.OBSERVE: "kubesteward.read",
    Tier.ANALYSE: "kubesteward.read",
    Tier.RECOMMEND: "kubesteward.recommend",
    Tier.EXECUTE: "kubesteward.propose",
}


class Issued:
    """Verifies the tokens of one issuer (mcp.server.auth.provider.TokenVerifier)."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._keys = keys
        self._issuer = settings.oauth_issuer
        self._audience = settings.oauth_audience
        self._user, self._groups = settings.oauth_user_claim, settings.oauth_groups_claim

    async def verify_token(self, token: str) -> AccessToken | None:
        """None for whatever is not right; why is told to nobody but the log, and there without the token."""
        from jwt.exceptions import PyJWTError
        from mcp.server.auth.provider import AccessToken

        try:
            claims = await self._claims(token)
            user, groups = _name(claims, self._user), _names(claims, self._groups)
            subject = _name(claims, "sub")
        except (PyJWTError, ValueError) as error:
            log.info("an access token was refused (%s)", type(error).__name__)
            return None
        return AccessToken(
            token=hashlib.sha256(token.encode()).hexdigest(),
            client_id=str(claims.get("client_id") or claims.get("azp") or "")[:LONGEST_NAME],
            scopes=_scopes(claims),
            expires_at=int(claims["exp"]),
            resource=self._audience,
            subject=subject,
            claims={"iss": self._issuer, "user": user, "groups": groups},
        )

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Raises PyJWTError or ValueError."""
        import jwt

        if len(token) > LONGEST:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        algorithm, kind, kid = header.get("alg"), header.get("typ"), header.get("kid")
        if algorithm not in ALGORITHMS or "crit" in header or not isinstance(kid, str | None):
            raise ValueError("no algorithm of ours")
        if (str(kind).lower() if kind is not None else None) not in TYPES:
            raise ValueError("no access token")
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise ValueError("no such key")
        found = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=[self._audience, f"{self._audience}/"],
            issuer=self._issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        if found.get("email_verified") is False and self._user == "email":
            raise ValueError("nobody has verified the address")
        return found


def issued(settings: Settings) -> Issued | None:
    """The verifier that the settings ask for, None where they ask for none.

    Raises:
        InvalidArguments: something is missing, or an address is never called.
    """
    if not settings.oauth_issuer:
        if settings.oauth_audience or settings.oauth_jwks_url or settings.oauth_scopes or settings.oauth_tier_scopes:
            raise InvalidArguments("OAuth is set up without an issuer.", todo="Set KUBESTEWARD_OAUTH_ISSUER.")
        return None
    if not settings.oauth_audience:
        todo = "Set KUBESTEWARD_OAUTH_AUDIENCE to the address that clients reach this server at, with /mcp."
        raise InvalidArguments("Tokens of an OAuth issuer would be accepted whomever they are for.", todo=todo)
    audience = urlsplit(checked(settings.oauth_audience, "KUBESTEWARD_OAUTH_AUDIENCE", plain=True).url)
    if audience.geturl() != settings.oauth_audience:
        raise InvalidArguments("KUBESTEWARD_OAUTH_AUDIENCE ends in a slash.", todo="Leave it away.")
    keys = Keys(settings.oauth_issuer, settings.oauth_jwks_url, plain=settings.plain_http)
    return Issued(settings, keys)


def tiers(scopes: list[str]) -> frozenset[int]:
    """The tiers whose tools a token's scopes allow."""
    return frozenset(tier for tier, scope in SCOPES.items() if scope in scopes)


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """`scope` (RFC 8693) or, as some issuers have it, `scp`: words in one text, or a list."""
    found = claims.get("scope", claims.get("scp", ""))
    words = found.split() if isinstance(found, str) else found
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _name(claims: Mapping[str, Any], claim: str) -> str:
    found = claims.get(claim)
    if not isinstance(found, str) or not _fits(found):
        raise ValueError("the claim names nobody")
    return found


def _names(claims: Mapping[str, Any], claim: str) -> list[str]:
    found = claims.get(claim) if claim else None
    names = [found] if isinstance(found, str) else found or []
    if not isinstance(names, list) or len(names) > MOST_GROUPS:
        raise ValueError("the claim holds no groups")
    if not all(isinstance(name, str) and _fits(name) for name in names):
        raise ValueError("a group has no name")
    return names


def _fits(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()
