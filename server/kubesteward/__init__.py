"""KubeSteward: an MCP server that rehearses every Kubernetes change before a gate lets it through."""

__version__ = "0.1.0"
