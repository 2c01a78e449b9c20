"""Who did what a record tells, and in the course of which call: one shape in every record."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Literal

Kind = Literal["human", "agent", "service", "system"]

CORRELATION: ContextVar[str] = ContextVar("correlation", default="")
"""The tool call that is being answered."""

SYSTEM = "kubesteward"


def actor(kind: Kind, name: str, *, client: str = "", kubernetes_user: str = "", channel: str = "") -> dict[str, Any]:
    """`name` is the principal; `kubernetes_user` whom the API server sees, "" for KubeSteward's own credential."""
    return {"kind": kind, "name": name, "client": client, "kubernetes_user": kubernetes_user, "channel": channel}


def behind(channel: str, *, can_be_asked: bool) -> Kind:
    """Whoever calls tools: an agent where a person sits at it, else a service. A client's own word is not asked for."""
    return "agent" if channel != "http" or can_be_asked else "service"
