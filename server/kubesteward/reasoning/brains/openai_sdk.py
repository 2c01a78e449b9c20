"""OpenAI's SDK as both of its APIs use it: the client, and what its errors mean."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from kubesteward.reasoning.brains.base import BrainMisconfigured
from kubesteward.reasoning.brains.http import PLACEHOLDER, options
from kubesteward.reasoning.brains.remote import RemoteBrain
from kubesteward.reasoning.brains.retry import after
from kubesteward.reasoning.brains.trouble import Trouble, refusal

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_STATUS = {"server_error": 500, "rate_limit_exceeded": 429}


class OpenAISDK(RemoteBrain):
    modules = ("openai", "openai.resources.responses", "openai.resources.chat")

    @cached_property
    def _client(self) -> AsyncOpenAI:
        import httpx2
        from openai import AsyncOpenAI, OpenAIError

        self.failures = (*RemoteBrain.failures, OpenAIError, httpx2.HTTPError)
        place = self._place
        made = options(httpx2, place.address, place.key, place.limits)
        return AsyncOpenAI(
            api_key=PLACEHOLDER,
            base_url=place.address.url,
            max_retries=0,
            timeout=made["timeout"],
            http_client=httpx2.AsyncClient(**made),
        )

    def _told(self, error: Exception) -> Exception:
        from openai import APIConnectionError, APIError, APIStatusError

        if isinstance(error, APIStatusError):
            wait = after(error.response.headers, self._place.now())
            return refusal(self.side, error.status_code, f"{error.code} {error.type}", said_in(error.body), wait)
        if isinstance(error, APIError) and not isinstance(error, APIConnectionError) and error.body is not None:
            return self.in_stream(str(error.code or error.type or ""), said_in(error.body))
        return super()._told(error)

    def in_stream(self, code: str, said: str) -> Exception:
        """An error within a stream carries no status of its own."""
        status = int(code) if code.isdecimal() and len(code) == 3 else _STATUS.get(code, 400)
        found = refusal(self.side, status, code, said)
        if status == 400 and isinstance(found, BrainMisconfigured):  # the request was good enough to begin with
            return Trouble(f"{self.provider} broke off ({self.side.clean(said)})")
        return found

    async def _look(self) -> None:
        self._known(await self._client.models.retrieve(self.model))


def number(details: Any, name: str) -> int:
    """A detail of the usage, which servers leave out one by one, or all of them."""
    return int(getattr(details, name, 0) or 0)


def said_in(body: Any) -> str:
    """The words of an error: in OpenAI's form, or in that of a framework that other servers are made with."""
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or "")
    return str(body or "")
