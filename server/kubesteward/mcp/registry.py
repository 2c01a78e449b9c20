"""The catalogue as the SDK wants it: one definition a tool, always in the same order, built once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from mcp_types import Tool as Definition
from mcp_types import ToolAnnotations

from kubesteward.mcp.arguments import arguments_of
from kubesteward_tools.tool import Tool


class Registry:
    """`tools` is the sorted catalogue."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self.tools = tools
        self.arguments = {name: arguments_of(tool) for name, tool in tools.items()}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Without output schemas: they would cost more tokens than the descriptions and no host needs them."""
        return {name: self._define(tool) for name, tool in self.tools.items()}

    def _define(self, tool: Tool) -> Definition:
        return Definition(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=self.arguments[tool.name].schema,
            annotations=ToolAnnotations(
                read_only_hint=tool.read_only,
                destructive_hint=tool.destructive,
                idempotent_hint=tool.idempotent,
                open_world_hint=tool.open_world,
            ),
        )
