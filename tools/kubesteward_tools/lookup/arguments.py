"""Arguments that many tools share. Every session pays for their words, so they are few."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

NAME = 253
"""Longest name of an object (RFC 1123 subdomain)."""

Cluster = Annotated[str, Field(max_length=NAME, description="Default: the current one")]
ManyClusters = Annotated[list[str] | None, Field(max_length=50, description='Names, globs, "@set"; ["*"]: all')]
Kind = Annotated[str, Field(min_length=1, max_length=NAME)]
Name = Annotated[str, Field(min_length=1, max_length=NAME)]
Namespace = Annotated[str, Field(max_length=NAME)]
Grace = Annotated[int | None, Field(ge=1, le=3600)]
"""Seconds; a pod deleted at once (0) may still run on its node, and is left to people."""
Target = Annotated[str, Field(max_length=2 * NAME, description="kind/name, e.g. deploy/web")]
Since = Annotated[str, Field(max_length=20, description="e.g. 15m, 2h")]
Cursor = Annotated[str, Field(max_length=2000)]
Format = Literal["concise", "detailed"]
