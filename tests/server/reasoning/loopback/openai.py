"""The Responses API (https://developers.openai.com/api/reference/resources/responses), streamed, as strict as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from aiohttp import web
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from tests.server.reasoning.loopback.script import Fail, Heard, Turn
from tests.server.reasoning.loopback.server import (
    NAME,
    Invalid,
    Loopback,
    event,
    needs,
    needs_path,
    needs_plain,
    pieces,
    raw,
)

_KNOWN = {*ResponseCreateParamsBase.__annotations__, "stream"}
_TYPES = {401: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_error", 500: "server_error"}


class OpenAIErrors(Loopback):
    """What both APIs of OpenAI have in common."""

    base = "/v1"
    lists = True
    no_model_code = "model_not_found"
    too_long_code = "context_length_exceeded"

    def no_model(self, model: str) -> str:
        return f"The model `{model}` does not exist or you do not have access to it."

    def too_long(self) -> str:
        return "Your input exceeds the context window of this model. Please adjust your input and try again."

    def look_up(self, path: str) -> Any:
        listed = [{"id": model, "object": "model", "created": 1, "owned_by": "us"} for model in self.models]
        if path == "/v1/models":
            return self.lists and {"object": "list", "data": listed}
        return next((model for model in listed if path == f"/v1/models/{model['id']}"), None)

    def failure(self, failure: Fail) -> Any:
        kind = _TYPES.get(failure.status, "invalid_request_error")
        return {"error": {"message": failure.message, "type": kind, "param": None, "code": failure.code or None}}


class OpenAIServer(OpenAIErrors):
    def __init__(self, *entries: Any, **options: Any) -> None:
        super().__init__(*entries, **options)
        self._ids = count(1)
        self._sealed: dict[str, str] = {}
        self._thoughtful: dict[str, str] = {}
        self.verified = True
        """Whether the organisation may have summaries of thinking."""

    def check(self, request: web.Request, body: dict[str, Any]) -> None:
        needs_path(request, "/v1/responses")
        for name in body:
            needs(name in _KNOWN, f"Unknown parameter: '{name}'.")
        needs(body.get("stream") is True, "this server only streams")
        needs(isinstance(body.get("max_output_tokens"), int) and body["max_output_tokens"] >= 16, "max_output_tokens")
        for tool in body.get("tools", ()):
            needs({"type", "name", "parameters", "strict"} <= set(tool), "Missing required parameter: 'tools[0]'.")
            needs(re.fullmatch(NAME, tool["name"]), "Invalid 'tools[0].name'")
            needs_plain(tool["parameters"], "Invalid schema for function")
        unfit = "summary" in body.get("reasoning", {}) and not self.verified
        needs(not unfit, "Your organization must be verified to generate reasoning summaries.")
        needs(body.get("input"), "Missing required parameter: 'input'.")
        self._check_items(body["input"])

    def _check_items(self, given: list[dict[str, Any]]) -> None:
        called: set[str] = set()
        answered: set[str] = set()
        thoughts: set[str] = set()
        for number, item in enumerate(given):
            match item.get("type", "message"):
                case "message":
                    needs(
                        item["role"] in {"user", "assistant", "developer"} and item["content"], "Invalid value: message"
                    )
                case "reasoning":
                    self._check_thought(item)
                    following = given[number + 1] if number + 1 < len(given) else {}
                    fits = following.get("role") == "assistant" or following.get("type") in {
                        "reasoning",
                        "function_call",
                    }
                    needs(fits, "'reasoning' was provided without its required following item.")
                    thoughts.add(item["id"])
                case "function_call":
                    needs(isinstance(item["arguments"], str), "Invalid type for 'arguments'")
                    needs(re.fullmatch(NAME, item["name"]), "Invalid 'input[2].name': string does not match pattern")
                    needs(0 < len(item["call_id"]) <= 64, "Invalid 'call_id': string too long")
                    wanted = self._thoughtful.get(item["call_id"])
                    needs(wanted is None or wanted in thoughts, "provided without its required 'reasoning' item")
                    called.add(item["call_id"])
                case "function_call_output":
                    needs(item["call_id"] in called - answered, "No tool call found for function call output")
                    answered.add(item["call_id"])
                case other:
                    raise Invalid(f"Invalid value: '{other}'.")
        needs(called == answered, f"No tool output found for function call {sorted(called - answered)}.")

    def _check_thought(self, item: dict[str, Any]) -> None:
        needs(self._sealed.get(item["id"]) == item.get("encrypted_content"), "Encrypted content could not be verified.")
        needs(isinstance(item["summary"], list), "Missing required parameter: 'summary'.")

    def hear(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Heard:
        said = [item["content"] for item in body["input"] if item.get("role") == "user"]
        made = [item.get("type") == "function_call" or item.get("role") == "assistant" for item in body["input"]]
        last = max((number for number, found in enumerate(made) if found), default=-1)
        return Heard(
            path,
            headers,
            body,
            body.get("instructions", ""),
            said[-1] if said else "",
            {item["call_id"]: item["output"] for item in body["input"][last + 1 :] if "output" in item},
            tuple(tool["name"] for tool in body.get("tools", ())),
        )

    def stream(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        number = count()
        response = {"id": f"resp_{next(self._ids)}", "object": "response", "created_at": 1, "model": body["model"]}
        response |= {"status": "in_progress", "output": [], "error": None, "incomplete_details": None, "usage": None}
        response |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}

        def told(kind: str, **fields: Any) -> bytes:
            return event(kind, {"type": kind, "sequence_number": next(number), **fields})

        yield told("response.created", response=response)
        yield told("response.in_progress", response=response)
        output = []
        for index, (item, deltas) in enumerate(self._items(turn)):
            begun = item | {"status": "in_progress"} | ({"arguments": ""} if "arguments" in item else {})
            begun |= {"content": []} if "content" in item else {}
            yield told("response.output_item.added", output_index=index, item=begun)
            for kind, fields in deltas:
                yield told(kind, output_index=index, item_id=item["id"], **fields)
            if item.get("status") != "incomplete":
                yield told("response.output_item.done", output_index=index, item=item)
            output.append(item)
        ends = {"truncated": "incomplete"}.get(turn.ends, "completed")
        details = {"reason": "max_output_tokens"} if ends == "incomplete" else None
        whole = response | {"status": ends, "output": output, "incomplete_details": details, "usage": _usage(turn)}
        yield told(f"response.{ends}", response=whole)

    def _items(self, turn: Turn) -> Iterator[tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]]:
        thought = ""
        if turn.think:
            thought = f"rs_{next(self._ids)}"
            self._sealed[thought] = f"sealed-{thought}"
            summary = [{"type": "summary_text", "text": turn.think}]
            kind = "response.reasoning_summary_text.delta"
            deltas = [(kind, {"summary_index": 0, "delta": piece}) for piece in pieces(turn.think)]
            yield (
                {"type": "reasoning", "id": thought, "summary": summary, "encrypted_content": f"sealed-{thought}"},
                deltas,
            )
        if turn.say:
            yield self._text(turn)
        for position, use in enumerate(turn.calls):
            item = {"type": "function_call", "id": f"fc_{next(self._ids)}", "call_id": f"call_{next(self._ids)}"}
            item |= {"name": use.name, "arguments": raw(use.arguments), "status": "completed"}
            if turn.ends == "truncated" and position == len(turn.calls) - 1:
                item["status"] = "incomplete"
            if thought:
                self._thoughtful[item["call_id"]] = thought
            kind = "response.function_call_arguments.delta"
            yield item, [(kind, {"delta": piece}) for piece in pieces(item["arguments"])]

    def _text(self, turn: Turn) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
        refused = turn.ends == "refused"
        content = {"type": "refusal", "refusal": turn.say} if refused else {"type": "output_text", "text": turn.say}
        content |= {} if refused else {"annotations": []}
        identity = f"msg_{next(self._ids)}"
        item = {"type": "message", "id": identity, "role": "assistant", "status": "completed", "content": [content]}
        item |= {"phase": "commentary"} if turn.calls else {}
        kind = "response.refusal.delta" if refused else "response.output_text.delta"
        deltas = [(kind, {"content_index": 0, "delta": piece}) for piece in pieces(turn.say)]
        return item, [("response.content_part.added", {"content_index": 0, "part": content}), *deltas]

    def failed_within(self, failure: Fail) -> Iterator[bytes]:
        code = failure.code or {500: "server_error", 429: "rate_limit_exceeded"}.get(failure.status, "invalid_prompt")
        error = {"code": code, "message": failure.message}
        response = {
            "id": "resp_0",
            "object": "response",
            "created_at": 1,
            "status": "failed",
            "output": [],
            "error": error,
        }
        yield event("response.failed", {"type": "response.failed", "sequence_number": 9, "response": response})

    def garbage(self) -> bytes:
        return b'event: response.output_text.delta\ndata: {"type": "resp\n\n'


def _usage(turn: Turn) -> dict[str, Any]:
    whole = turn.input + turn.cache_read + turn.cache_write
    return {
        "input_tokens": whole,
        "input_tokens_details": {"cached_tokens": turn.cache_read, "cache_write_tokens": turn.cache_write},
        "output_tokens": turn.output,
        "output_tokens_details": {"reasoning_tokens": turn.reasoning},
        "total_tokens": whole + turn.output,
    }
