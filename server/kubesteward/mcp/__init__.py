"""The only package that knows the MCP SDK: the catalogue becomes a server, for both eras and both transports."""
