"""One call to a brain as it may be seen: a span after the GenAI conventions, and figures. Never a word of the prompt.

Conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import SpanKind, Status, StatusCode, get_tracer

if TYPE_CHECKING:
    from kubesteward.reasoning.ledger.words import Counted, Payer, Seller

SORTS = ("input", "output", "cache_read", "cache_write", "reasoning")
_PROVIDERS = {"google": "gcp.gemini", "bedrock": "aws.bedrock", "azure": "azure.ai.openai"}
"""Where the conventions have another word for a provider than prices go by."""


class Watcher(Protocol):
    """Counts what brains are asked; `Metrics` is one."""

    def chat(self, payer: Payer, seller: Seller, outcome: str, seconds: float) -> None: ...

    def used(self, payer: Payer, seller: Seller, counted: Counted, money: int | None) -> None: ...


class Chat:
    """From the question to the end of the answer. The span is nobody's parent, for a stream may end elsewhere."""

    def __init__(self, payer: Payer, seller: Seller, watcher: Watcher | None = None, most: int = 0) -> None:
        """`most`: tokens that the answer may have."""
        self._payer, self._seller, self._watcher = payer, seller, watcher
        self._started = time.perf_counter()
        self._outcome = "cut_off"
        self._sums = dict.fromkeys(SORTS, 0)
        self._span = get_tracer("kubesteward").start_span(
            f"chat {seller.model}", kind=SpanKind.CLIENT, attributes=_attributes(payer, seller, most)
        )

    def __enter__(self) -> Chat:
        return self

    def began(self) -> None:
        """The first words have come."""
        if self._outcome == "cut_off":
            self._outcome = "cut_off_midway"
            took = time.perf_counter() - self._started
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", took)

    def cached(self) -> None:
        self._outcome = "cached"
        self._span.set_attribute("kubesteward.cached", True)

    def used(self, counted: Counted, money: int | None) -> None:
        for sort in SORTS:
            self._sums[sort] += getattr(counted, sort)
        if self._watcher is not None:
            self._watcher.used(self._payer, self._seller, counted, money)

    def ended(self, stop: str, model: str) -> None:
        """With an answer of that model."""
        self._outcome = stop
        self._span.set_attribute("gen_ai.response.finish_reasons", [stop])
        self._span.set_attribute("gen_ai.response.model", model)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._outcome.startswith("cut_off"):
            self._outcome = str(getattr(error, "code", self._outcome))
            self._span.set_attribute("error.type", self._outcome)
            self._span.set_status(Status(StatusCode.ERROR))  # without its message: it may quote an answer
        self._span.set_attributes(usage(self._sums))
        self._span.end()
        if self._watcher is not None:
            self._watcher.chat(self._payer, self._seller, self._outcome, time.perf_counter() - self._started)


def _attributes(payer: Payer, seller: Seller, most: int) -> dict[str, Any]:
    found = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(seller.provider, seller.provider),
        "gen_ai.request.model": seller.model,
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": most,
        "gen_ai.conversation.id": payer.investigation,
        "kubesteward.feature": payer.feature,
        "kubesteward.correlation": payer.correlation,
    }
    return {name: value for name, value in found.items() if value}


def usage(counted: Mapping[str, int]) -> dict[str, int]:
    """Tokens by sort as attributes. The conventions count all input as input, cached or not."""
    sums = {**dict.fromkeys(SORTS, 0), **counted}
    return {
        "gen_ai.usage.input_tokens": sums["input"] + sums["cache_read"] + sums["cache_write"],
        "gen_ai.usage.output_tokens": sums["output"],
        "gen_ai.usage.cache_read.input_tokens": sums["cache_read"],
        "gen_ai.usage.cache_creation.input_tokens": sums["cache_write"],
        "gen_ai.usage.reasoning.output_tokens": sums["reasoning"],
    }
