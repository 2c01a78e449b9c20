"""The API server's refusals: a `Status` with a code, a reason and causes, worded as the real server words them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.world.kinds import ResourceType


class ApiError(Exception):
    """One refusal. `as_status()` is the body (metav1.Status) that a client receives."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        causes: Sequence[dict[str, str]] = (),
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = list(causes)
        self.details = details or {}
        self.retry_after = retry_after

    def as_status(self) -> dict[str, Any]:
        details = dict(self.details)
        if self.causes:
            details["causes"] = self.causes
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": details,
            "code": self.code,
        }
        return {key: value for key, value in status.items() if value not in ("", {}) or key == "metadata"}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; `path` as the API writes it ("spec.containers[0].image")."""

    reason: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    def as_cause(self) -> dict[str, str]:
        return {"reason": self.reason, "message": self.message, "field": self.path}


def required(path: str, more: str = "") -> FieldError:
    return FieldError("FieldValueRequired", path, "Required value" + (f": {more}" if more else ""))


def invalid_value(path: str, value: Any, why: str) -> FieldError:
    return FieldError("FieldValueInvalid", path, f"Invalid value: {json.dumps(value, separators=(',', ':'))}: {why}")


def forbidden_field(path: str, why: str) -> FieldError:
    return FieldError("FieldValueForbidden", path, f"Forbidden: {why}")


def not_supported(path: str, value: Any, supported: Sequence[str]) -> FieldError:
    words = ", ".join(f'"{item}"' for item in supported)
    return FieldError(
        "FieldValueNotSupported", path, f"Unsupported value: {json.dumps(value)}: supported values: {words}"
    )


def _details(kind: ResourceType, name: str) -> dict[str, Any]:
    return {"name": name, "group": kind.group, "kind": kind.plural}


def not_found(kind: ResourceType, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', details=_details(kind, name))


def already_exists(kind: ResourceType, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', details=_details(kind, name))


def conflict(kind: ResourceType, name: str, why: str = "") -> ApiError:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(kind, name))


def forbidden(kind: ResourceType, name: str, why: str, causes: Sequence[dict[str, str]] = ()) -> ApiError:
    message = f'{kind.resource} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, causes=causes, details=_details(kind, name))


def invalid(kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 with every field error; `kind` is written "Deployment.apps"."""
    texts = [str(error) for error in errors]
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    short, _, group = kind.partition(".")
    details = {"name": name, "group": group, "kind": short}
    causes = [error.as_cause() for error in errors]
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {joined}', causes=causes, details=details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported_media_type(message: str = "415: Unsupported Media Type") -> ApiError:
    return ApiError(415, "UnsupportedMediaType", message)


def qualified(kind: ResourceType) -> str:
    """The kind as `invalid` names it: "Deployment.apps", "Pod"."""
    return f"{kind.kind}.{kind.group}" if kind.group else kind.kind
