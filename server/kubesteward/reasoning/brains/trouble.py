"""What a provider's refusals mean: one place for all of them, so that every brain fails with the same words.

`Trouble` is what may pass by itself; `retry` waits and asks again. Everything else is for a person, or for another
brain.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward.reasoning.brains.base import (
    BrainMisconfigured,
    BrainOffline,
    BrainRefused,
    PromptTooLong,
    Usage,
)
from kubesteward.reasoning.brains.http import TooMuch, WebPage
from kubesteward.reasoning.brains.keys import Key
from kubesteward_tools.outgoing import ForbiddenAddress

_TOO_LONG = (
    "context_length_exceeded",
    "context length",
    "context window",
    "prompt is too long",
    "prompt too long",
    "request_too_large",
    "model_context_window_exceeded",
)
_POLICY = (
    "content_policy",
    "content_filter",
    "invalid_prompt",
    "bio_policy",
    "misalignment_policy",
    "content management policy",
)
_UNPAID = ("insufficient_quota", "billing", "credit balance", "spend_limit", "payment required")
_SHOWN = 300
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_PAGE = "Look at the brain's address, and at what stands before it: a proxy, or a page to sign in at."
_ADDRESSES = {"anthropic": "it ends before /v1", "ollama": "it ends with the port, usually 11434"}


class Trouble(Exception):
    """`after`: seconds that the provider asked for. `usage`: what the attempt has used."""

    def __init__(self, reason: str, after: float | None = None, todo: str = "", usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.todo = todo
        self.usage = usage or Usage()


@dataclass(frozen=True, slots=True)
class Side:
    """The other side, as errors name it. `again`: how its server is started, where it is the user's own."""

    provider: str
    model: str
    key: Key | None = None
    again: str = ""

    def clean(self, said: object) -> str:
        """Words of the provider that may be shown: short, printable and without anything secret."""
        from kubesteward_tools.text.redact import redact

        text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(said)).split())
        text = self.key.without(text) if self.key else text
        return redact(text[: 4 * _SHOWN])[:_SHOWN]


def refusal(side: Side, status: int, code: str, said: str, after: float | None = None) -> Exception:
    """The error for an HTTP status of 300 or more. `code` and `said` are the provider's; `after` its Retry-After."""
    is_page = said.lstrip().startswith("<")
    if is_page:
        title = _TITLE.search(said)
        said = f"a web page: {title[1].strip()}" if title else "a web page"
    hint = f"{code} {said}".lower()
    why = f" ({text})" if (text := side.clean(said)) else ""
    if status == 403 and is_page:
        return BrainOffline(f"Something else answers in place of {side.provider}{why}", _PAGE)
    if 300 <= status < 400:
        todo = "Give the brain the address that it leads to, if you trust it."
        return BrainMisconfigured(f"{side.provider} answered with a redirection, which is not followed.", todo)
    if status == 402 or (status in {400, 403, 429} and any(word in hint for word in _UNPAID)):
        todo = "Pay the bill or raise the limit there, or choose another brain."
        return BrainOffline(f"{side.provider} wants to be paid first{why}.", todo)
    if status in {408, 409, 425, 429} or status >= 500:
        return Trouble(f"{side.provider} {_WORDS.get(status, f'failed with {status}')}{why}", after)
    if status == 413 or (status in {400, 422} and any(word in hint for word in _TOO_LONG)):
        todo = "Shorten the conversation, or choose a model with a larger context."
        return PromptTooLong(f"The conversation is too long for {side.model}{why}.", todo)
    if status in {400, 403, 422} and any(word in hint for word in _POLICY):
        return BrainRefused(f"{side.provider} refuses to answer this{why}.", "Ask in other words, or another brain.")
    return _misconfigured(side, status, why, said)


def _misconfigured(side: Side, status: int, why: str, said: str) -> BrainMisconfigured:
    place = side.key.place if side.key else "no key was sent"
    if status == 401:  # the words of the provider may repeat the key in an abbreviation that nobody recognises
        todo = "Put a valid key there and try `kubesteward brain test`."
        return BrainMisconfigured(f"{side.provider} does not accept the key ({place}).", todo)
    if status == 403:
        todo = "Let the key's owner allow it, or choose another model or brain."
        return BrainMisconfigured(f"The key ({place}) may not use {side.model} at {side.provider}{why}.", todo)
    if status == 404 and "model" in said.lower():
        todo = "Choose one that the provider offers: `kubesteward brain add ... --model NAME`."
        return BrainMisconfigured(f"{side.provider} has no model {side.model!r}.", todo)
    if status == 404:
        todo = f"Check its address: {_ADDRESSES.get(side.provider, 'most end with /v1')}."
        return BrainMisconfigured(f"Nothing speaks for {side.provider} at the brain's address.", todo)
    todo = "Check the model and its settings with `kubesteward brain test`."
    return BrainMisconfigured(f"{side.provider} does not take the request: {status}{why}.", todo)


_WORDS = {
    429: "asks for fewer requests",
    503: "is not available",
    504: "took too long",
    529: "is overloaded",
}


def broken(side: Side, error: BaseException) -> Exception:
    """The error for a connection that failed, fell silent or was cut, or an answer that makes no sense."""
    chain = tuple(_chain(error))
    plain = next((made for found in chain if (made := _lasting(side, found)) is not None), None)
    if plain is not None:
        return plain
    names = {type(found).__name__ for found in chain}
    if "ProxyError" in names:
        return Trouble(f"the proxy does not let {side.provider} be reached", todo="Check HTTPS_PROXY and NO_PROXY.")
    if any(isinstance(found, ConnectionRefusedError) for found in chain) or "ConnectError" in names:
        return _unreachable(side)
    if any(isinstance(found, socket.gaierror) for found in chain):
        return Trouble(f"the name of {side.provider} cannot be resolved", todo=side.again)
    if any("Timeout" in name for name in names):
        return Trouble(f"{side.provider} does not answer", todo=side.again)
    if any(isinstance(found, OSError) for found in chain) or names & {
        "RemoteProtocolError",
        "ReadError",
        "EndOfStream",
    }:
        return Trouble(f"the answer of {side.provider} was cut off")
    return Trouble(f"the answer of {side.provider} is not understood ({type(error).__name__})")


def _lasting(side: Side, found: BaseException) -> Exception | None:
    """What no second attempt would change."""
    match found:
        case ForbiddenAddress():
            todo = "Give the brain another address; for one on your own network add --private."
            return BrainMisconfigured(f"{side.provider} is not called: {found}.", todo)
        case TooMuch():
            return BrainOffline(f"{side.provider} sends more than any answer has", "Choose another brain.")
        case WebPage():
            return BrainOffline(f"A web page answers in place of {side.provider}", _PAGE)
        case ssl.SSLCertVerificationError():
            todo = "Set SSL_CERT_FILE to the authority's certificate, if you trust it."
            return BrainMisconfigured(f"The certificate of {side.provider} is not trusted.", todo)
    return None


def _unreachable(side: Side) -> Exception:
    if side.again:  # a server of one's own that does not run is not there in a second either
        return BrainOffline(f"{side.provider} is not running", side.again)
    return Trouble(f"{side.provider} cannot be reached")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        if isinstance(following, BaseExceptionGroup):
            yield from following.exceptions
        following = following.__cause__ or following.__context__
