"""The words that travel between the floors, and the rules: pure, without network, MCP or clock."""
