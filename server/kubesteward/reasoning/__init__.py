"""Investigates with a brain or with none; knocks at the same front door as every other MCP client."""
