"""What `kubesteward doctor` says about the OAuth issuer whose access tokens are accepted."""

from __future__ import annotations

from kubesteward.cli.checks import Check
from kubesteward.settings import Settings


async def issuer(settings: Settings) -> list[Check]:
    """An issuer that is configured has to answer with keys; none is no fault."""
    from kubesteward_tools.errors import SteadyError

    name = "OAuth issuer"
    try:
        from kubesteward.mcp.jwks import Keys
        from kubesteward.mcp.oauth import issued

        if issued(settings) is None:
            return []
        keys = await Keys(settings.oauth_issuer, settings.oauth_jwks_url, plain=settings.plain_http).count()
    except SteadyError as error:
        return [Check(name, "fail", error.message, error.todo)]
    if not keys:
        return [Check(name, "fail", "it publishes no key that signs", "Every token is refused until it does.")]
    return [Check(name, "ok", f"it answers with {keys} keys; tokens have to be for {settings.oauth_audience}")]
